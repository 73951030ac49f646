#include <stdlib.h>

#include "source/free_list_entries.h"
#include "source/objects_walk.h"

/*
 * Blocks of free lists that the scan cannot tell: the link of a free float stands where
 * its type was (3.8 - 3.13), and tables of keys are no objects. Where they are nobody's
 * part they are counted with the dead objects that the scan met.
 */
static void claim_entry(struct walk *walk, const struct free_list_place *place,
                        uint64_t entry)
{
    struct walk_counts *counts = &walk->workers[0].counts;
    uint64_t block = entry - place->prefix - walk->layout.pymalloc.debug_prefix_bytes;
    struct noted_block noted;

    if (!arena_notes_find(&walk->notes, block, &noted) || noted.offset ||
        !noted_claim(&noted))
        return;
    counts->freelist_objects++;
    counts->freelist_bytes += noted.pool->block_bytes;
}

void walk_claim_free_lists(struct walk *walk)
{
    struct free_list_place places[FREE_LIST_PLACES_MOST];
    size_t n_places = walk->method == WALK_BY_ARENAS && !walk->visit
                          ? free_list_places(&walk->layout, places)
                          : 0;
    uint64_t *entries = n_places ? malloc(FREE_LIST_MOST * sizeof(*entries)) : NULL;
    uint64_t count;

    for (size_t i = 0; entries && i < n_places; i++) {
        if (!places[i].is_disguised ||
            !free_list_entries(walk->reader, &places[i], &walk->free_list_heads[i],
                               entries, &count))
            continue;
        for (uint64_t n = 0; n < count; n++)
            claim_entry(walk, &places[i], entries[n]);
    }
    free(entries);
}
