/*
 * Which values are held more than once.
 *
 * Two passes over all str, bytes and int objects. The first notes in two bitmaps, by a
 * hash of the contents, what was met once and what was met again; the second counts what
 * was met again. So the many values that are held once only take a bit each, and memory
 * stays bounded. The hash is seeded, so that a target cannot aim at it.
 */
#include "source/inquiry.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "model/duplicates.h"
#include "source/noted_pass.h"
#include "source/object_value.h"
#include "util/clock.h"
#include "util/xalloc.h"

#define SEEN_BITS   (UINT64_C(1) << 26)
#define SLOTS_FIRST ((size_t)1 << 12)
#define SLOTS_MAX   ((size_t)1 << 20) /* half of them may be taken */
#define COUNT_MAX   ((1u << 30) - 1)

struct counted {
    uint64_t hash; /* 0 = empty */
    uint64_t address, memory_bytes;
    uint32_t one_bytes; /* memory of the first one */
    uint32_t count : 30;
    uint32_t type : 2; /* enum value_type */
};

struct duplicates_inquiry {
    struct noted_pass noted;
    struct duplicates *duplicates;
    const struct kind *kind;                    /* NULL: all three */
    const struct kind *kinds[VALUE_IS_INT + 1]; /* by type */
    uint64_t seed;
    bool shows_values, is_full;
    uint64_t *once, *again; /* bitmaps */
    struct counted *slots;
    size_t n_slots, n_counted;
};

/* ---- what is counted ---- */

static struct counted *slot_of(struct counted *slots, size_t n_slots, uint64_t hash)
{
    size_t at = (size_t)(hash >> 20) & (n_slots - 1);

    while (slots[at].hash && slots[at].hash != hash)
        at = (at + 1) & (n_slots - 1);
    return &slots[at];
}

static bool grow(struct duplicates_inquiry *inquiry)
{
    size_t n_slots = inquiry->n_slots ? inquiry->n_slots * 2 : SLOTS_FIRST;
    struct counted *slots = n_slots <= SLOTS_MAX ? calloc(n_slots, sizeof(*slots)) : NULL;

    if (!slots)
        return false;
    for (size_t i = 0; i < inquiry->n_slots; i++)
        if (inquiry->slots[i].hash)
            *slot_of(slots, n_slots, inquiry->slots[i].hash) = inquiry->slots[i];
    free(inquiry->slots);
    inquiry->slots = slots;
    inquiry->n_slots = n_slots;
    return true;
}

static void count_value(struct duplicates_inquiry *inquiry, const struct counted *value)
{
    struct counted *slot;

    if (inquiry->n_counted * 2 >= inquiry->n_slots && !grow(inquiry)) {
        inquiry->is_full = true;
        return;
    }
    slot = slot_of(inquiry->slots, inquiry->n_slots, value->hash);
    if (!slot->hash) {
        *slot = *value;
        inquiry->n_counted++;
        return;
    }
    if (slot->count < COUNT_MAX)
        slot->count++;
    slot->memory_bytes += value->memory_bytes;
}

/* ---- the passes ---- */

static bool has_bit(const uint64_t *bits, uint64_t hash)
{
    return bits[hash % SEEN_BITS / 64] >> hash % 64 & 1;
}

static void set_bit(uint64_t *bits, uint64_t hash)
{
    bits[hash % SEEN_BITS / 64] |= UINT64_C(1) << hash % 64;
}

static void duplicates_visit(void *with, const struct met_object *met)
{
    struct duplicates_inquiry *inquiry = with;
    const struct object_layout *layout = &inquiry->noted.pass.walk.layout.object;
    struct object_value value;
    struct measured measured;
    struct duplicate_kind *kind;
    uint64_t hash;

    if (inquiry->kind && met->entry->kind != inquiry->kind)
        return;
    value = value_of(layout, met);
    if (value.type == VALUE_IS_NONE)
        return;
    hash = value_hash(&inquiry->noted.measure, &value, inquiry->seed);
    kind = duplicates_kind(inquiry->duplicates, met->entry->kind);
    inquiry->kinds[value.type] = met->entry->kind;
    if (inquiry->noted.is_noting) {
        inquiry->duplicates->left_out += !hash;
        if (kind)
            kind->objects++;
        if (hash)
            set_bit(has_bit(inquiry->once, hash) ? inquiry->again : inquiry->once, hash);
    } else if (hash && has_bit(inquiry->again, hash)) {
        measure_object(&inquiry->noted.measure, met, &measured);
        count_value(inquiry,
                    &(struct counted){hash, met->view.address, measured.memory_bytes,
                                      (uint32_t)measured.memory_bytes, 1, value.type});
    }
}

static int duplicates_begin(const struct inquiry *asked, struct source_context *context,
                            void **state, struct err *err)
{
    struct duplicates_inquiry *inquiry = xcalloc(1, sizeof(*inquiry));

    *state = inquiry;
    inquiry->duplicates = xcalloc(1, sizeof(*inquiry->duplicates));
    inquiry->kind = asked->kind;
    inquiry->shows_values = asked->shows_values;
    inquiry->noted.is_noting = true;
    if (getrandom(&inquiry->seed, sizeof(inquiry->seed), GRND_NONBLOCK) < 0)
        inquiry->seed = (uint64_t)clock_monotonic_ns();
    inquiry->once = calloc(SEEN_BITS / 64, sizeof(uint64_t));
    inquiry->again = calloc(SEEN_BITS / 64, sizeof(uint64_t));
    if (!inquiry->once || !inquiry->again)
        return err_set(err, ERR_FAILED, "out of memory for the values");
    return noted_pass_begin(&inquiry->noted, context, duplicates_visit, inquiry, err);
}

/* ---- the answer ---- */

/* Read anew: how long it is, and with --show-values what it holds. */
static void describe(struct duplicates_inquiry *inquiry, struct duplicate_row *row)
{
    struct met_object met = {.block_bytes = row->memory_bytes - row->wasted_bytes};
    uint8_t bytes[VALUE_HEADER_BYTES];
    struct object_value value;

    row->value_bytes = reading_unknown();
    if (value_read(&inquiry->noted.measure, row->address, bytes, &met) ||
        met.entry->kind != row->kind)
        return;
    value = value_of(&inquiry->noted.pass.walk.layout.object, &met);
    if (value.type == VALUE_IS_NONE)
        return;
    row->value_bytes = reading_exact((int64_t)value.bytes);
    if (inquiry->shows_values)
        value_preview(&inquiry->noted.measure, &value, row->value, sizeof(row->value));
}

static void duplicates_finish(struct duplicates_inquiry *inquiry)
{
    struct duplicates *duplicates = inquiry->duplicates;

    for (size_t i = 0; i < inquiry->n_slots; i++) {
        const struct counted *slot = &inquiry->slots[i];
        struct duplicate_row row = {.kind = inquiry->kinds[slot->type],
                                    .address = slot->address,
                                    .count = slot->count,
                                    .memory_bytes = slot->memory_bytes,
                                    .wasted_bytes = slot->memory_bytes - slot->one_bytes};

        if (slot->count > 1)
            duplicates_add(duplicates, &row);
    }
    for (size_t i = 0; i < duplicates->n_rows; i++)
        describe(inquiry, &duplicates->rows[i]);
    objects_pass_facts(&inquiry->noted.pass, &duplicates->answer.walk);
    duplicates->answer.walk.complete &= !inquiry->is_full && !duplicates->left_out;
}

static enum source_result duplicates_step(void *state, struct source_context *context,
                                          struct answer **answer, struct err *err)
{
    struct duplicates_inquiry *inquiry = state;
    enum source_result result =
        noted_pass_step(&inquiry->noted, context->deadline_mono_ns, err);

    if (result != SOURCE_DONE)
        return result;
    duplicates_finish(inquiry);
    *answer = &inquiry->duplicates->answer;
    inquiry->duplicates = NULL;
    return SOURCE_DONE;
}

static void duplicates_end(void *state)
{
    struct duplicates_inquiry *inquiry = state;

    noted_pass_release(&inquiry->noted);
    free(inquiry->once);
    free(inquiry->again);
    free(inquiry->slots);
    free(inquiry->duplicates);
    free(inquiry);
}

const struct inquiry_ops inquiry_duplicates = {
    .name = INQUIRY_DUPLICATES,
    .begin = duplicates_begin,
    .step = duplicates_step,
    .end = duplicates_end,
};
