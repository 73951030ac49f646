#include <stdlib.h>

#include "source/free_list_entries.h"
#include "source/objects_walk.h"

#define INTERPRETERS_MOST 256 /* that are followed */

/* Where it is nobody's part it is counted with the dead objects that the scan met. */
static void claim_block(void *context, uint64_t block)
{
    struct walk *walk = context;
    struct walk_counts *counts = &walk->workers[0].counts;
    struct noted_block noted;

    if (!arena_notes_find(&walk->notes, block, &noted) || noted.offset ||
        !noted_claim(&noted))
        return;
    counts->freelist_objects++;
    counts->freelist_bytes += noted.pool->block_bytes;
}

/* Those of the interpreter that the layout names. */
static void visit_disguised(struct walk *walk, const struct layout *layout,
                            uint64_t heads[FREE_LIST_PLACES_MOST], uint64_t *entries,
                            walk_block_fn *visit, void *context)
{
    struct free_list_place places[FREE_LIST_PLACES_MOST];
    size_t n_places = free_list_places(layout, places);
    uint64_t count;

    for (size_t i = 0; i < n_places; i++) {
        if (!places[i].is_disguised ||
            !free_list_entries(walk->reader, &places[i], &heads[i], entries, &count))
            continue;
        for (uint64_t n = 0; n < count; n++)
            visit(context, entries[n] - places[i].prefix -
                               walk->layout.pymalloc.debug_prefix_bytes);
    }
}

/* From 3.10 on each interpreter has lists of its own; the main one's were visited. */
static void visit_others(struct walk *walk, uint64_t *entries, walk_block_fn *visit,
                         void *context)
{
    uint64_t heads[FREE_LIST_PLACES_MOST] = {0}, interpreter;
    struct layout layout = walk->layout;

    if (layout.version.minor < 10 || raddr_is_null(layout.interpreters) ||
        !reader_u64(walk->reader, layout.interpreters, &interpreter))
        return;
    for (int i = 0; i < INTERPRETERS_MOST && interpreter; i++) {
        layout.interpreter = raddr_of(interpreter);
        if (interpreter != walk->layout.interpreter.value)
            visit_disguised(walk, &layout, heads, entries, visit, context);
        if (!reader_u64(walk->reader, raddr_of(interpreter + layout.interpreter_next),
                        &interpreter))
            return;
    }
}

void walk_disguised_blocks(struct walk *walk, walk_block_fn *visit, void *context)
{
    uint64_t *entries = malloc(FREE_LIST_MOST * sizeof(*entries));

    if (!entries)
        return;
    visit_disguised(walk, &walk->layout, walk->free_list_heads, entries, visit, context);
    visit_others(walk, entries, visit, context);
    free(entries);
}

void walk_claim_free_lists(struct walk *walk)
{
    if (walk->method == WALK_BY_ARENAS && !walk->visit)
        walk_disguised_blocks(walk, claim_block, walk);
}
