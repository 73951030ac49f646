#include <stdlib.h>

#include "source/free_list_entries.h"
#include "source/objects_walk.h"

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

void walk_disguised_blocks(struct walk *walk, walk_block_fn *visit, void *context)
{
    struct free_list_place places[FREE_LIST_PLACES_MOST];
    size_t n_places = free_list_places(&walk->layout, places);
    uint64_t *entries = n_places ? malloc(FREE_LIST_MOST * sizeof(*entries)) : NULL;
    uint64_t count;

    for (size_t i = 0; entries && i < n_places; i++) {
        if (!places[i].is_disguised ||
            !free_list_entries(walk->reader, &places[i], &walk->free_list_heads[i],
                               entries, &count))
            continue;
        for (uint64_t n = 0; n < count; n++)
            visit(context, entries[n] - places[i].prefix -
                               walk->layout.pymalloc.debug_prefix_bytes);
    }
    free(entries);
}

void walk_claim_free_lists(struct walk *walk)
{
    if (walk->method == WALK_BY_ARENAS && !walk->visit)
        walk_disguised_blocks(walk, claim_block, walk);
}
