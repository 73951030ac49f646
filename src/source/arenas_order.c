/*
 * In which order pymalloc will take the arenas' free pools.
 *
 * Source: CPython Objects/obmalloc.c: usable_arenas, the list of arenas with at least
 * one free pool, linked both ways, those with the fewest free pools first; new pools
 * come from its head. Its head need not be known: it is the one arena on the list
 * without a previous one. An arena that has no free pool is on no list, and its links
 * are stale.
 */
#include <stdlib.h>

#include "source/arenas.h"

static bool is_usable(const struct arena_object *slot)
{
    return slot->address && slot->nfreepools;
}

/* The slot that a link leads to, or `count`. */
static uint64_t slot_of_link(uint64_t link, uint64_t table_address, uint64_t count)
{
    uint64_t offset = link - table_address;

    if (link < table_address || offset % sizeof(struct arena_object))
        return count;
    offset /= sizeof(struct arena_object);
    return offset < count ? offset : count;
}

static uint64_t find_head(const struct arena_object *slots, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        if (is_usable(&slots[i]) && !slots[i].prevarena)
            return i;
    return count;
}

/* Follows the list; each arena is met once, each has no fewer free pools than the one
 * before, and none is left over: else it was changing. */
static bool follow(const struct arena_object *slots, uint64_t count,
                   uint64_t table_address, uint32_t *orders)
{
    uint64_t at = find_head(slots, count);
    uint32_t n_usable = 0, n_met = 0, least = 0;

    for (uint64_t i = 0; i < count; i++)
        n_usable += is_usable(&slots[i]);
    while (at < count) {
        if (!is_usable(&slots[at]) || orders[at] || slots[at].nfreepools < least)
            return false;
        orders[at] = ++n_met;
        least = slots[at].nfreepools;
        if (!slots[at].nextarena)
            break;
        at = slot_of_link(slots[at].nextarena, table_address, count);
    }
    return n_met == n_usable;
}

struct rank {
    uint32_t free_pools;
    uint32_t slot;
};

static int rank_compare(const void *left, const void *right)
{
    const struct rank *a = left, *b = right;

    if (a->free_pools != b->free_pools)
        return a->free_pools < b->free_pools ? -1 : 1;
    return (a->slot > b->slot) - (a->slot < b->slot);
}

/* What the list must be sorted by, when its links cannot be followed. */
static void rank_by_free_pools(const struct arena_object *slots, uint64_t count,
                               uint32_t *orders)
{
    struct rank *ranks = calloc(count, sizeof(*ranks));
    size_t n_ranks = 0;

    for (uint64_t i = 0; i < count; i++) {
        orders[i] = 0;
        if (ranks && is_usable(&slots[i]))
            ranks[n_ranks++] = (struct rank){slots[i].nfreepools, (uint32_t)i};
    }
    if (n_ranks)
        qsort(ranks, n_ranks, sizeof(*ranks), rank_compare);
    for (size_t i = 0; i < n_ranks; i++)
        orders[ranks[i].slot] = (uint32_t)i + 1;
    free(ranks);
}

bool arenas_order(const struct arena_object *slots, uint64_t count,
                  uint64_t table_address, uint32_t *orders)
{
    if (follow(slots, count, table_address, orders))
        return true;
    rank_by_free_pools(slots, count, orders);
    return false;
}
