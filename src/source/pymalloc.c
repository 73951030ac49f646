/*
 * The pymalloc source: the table of arenas and the header of every carved pool,
 * read from outside. 48 bytes a pool, in scattered reads; blocks are not looked at.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "attach/session.h"
#include "heaptop/source.h"
#include "layout/pymalloc_layout.h"
#include "model/builder.h"
#include "source/arenas.h"
#include "source/arenas_picture.h"
#include "source/pymalloc.h"
#include "target/target.h"
#include "util/clock.h"
#include "util/log.h"

#define BATCH_POOLS   1024 /* headers in one scattered read */
#define HEAL_ATTEMPTS 8    /* for a pool that changed while it was read */
/* A picture larger than this is not taken at each sample. */
#define PICTURE_SMALL_BYTES (64u << 10)
#define PICTURE_PAUSE_NS    (10 * NS_PER_S)
/* Blocks that may be in flight between the agent's count and ours. */
#define IN_FLIGHT_BLOCKS 2000
#define STILL_BLOCKS     64 /* a target at rest still counts a few up and down */

struct pymalloc_state {
    struct pool_header headers[BATCH_POOLS];
    struct piece pieces[BATCH_POOLS];
    int64_t previous_blocks, previous_agent; /* allocated_blocks of the last sample */
    bool has_complained;
    const struct arenas_section *arenas; /* a reference: the last picture, or NULL */
};

/* One sample while it is counted. */
struct pymalloc_count {
    struct pymalloc_state *state;
    struct reader *reader;
    const struct layout_pymalloc *pymalloc;
    struct pymalloc_section *section;
    struct picture *picture; /* NULL: none is taken */
    size_t n_healed;         /* arenas that had to be read again: the target is at work */
    size_t n_states; /* of interpreters with an allocator of their own, the main first */
    struct layout_pymalloc states[LAYOUT_OBMALLOC_STATES_MAX];
};

static size_t row_pools(const struct arena_row *row,
                        const struct layout_pymalloc *pymalloc)
{
    return (size_t)((row->pool_high - row->first_pool) / pymalloc->pool_bytes);
}

static void count_pool(struct pymalloc_section *section,
                       const struct layout_pymalloc *pymalloc,
                       const struct pool_header *pool)
{
    struct size_class_row *row;
    uint64_t capacity;

    if (!pool->count) {
        section->pools_free++;
        section->free_pool_bytes += pymalloc->pool_bytes;
        return;
    }
    row = &section->size_classes[pool->szidx];
    capacity = pymalloc_pool_blocks(pymalloc, pool->szidx);
    section->pools_used++;
    row->pools++;
    row->blocks_used += pool->count;
    row->blocks_free += capacity - pool->count;
    /* The header, and the tail that is too short for a block. */
    section->header_bytes += pymalloc->pool_bytes - capacity * row->block_bytes;
}

/* What of the arena has no header yet, and the loss at its ends. */
static void count_arena(struct pymalloc_section *section,
                        const struct layout_pymalloc *pymalloc,
                        const struct arena_row *row)
{
    uint64_t untouched = row->total_pools - row_pools(row, pymalloc);

    section->arenas++;
    section->pools_untouched += untouched;
    section->pools_free += untouched;
    section->free_pool_bytes += untouched * pymalloc->pool_bytes;
    section->header_bytes +=
        pymalloc->arena_bytes - (uint64_t)row->total_pools * pymalloc->pool_bytes;
}

static void aim_at_row(struct pymalloc_count *count, const struct arena_row *row,
                       size_t at)
{
    size_t n_pools = row_pools(row, count->pymalloc);

    for (size_t i = 0; i < n_pools; i++)
        count->state->pieces[at + i] = (struct piece){
            raddr_of(row->first_pool + i * count->pymalloc->pool_bytes),
            &count->state->headers[at + i], sizeof(struct pool_header), false};
}

static bool pool_is_good(const struct pymalloc_count *count, const struct arena_row *row,
                         size_t at)
{
    return count->state->pieces[at].done &&
           pool_header_is_consistent(&count->state->headers[at], count->pymalloc,
                                     row->index);
}

static size_t row_torn_pools(const struct pymalloc_count *count,
                             const struct arena_row *row, size_t at)
{
    size_t n_pools = row_pools(row, count->pymalloc), torn = 0;

    for (size_t i = 0; i < n_pools; i++)
        torn += !pool_is_good(count, row, at + i);
    return torn;
}

/* Adds the arena whose headers stand at `at`; its torn pools are counted as loss. */
static void count_row(struct pymalloc_count *count, const struct arena_row *row,
                      size_t at)
{
    size_t n_pools = row_pools(row, count->pymalloc);

    count_arena(count->section, count->pymalloc, row);
    if (count->picture)
        picture_arena(count->picture, row);
    for (size_t i = 0; i < n_pools; i++) {
        bool is_good = pool_is_good(count, row, at + i);

        if (count->picture)
            picture_pool(count->picture, i,
                         is_good ? &count->state->headers[at + i] : NULL,
                         count->pymalloc);
        if (is_good) {
            count_pool(count->section, count->pymalloc, &count->state->headers[at + i]);
            continue;
        }
        count->section->torn_pools++;
        count->section->header_bytes += count->pymalloc->pool_bytes;
    }
}

/* The slot as it is now; false when no arena stands in it any more. */
static bool reread_row(struct pymalloc_count *count, struct arena_row *row)
{
    struct layout_pymalloc pymalloc = *count->pymalloc;
    struct arena_object slot;
    uint32_t order = row->order;
    uint64_t arenas;

    pymalloc.arenas_word = raddr_of(row->arenas_word);
    if (!reader_u64(count->reader, pymalloc.arenas_word, &arenas) ||
        reader_read(count->reader, raddr_of(arenas + row->index * sizeof(slot)), &slot,
                    sizeof(slot)))
        return false;
    if (!arena_row_from_slot(row, &slot, row->index, &pymalloc))
        return false;
    row->order = order;
    return true;
}

static bool row_is_readable(const struct pymalloc_count *count,
                            const struct arena_row *row)
{
    size_t n_pools = row_pools(row, count->pymalloc);

    for (size_t i = 0; i < n_pools; i++)
        if (count->state->pieces[i].done)
            return true;
    return !n_pools;
}

/* An arena with torn pools: both slot and pools are read again, a few times. The
 * headers are kept at the beginning of the batch, which must be over by then. */
static void heal_row(struct pymalloc_count *count, struct arena_row row)
{
    count->n_healed++;
    for (int attempt = 0; attempt < HEAL_ATTEMPTS; attempt++) {
        if (!reread_row(count, &row))
            return;
        aim_at_row(count, &row, 0);
        reader_readv(count->reader, count->state->pieces,
                     row_pools(&row, count->pymalloc));
        if (!row_torn_pools(count, &row, 0))
            break;
    }
    /* pymalloc unmaps an arena before it clears the slot (obmalloc.c). */
    if (row_is_readable(count, &row))
        count_row(count, &row, 0);
}

/* Reads and counts rows[0 .. n); together they have at most BATCH_POOLS pools. */
static void count_batch(struct pymalloc_count *count, const struct arena_row *rows,
                        size_t n, size_t n_pools)
{
    struct arena_row torn[BATCH_POOLS];
    size_t at = 0, n_torn = 0;

    for (size_t i = 0; i < n; i++) {
        aim_at_row(count, &rows[i], at);
        at += row_pools(&rows[i], count->pymalloc);
    }
    reader_readv(count->reader, count->state->pieces, n_pools);
    at = 0;
    for (size_t i = 0; i < n; i++) {
        if (row_torn_pools(count, &rows[i], at))
            torn[n_torn++] = rows[i];
        else
            count_row(count, &rows[i], at);
        at += row_pools(&rows[i], count->pymalloc);
    }
    for (size_t i = 0; i < n_torn; i++)
        heal_row(count, torn[i]);
}

static void count_table(struct pymalloc_count *count, const struct arena_table *table)
{
    size_t first = 0, n_pools = 0;

    for (size_t i = 0; i < table->count; i++) {
        size_t more = row_pools(&table->rows[i], count->pymalloc);

        if (n_pools + more > BATCH_POOLS || i - first == BATCH_POOLS) {
            count_batch(count, table->rows + first, i - first, n_pools);
            first = i;
            n_pools = 0;
        }
        n_pools += more;
    }
    count_batch(count, table->rows + first, table->count - first, n_pools);
}

static void section_begin(struct pymalloc_section *section,
                          const struct layout_pymalloc *pymalloc)
{
    section->arena_bytes_each = pymalloc->arena_bytes;
    section->pool_bytes_each = pymalloc->pool_bytes;
    section->n_size_classes = PYMALLOC_SIZE_CLASSES;
    for (uint32_t i = 0; i < PYMALLOC_SIZE_CLASSES; i++) {
        section->size_classes[i].index = i;
        section->size_classes[i].block_bytes = pymalloc_block_bytes(i);
    }
}

static void section_end(struct pymalloc_section *section)
{
    section->arena_bytes = section->arenas * section->arena_bytes_each;
    for (size_t i = 0; i < section->n_size_classes; i++) {
        const struct size_class_row *row = &section->size_classes[i];

        section->blocks_used += row->blocks_used;
        section->blocks_free += row->blocks_free;
        section->used_bytes += row->blocks_used * row->block_bytes;
        section->free_block_bytes += row->blocks_free * row->block_bytes;
    }
}

/* The sum of one counter over all interpreters' states; false when one is not known. */
static bool sum_words(struct pymalloc_count *count, size_t offset, uint64_t *sum)
{
    *sum = 0;
    for (size_t i = 0; i < count->n_states; i++) {
        const char *state = (const char *)&count->states[i];
        struct raddr word;
        uint64_t value;

        memcpy(&word, state + offset, sizeof(word));
        if (raddr_is_null(word) || !reader_u64(count->reader, word, &value) ||
            value > (uint64_t)1 << 48)
            return false;
        *sum += value;
    }
    return true;
}

static bool sum_raw_blocks(struct pymalloc_count *count, uint64_t *sum)
{
    return sum_words(count, offsetof(struct layout_pymalloc, raw_blocks_word), sum);
}

/* sys.getallocatedblocks(): 3.8 has one counter for all, later versions add the
 * pools to a counter of what was too large for them, 3.12+ for all interpreters. */
static void read_allocated_blocks(struct pymalloc_count *count, uint64_t raw_before)
{
    struct pymalloc_section *section = count->section;
    bool is_total = count->pymalloc->raw_blocks_is_total;
    uint64_t raw;

    if (!sum_raw_blocks(count, &raw))
        return;
    section->allocated_blocks =
        reading_exact((int64_t)(is_total ? raw : raw + section->blocks_used));
    if (!is_total && (section->torn_pools || count->n_healed || raw != raw_before))
        section->allocated_blocks.state = READING_TORN;
}

static void read_peak(struct pymalloc_count *count)
{
    uint64_t peak;

    if (!sum_words(count, offsetof(struct layout_pymalloc, highwater_word), &peak) ||
        peak > PYMALLOC_SLOTS_MAX)
        return;
    /* Never shown below what is there: the counter may be a moment older. */
    if (peak < count->section->arenas)
        peak = count->section->arenas;
    count->section->arenas_peak = reading_exact((int64_t)peak);
    /* Several interpreters need not have had their peaks together. */
    if (count->n_states > 1)
        count->section->arenas_peak.state = READING_ESTIMATE;
}

/* Counts the table, and takes the picture where one is wanted. */
static void count_and_draw(struct pymalloc_count *count, const struct arena_table *table,
                           const struct arenas_section **arenas)
{
    struct picture picture;

    if (!arenas) {
        count_table(count, table);
        return;
    }
    if (!picture_begin(&picture, table, count->pymalloc))
        count->picture = &picture;
    count_table(count, table);
    *arenas = count->picture ? arenas_seal(&picture.facts) : NULL;
    picture_release(&picture);
}

int pymalloc_count_section(struct pymalloc_section *section,
                           const struct arenas_section **arenas,
                           struct pymalloc_state *state, struct reader *reader,
                           const struct layout *layout, struct err *err)
{
    struct pymalloc_count count = {
        .state = state,
        .reader = reader,
        .pymalloc = &layout->pymalloc,
        .section = section,
    };
    struct arena_table table;
    uint64_t raw_before;
    size_t bad;

    count.n_states = pymalloc_states(&layout->pymalloc, reader, count.states);
    sum_raw_blocks(&count, &raw_before);
    if (arenas_read(&table, reader, layout, &bad, err))
        return -1;
    if (bad > table.count) {
        arenas_release(&table);
        return err_set(err, ERR_FAILED,
                       "%zu of the target's arenas make no sense: its memory changed",
                       bad);
    }
    section_begin(section, &layout->pymalloc);
    count_and_draw(&count, &table, arenas);
    arenas_release(&table);
    section_end(section);
    read_allocated_blocks(&count, raw_before);
    read_peak(&count);
    return 0;
}

static bool is_near(int64_t a, int64_t b, int64_t slack)
{
    return a - b <= slack && b - a <= slack;
}

/* The agent counted too. While the target works the two cannot be compared: a loop
 * may hold half of all blocks for a moment. So both must stand still over two samples
 * first. Only logged, once: what is shown is always our own. */
static void compare_with_agent(struct pymalloc_state *state, struct session *session,
                               struct reading blocks)
{
    struct agent_counters counters;
    bool is_still;

    if (state->has_complained || !reading_is_known(blocks) ||
        !session_counters(session, &counters) || counters.allocated_blocks < 0)
        return;
    is_still = is_near(blocks.value, state->previous_blocks, STILL_BLOCKS) &&
               is_near(counters.allocated_blocks, state->previous_agent, STILL_BLOCKS);
    if (is_still && !is_near(blocks.value, counters.allocated_blocks,
                             IN_FLIGHT_BLOCKS + blocks.value / 50)) {
        log_line("pymalloc: %" PRId64 " blocks from outside, %" PRId64 " by the agent",
                 blocks.value, counters.allocated_blocks);
        state->has_complained = true;
    }
    state->previous_blocks = blocks.value;
    state->previous_agent = counters.allocated_blocks;
}

struct pymalloc_state *pymalloc_state_new(void)
{
    return calloc(1, sizeof(struct pymalloc_state));
}

void pymalloc_state_free(struct pymalloc_state *state)
{
    if (state)
        arenas_unref(state->arenas);
    free(state);
}

/* A large picture costs memory in each snapshot that has its own. */
static bool picture_is_due(const struct pymalloc_state *state)
{
    const struct arenas_section *last = state->arenas;

    return !last || last->n_arenas * last->pools_each <= PICTURE_SMALL_BYTES ||
           clock_monotonic_ns() - last->taken_mono_ns >= PICTURE_PAUSE_NS;
}

/* Takes the reference over; what is the same as before is shared with it. */
static void keep_picture(struct pymalloc_state *state,
                         const struct arenas_section *arenas)
{
    if (!arenas)
        return;
    if (state->arenas && arenas_are_same(state->arenas, arenas)) {
        arenas_unref(arenas);
        return;
    }
    arenas_unref(state->arenas);
    state->arenas = arenas;
}

static int pymalloc_open(struct target *target, void **state, struct err *err)
{
    (void)target;
    *state = pymalloc_state_new();
    return *state ? 0 : err_set(err, ERR_FAILED, "out of memory");
}

/* Without pymalloc there is no section; that is no failure. */
static enum source_result pymalloc_sample(void *opaque, struct source_context *context,
                                          struct err *err)
{
    struct pymalloc_state *state = opaque;
    const struct layout *layout = context->layout;
    struct pymalloc_section counted = {0}, *section;
    const struct arenas_section *arenas = NULL;

    if (!layout || !layout->has_pymalloc || !context->target->reader)
        return SOURCE_DONE;
    if (pymalloc_count_section(&counted, picture_is_due(state) ? &arenas : NULL, state,
                               context->target->reader, layout, err))
        return SOURCE_FAILED;
    keep_picture(state, arenas);
    builder_arenas(context->builder, state->arenas);
    if (context->session)
        compare_with_agent(state, context->session, counted.allocated_blocks);
    section = builder_pymalloc(context->builder);
    if (!section) {
        err_set(err, ERR_FAILED, "out of memory");
        return SOURCE_FAILED;
    }
    *section = counted;
    return SOURCE_DONE;
}

static void pymalloc_close(void *state)
{
    pymalloc_state_free(state);
}

const struct source_ops source_pymalloc = {
    .name = "pymalloc",
    .title = "Arenas, pools and size classes",
    .cost = SOURCE_CHEAP,
    .open = pymalloc_open,
    .sample = pymalloc_sample,
    .close = pymalloc_close,
};
