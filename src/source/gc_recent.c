#include "source/gc_recent.h"

#include "source/gc.h"

static uint64_t generation_head(const struct layout *layout, int generation)
{
    return raddr_add(layout->gc.state, layout->gc.generations[generation]).value;
}

/* From the head on, in the direction of next (0) or previous (1), until `end`. */
static bool follow(struct chunk_set *set, struct reader *reader, uint64_t head,
                   int direction, uint64_t end)
{
    uint64_t node = head, links[2];

    while (set->count < GC_RECENT_MAX) {
        if (reader_read(reader, raddr_of(node), links, sizeof(links)) ||
            (direction && links[1] & GC_PREV_COLLECTING))
            return false;
        node = links[direction] & GC_LINK_MASK;
        if (node == end)
            return true;
        if (node == head || node < 4096 || node >= RADDR_END || !chunk_set_add(set, node))
            return false;
    }
    return false;
}

bool gc_young_read(struct chunk_set *young, struct reader *reader,
                   const struct layout *layout)
{
    bool is_known = layout->has_gc && !layout->gc.is_incremental;

    for (int i = 0; is_known && i < 2; i++) {
        uint64_t head = generation_head(layout, i);

        is_known = follow(young, reader, head, 0, head);
    }
    chunk_set_sort(young);
    return is_known;
}

bool gc_promoted_read(struct chunk_set *recent, struct reader *reader,
                      const struct layout *layout, uint64_t last)
{
    bool is_known = layout->has_gc && !layout->gc.is_incremental && last &&
                    follow(recent, reader, generation_head(layout, 2), 1, last);

    chunk_set_sort(recent);
    return is_known;
}

uint64_t gc_last_old(struct reader *reader, const struct layout *layout)
{
    uint64_t links[2];

    if (!layout->has_gc || layout->gc.is_incremental ||
        reader_read(reader, raddr_of(generation_head(layout, 2)), links, sizeof(links)))
        return 0;
    return links[1] & GC_LINK_MASK;
}

int64_t gc_full_collections(struct reader *reader, const struct layout *layout)
{
    struct gc_section section = {.n_generations = 0};
    struct err ignored = ERR_INIT;

    if (!layout->has_gc || gc_read_section(&section, NULL, reader, layout, 0, &ignored) ||
        section.n_generations < 3 ||
        !reading_is_known(section.generations[2].collections))
        return -1;
    return section.generations[2].collections.value;
}
