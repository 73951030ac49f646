#include "recording/plane.h"

#include <stdlib.h>
#include <string.h>

#include "util/xalloc.h"

void plane_init(struct plane *plane, size_t columns)
{
    memset(plane, 0, sizeof(*plane));
    plane->columns = columns;
}

void plane_release(struct plane *plane)
{
    free(plane->now);
    free(plane->before);
    free(plane->touched);
    plane_init(plane, plane->columns);
}

static size_t touched_words(size_t slots)
{
    return (slots + PLANE_WORD_BITS - 1) / PLANE_WORD_BITS;
}

/* So many numbers of 64 bits, new ones 0. */
static void *grown(void *old, size_t count, size_t more)
{
    uint64_t *numbers = xreallocarray(old, more, sizeof(*numbers));

    memset(numbers + count, 0, (more - count) * sizeof(*numbers));
    return numbers;
}

bool plane_grow(struct plane *plane, size_t slots)
{
    size_t capacity = plane->capacity ? plane->capacity : 4;
    size_t count = plane->capacity * plane->columns;

    if (slots <= plane->capacity) {
        plane->slots = slots > plane->slots ? slots : plane->slots;
        return true;
    }
    if (slots > PLANE_VALUES_MAX / plane->columns)
        return false;
    while (capacity < slots)
        capacity *= 2;
    plane->now = grown(plane->now, count, capacity * plane->columns);
    plane->before = grown(plane->before, count, capacity * plane->columns);
    plane->touched =
        grown(plane->touched, touched_words(plane->capacity), touched_words(capacity));
    plane->capacity = capacity;
    plane->slots = slots;
    return true;
}

static void clear(const struct plane *plane, int64_t *values)
{
    if (plane->capacity)
        memset(values, 0, plane->columns * plane->capacity * sizeof(*values));
}

size_t plane_next_touched(const struct plane *plane, size_t slot)
{
    while (slot < plane->slots) {
        uint64_t word = plane->touched[slot / PLANE_WORD_BITS] >> slot % PLANE_WORD_BITS;

        if (word)
            return slot + (size_t)__builtin_ctzll(word);
        slot += PLANE_WORD_BITS - slot % PLANE_WORD_BITS;
    }
    return plane->slots;
}

bool plane_is_touched(const struct plane *plane, size_t slot)
{
    return slot >= plane->slots ||
           (plane->touched[slot / PLANE_WORD_BITS] >> slot % PLANE_WORD_BITS & 1);
}

void plane_untouch(struct plane *plane)
{
    plane->has_changed = false;
    if (plane->capacity)
        memset(plane->touched, 0,
               touched_words(plane->capacity) * sizeof(*plane->touched));
}

void plane_forget(struct plane *plane)
{
    clear(plane, plane->before);
    plane->is_key = true;
}

/* What was is kept to see what the key changes. */
void plane_reset(struct plane *plane)
{
    int64_t *now = plane->before;

    plane->before = plane->now;
    plane->now = now;
    clear(plane, plane->now);
    plane->is_key = true;
}

#define VARINT_BYTES_MAX 10

static inline size_t varint_write(uint8_t bytes[VARINT_BYTES_MAX], uint64_t value)
{
    size_t length = 0;

    do {
        bytes[length++] = (uint8_t)(value & 0x7f) | (value > 0x7f ? 0x80 : 0);
        value >>= 7;
    } while (value);
    return length;
}

bool varint_take(const uint8_t **bytes, const uint8_t *end, uint64_t *value)
{
    *value = 0;
    for (unsigned shift = 0; *bytes < end && shift < 64; shift += 7) {
        uint8_t byte = *(*bytes)++;

        *value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return true;
    }
    return false;
}

static uint64_t zigzag(uint64_t difference)
{
    return difference << 1 ^ (0 - (difference >> 63));
}

static uint64_t unzigzag(uint64_t value)
{
    return value >> 1 ^ (0 - (value & 1));
}

/* The varints of one plane on their way out: a few hundred bytes are handed over at once.
 * Zeros are counted until something else comes. */
struct varints {
    struct strbuf *out;
    uint64_t zeros;
    size_t length;
    uint8_t bytes[512];
};

static void hand_over(struct varints *varints)
{
    strbuf_add(varints->out, varints->bytes, varints->length);
    varints->length = 0;
}

static inline void put_varint(struct varints *varints, uint64_t value)
{
    if (varints->length + VARINT_BYTES_MAX > sizeof(varints->bytes))
        hand_over(varints);
    varints->length += varint_write(varints->bytes + varints->length, value);
}

static inline void put_zeros(struct varints *varints)
{
    if (!varints->zeros)
        return;
    put_varint(varints, 0);
    put_varint(varints, varints->zeros - 1);
    varints->zeros = 0;
}

#define FEW_SLOTS 64

static inline void put_value(struct varints *varints, int64_t now, int64_t *before)
{
    put_zeros(varints);
    put_varint(varints, zigzag((uint64_t)now - (uint64_t)*before));
    *before = now;
}

/* Nothing but zeros was before, so that most values differ. */
static void encode_key_column(struct plane *plane, size_t column, struct varints *varints)
{
    size_t end = plane->slots * plane->columns;

    for (size_t at = column; at < end; at += plane->columns) {
        if (plane->now[at] == plane->before[at])
            varints->zeros++;
        else
            put_value(varints, plane->now[at], &plane->before[at]);
    }
}

static void encode_column(struct plane *plane, size_t column, const uint32_t *touched,
                          size_t n_touched, struct varints *varints)
{
    size_t done = 0;

    for (size_t i = 0; i < n_touched; i++) {
        size_t at = touched[i] * plane->columns + column;

        if (plane->now[at] == plane->before[at])
            continue;
        varints->zeros += touched[i] - done;
        put_value(varints, plane->now[at], &plane->before[at]);
        done = touched[i] + 1;
    }
    varints->zeros += plane->slots - done;
}

/* Looked for once, not for each column. */
static size_t list_touched(const struct plane *plane, uint32_t *touched)
{
    size_t count = 0;

    for (size_t slot = plane_next_touched(plane, 0); slot < plane->slots;
         slot = plane_next_touched(plane, slot + 1))
        touched[count++] = (uint32_t)slot;
    return count;
}

static void encode_changes(struct plane *plane, struct varints *varints)
{
    uint32_t few[FEW_SLOTS];
    uint32_t *touched = plane->slots > FEW_SLOTS
                            ? xreallocarray(NULL, plane->slots, sizeof(*touched))
                            : few;
    size_t n_touched = list_touched(plane, touched);

    for (size_t column = 0; column < plane->columns; column++)
        encode_column(plane, column, touched, n_touched, varints);
    if (touched != few)
        free(touched);
}

/* Values of rows that are gone stay as they were, which costs nothing. */
void plane_encode(struct plane *plane, struct strbuf *out)
{
    struct varints varints; /* its bytes need no beginning */

    varints.out = out;
    varints.zeros = varints.length = 0;
    put_varint(&varints, plane->slots);
    if (plane->slots && !plane->is_key)
        encode_changes(plane, &varints);
    for (size_t column = 0; plane->is_key && column < plane->columns; column++)
        encode_key_column(plane, column, &varints);
    put_zeros(&varints);
    hand_over(&varints);
    plane->is_key = false;
    plane_untouch(plane);
}

static void note_change(struct plane *plane, size_t slot)
{
    plane->has_changed = true;
    plane_touch(plane, slot);
}

/* A key says everything anew: changed is what is not as it was. */
static void note_differences(struct plane *plane, size_t slots_before)
{
    size_t slots = plane->slots > slots_before ? plane->slots : slots_before;

    for (size_t slot = 0; slot < slots; slot++)
        if (memcmp(plane_line(plane, slot), plane->before + slot * plane->columns,
                   plane->columns * sizeof(*plane->now)) != 0)
            note_change(plane, slot);
    plane->is_key = false;
}

static bool decode_values(struct plane *plane, const uint8_t **bytes, const uint8_t *end)
{
    uint64_t value, zeros = 0;

    for (size_t column = 0; column < plane->columns; column++) {
        for (size_t slot = 0; slot < plane->slots; slot++) {
            int64_t *now = plane_value(plane, column, slot);

            if (zeros) {
                size_t more = plane->slots - slot;

                more = zeros < more ? (size_t)zeros : more;
                zeros -= more;
                slot += more - 1;
                continue;
            }
            if (!varint_take(bytes, end, &value))
                return false;
            if (!value && !varint_take(bytes, end, &zeros))
                return false;
            if (!value)
                continue;
            *now = (int64_t)((uint64_t)*now + unzigzag(value));
            if (!plane->is_key)
                note_change(plane, slot);
        }
    }
    return zeros == 0;
}

bool plane_decode(struct plane *plane, const uint8_t **bytes, const uint8_t *end)
{
    size_t slots_before = plane->slots;
    uint64_t slots;
    bool is_good;

    if (!varint_take(bytes, end, &slots) || slots > PLANE_VALUES_MAX ||
        (!plane->is_key && slots < plane->slots) || !plane_grow(plane, (size_t)slots))
        return false;
    plane->slots = (size_t)slots;
    is_good = decode_values(plane, bytes, end);
    if (plane->is_key)
        note_differences(plane, slots_before);
    return is_good;
}
