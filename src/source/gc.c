/*
 * The gc source: thresholds, counts and statistics from outside, pauses from the
 * agent, which alone can know them. What the agent counts too is used only where
 * the outside cannot read it, because its own work would be in it.
 */
#include "source/gc.h"

#include <stdlib.h>
#include <string.h>

#include "attach/session.h"
#include "heaptop/source.h"
#include "model/builder.h"
#include "source/gc_lists.h"
#include "source/gc_pauses.h"
#include "target/target.h"
#include "util/clock.h"

#define STATE_BYTES     240 /* all that is read lies in front of this in every version */
#define LISTS_BUDGET_NS NS_PER_MS       /* of processor time, at each sample */
#define LISTS_FIRST_NS  (8 * NS_PER_MS) /* at the first: who runs -n 1 has no other */
#define DEBUG_MAX       0xff            /* flags up to 32 are in use (3.8 - 3.15) */

/* struct gc_generation: PyGC_Head, then int threshold, int count. */
#define GENERATION_THRESHOLD 16
#define GENERATION_COUNT     20
/* struct gc_generation_stats, 3.8 - 3.14: three Py_ssize_t. */
#define STATS_BYTES 24
/* 3.14.0 - 3.14.4: which of the two old spaces counts as generation 1. */
#define VISITED_SPACE 232

/* 3.15 struct gc_stats: rings of items of 64 bytes, young 11, the old ones 3 each. */
#define RING_STATS_BYTES 1112
#define RING_ITEM_BYTES  64
#define RING_COUNTS      16 /* collections, collected, uncollectable in an item */

struct gc_state_bytes {
    unsigned char bytes[STATE_BYTES];
};

static int32_t state_int(const struct gc_state_bytes *state, size_t offset)
{
    int32_t value = 0;

    if (offset <= STATE_BYTES - sizeof(value))
        memcpy(&value, state->bytes + offset, sizeof(value));
    return value;
}

static void set_stats(struct generation_row *row, const unsigned char *counts)
{
    int64_t values[3];

    memcpy(values, counts, sizeof(values));
    for (int i = 0; i < 3; i++)
        if (values[i] < 0)
            return;
    row->collections = reading_exact(values[0]);
    row->collected = reading_exact(values[1]);
    row->uncollectable = reading_exact(values[2]);
}

/* The totals only grow, so the item with the most collections is the newest. */
static const unsigned char *ring_newest(const unsigned char *items, size_t count)
{
    const unsigned char *newest = items;
    int64_t most = -1;

    for (size_t i = 0; i < count; i++) {
        int64_t collections;

        memcpy(&collections, items + i * RING_ITEM_BYTES + RING_COUNTS,
               sizeof(collections));
        if (collections > most) {
            most = collections;
            newest = items + i * RING_ITEM_BYTES;
        }
    }
    return newest + RING_COUNTS;
}

static void read_ring_stats(struct gc_section *section, struct reader *reader,
                            const struct gc_state_bytes *state, uint16_t offset)
{
    static const struct {
        size_t at, count;
    } rings[3] = {{0, 11}, {712, 3}, {912, 3}};
    unsigned char stats[RING_STATS_BYTES];
    uint64_t pointer;

    memcpy(&pointer, state->bytes + offset, sizeof(pointer));
    if (reader_read(reader, raddr_of(pointer), stats, sizeof(stats)))
        return;
    for (int i = 0; i < 3; i++)
        set_stats(&section->generations[i],
                  ring_newest(stats + rings[i].at, rings[i].count));
}

static void read_stats(struct gc_section *section, struct reader *reader,
                       const struct layout_gc *gc, const struct gc_state_bytes *state)
{
    if (gc->stats > STATE_BYTES - 3 * STATS_BYTES)
        return;
    if (gc->stats_is_pointer) {
        read_ring_stats(section, reader, state, gc->stats);
        return;
    }
    for (int i = 0; i < 3; i++)
        set_stats(&section->generations[i], state->bytes + gc->stats + i * STATS_BYTES);
}

static void read_generations(struct gc_section *section, const struct layout_gc *gc,
                             const struct gc_state_bytes *state)
{
    bool is_swapped = gc->is_incremental && state_int(state, VISITED_SPACE) == 1;

    section->n_generations = 3;
    for (int i = 0; i < 3; i++) {
        struct generation_row *row = &section->generations[i];
        int counted = is_swapped && i ? 3 - i : i;

        row->count =
            reading_exact(state_int(state, gc->generations[counted] + GENERATION_COUNT));
        row->threshold =
            reading_exact(state_int(state, gc->generations[i] + GENERATION_THRESHOLD));
    }
    /* gc.get_threshold() of the incremental collector has no third one. */
    if (gc->is_incremental)
        section->generations[2].threshold = reading_exact(0);
}

/* Each list gets an equal share of what is left, the youngest first: one long list
 * must not hide the short ones. */
static struct reading list_length(struct gc_lists *lists, struct reader *reader, int list,
                                  uint64_t head, int64_t deadline_ns, int lists_left)
{
    int64_t now_ns = clock_thread_cpu_ns();

    if (deadline_ns > now_ns)
        deadline_ns = now_ns + (deadline_ns - now_ns) / lists_left;
    return gc_list_length(lists, reader, list, head, deadline_ns);
}

static void read_lists(struct gc_section *section, struct gc_lists *lists,
                       struct reader *reader, const struct layout_gc *gc,
                       int64_t deadline_ns)
{
    gc_lists_forget(lists);
    for (int i = 0; i < 3; i++)
        section->generations[i].objects =
            list_length(lists, reader, i, raddr_add(gc->state, gc->generations[i]).value,
                        deadline_ns, GC_LISTS - i);
    if (gc->has_permanent)
        section->frozen =
            list_length(lists, reader, GC_LISTS - 1,
                        raddr_add(gc->state, gc->permanent).value, deadline_ns, 1);
}

int gc_read_section(struct gc_section *section, struct gc_lists *lists,
                    struct reader *reader, const struct layout *layout, int64_t budget_ns,
                    struct err *err)
{
    const struct layout_gc *gc = &layout->gc;
    struct gc_state_bytes state;
    int32_t enabled, debug;

    if (!layout->has_gc)
        return err_set(err, ERR_UNSUPPORTED, "the target's collector is not known");
    if (reader_fetch(reader, gc->state, state.bytes, sizeof(state.bytes),
                     "the collector's state", err))
        return -1;
    enabled = state_int(&state, gc->enabled);
    if (enabled != 0 && enabled != 1)
        return err_set(err, ERR_FAILED, "the collector's state makes no sense any more");
    section->enabled = reading_exact(enabled);
    debug = state_int(&state, gc->debug);
    if (debug >= 0 && debug <= DEBUG_MAX)
        section->debug = reading_exact(debug);
    read_generations(section, gc, &state);
    read_stats(section, reader, gc, &state);
    /* During a collection the links hold the collector's own numbers. */
    if (lists && !state_int(&state, gc->collecting))
        read_lists(section, lists, reader, gc, clock_thread_cpu_ns() + budget_ns);
    return 0;
}

struct gc_source {
    struct gc_lists *lists;
    struct gc_pause_record pauses;
    const struct session *session; /* whose pauses these are */
    bool has_lists;                /* they were read once */
};

static void fill_unknown(struct reading *reading, int64_t value)
{
    if (!reading_is_known(*reading))
        *reading = reading_of_count(value);
}

/* Puts the agent's numbers where the outside has none. */
static void fill_from_agent(struct gc_section *section,
                            const struct agent_counters *counters)
{
    section->n_generations = AGENT_GENERATIONS;
    fill_unknown(&section->enabled, counters->gc_enabled);
    fill_unknown(&section->frozen, counters->gc_frozen);
    fill_unknown(&section->debug, counters->gc_debug);
    for (int i = 0; i < AGENT_GENERATIONS; i++) {
        struct generation_row *row = &section->generations[i];
        const struct agent_generation *theirs = &counters->generations[i];

        fill_unknown(&row->count, theirs->count);
        fill_unknown(&row->threshold, theirs->threshold);
        fill_unknown(&row->collections, theirs->collections);
        fill_unknown(&row->collected, theirs->collected);
        fill_unknown(&row->uncollectable, theirs->uncollectable);
    }
}

static void gc_close(void *opaque)
{
    struct gc_source *source = opaque;

    if (source)
        free(source->lists);
    free(source);
}

static int gc_open(struct target *target, void **state, struct err *err)
{
    struct gc_source *source = calloc(1, sizeof(*source));

    (void)target;
    *state = source;
    if (source)
        source->lists = gc_lists_new();
    if (source && source->lists)
        return 0;
    gc_close(source);
    *state = NULL;
    return err_set(err, ERR_FAILED, "out of memory");
}

static void take_pauses(struct gc_source *source, struct session *session)
{
    if (source->session != session)
        memset(&source->pauses, 0, sizeof(source->pauses));
    source->session = session;
    if (session)
        gc_pauses_take(&source->pauses, session);
}

static enum source_result gc_sample(void *opaque, struct source_context *context,
                                    struct err *err)
{
    struct gc_source *source = opaque;
    const struct layout *layout = context->layout;
    struct gc_section read = {.pauses = {.last_generation = -1}}, *section;
    struct agent_counters counters;
    bool has_outside = layout && layout->has_gc && context->target->reader;
    bool has_agent;

    take_pauses(source, context->session);
    has_agent = context->session && session_counters(context->session, &counters);
    if (!has_outside && !has_agent)
        return SOURCE_DONE;
    if (has_outside &&
        gc_read_section(&read, source->lists, context->target->reader, layout,
                        source->has_lists ? LISTS_BUDGET_NS : LISTS_FIRST_NS, err))
        return SOURCE_FAILED;
    source->has_lists |= has_outside;
    if (has_agent)
        fill_from_agent(&read, &counters);
    if (context->session)
        gc_pauses_fill(&source->pauses, &read.pauses);
    section = builder_gc(context->builder);
    if (!section) {
        err_set(err, ERR_FAILED, "out of memory");
        return SOURCE_FAILED;
    }
    *section = read;
    return SOURCE_DONE;
}

const struct source_ops source_gc = {
    .name = "gc",
    .title = "Garbage collector",
    .cost = SOURCE_CHEAP,
    .open = gc_open,
    .sample = gc_sample,
    .close = gc_close,
};
