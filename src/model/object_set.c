#include "model/object_set.h"

#include <stdlib.h>
#include <string.h>

#define TRACE_BYTES 4
#define TRACE_OLD   0x80 /* in the first byte: the rest is the kind's place in the list */

struct set_pool {
    uint64_t address;
    uint32_t first_trace, first_kind;
    uint16_t n_objects, n_kinds;
    uint64_t blocks[OBJECT_SET_WORDS];
};

struct set_far {
    uint64_t address;
    struct object_trace trace;
};

/* Room for one more; NULL when there is none. */
static void *room(struct object_set *set, void *items, size_t count, size_t *capacity,
                  size_t size)
{
    size_t wanted = *capacity ? *capacity + *capacity / 2 : 1024;
    void *grown;

    if (count < *capacity)
        return items;
    if (set->bytes + (wanted - *capacity) * size > OBJECT_SET_MAX_BYTES ||
        wanted > UINT32_MAX || !(grown = reallocarray(items, wanted, size))) {
        set->is_full = true;
        return NULL;
    }
    set->bytes += (wanted - *capacity) * size;
    *capacity = wanted;
    return grown;
}

static struct set_pool *pool_of(struct object_set *set, uint64_t address)
{
    struct set_pool *last = set->n_pools ? &set->pools[set->n_pools - 1] : NULL;
    void *pools;

    if (last && last->address == address)
        return last;
    pools = room(set, set->pools, set->n_pools, &set->pools_capacity, sizeof(*last));
    if (!pools)
        return NULL;
    set->pools = pools;
    last = &set->pools[set->n_pools++];
    memset(last, 0, sizeof(*last));
    last->address = address;
    last->first_trace = (uint32_t)set->n_traces;
    last->first_kind = (uint32_t)set->n_kinds;
    return last;
}

/* The kind's place in the list of the newest pool; -1 when it has no room. */
static int kind_in(struct object_set *set, struct set_pool *pool, uint32_t kind)
{
    void *kinds;

    for (int i = 0; i < pool->n_kinds; i++)
        if (set->kinds[pool->first_kind + (uint32_t)i] == kind)
            return i;
    if (pool->n_kinds == OBJECT_SET_KINDS)
        return -1;
    kinds = room(set, set->kinds, set->n_kinds, &set->kinds_capacity, sizeof(kind));
    if (!kinds)
        return -1;
    set->kinds = kinds;
    set->kinds[set->n_kinds++] = kind;
    return pool->n_kinds++;
}

static void add_far(struct object_set *set, uint64_t address,
                    const struct object_trace *trace)
{
    void *far = room(set, set->far, set->n_far, &set->far_capacity, sizeof(*set->far));

    if (!far)
        return;
    set->far = far;
    set->far[set->n_far++] = (struct set_far){address, *trace};
    set->count++;
}

void object_set_add(struct object_set *set, const struct object_place *place,
                    const struct object_trace *trace)
{
    struct set_pool *pool = place->pool ? pool_of(set, place->pool) : NULL;
    void *traces;
    uint8_t *at;
    int kind;

    if (!place->pool)
        add_far(set, place->address, trace);
    if (!pool || place->block >= OBJECT_SET_WORDS * 64)
        return;
    kind = kind_in(set, pool, trace->kind);
    traces = room(set, set->traces, set->n_traces, &set->traces_capacity, TRACE_BYTES);
    if (kind < 0 || !traces)
        return;
    set->traces = traces;
    at = set->traces + set->n_traces++ * TRACE_BYTES;
    at[0] = (uint8_t)(kind | (trace->is_old ? TRACE_OLD : 0));
    at[1] = trace->content;
    at[2] = trace->next;
    at[3] = trace->previous;
    pool->blocks[place->block / 64] |= UINT64_C(1) << place->block % 64;
    pool->n_objects++;
    set->count++;
}

static int pool_compare(const void *left, const void *right)
{
    const struct set_pool *a = left, *b = right;

    return (a->address > b->address) - (a->address < b->address);
}

static int far_compare(const void *left, const void *right)
{
    const struct set_far *a = left, *b = right;

    return (a->address > b->address) - (a->address < b->address);
}

void object_set_end(struct object_set *set)
{
    if (set->n_pools)
        qsort(set->pools, set->n_pools, sizeof(*set->pools), pool_compare);
    if (set->n_far)
        qsort(set->far, set->n_far, sizeof(*set->far), far_compare);
}

static bool find_far(const struct object_set *set, uint64_t address,
                     struct object_trace *trace)
{
    const struct set_far key = {.address = address};
    const struct set_far *found =
        set->n_far ? bsearch(&key, set->far, set->n_far, sizeof(key), far_compare) : NULL;

    if (found)
        *trace = found->trace;
    return found != NULL;
}

/* How many objects of the pool lie before the block. */
static uint32_t rank(const struct set_pool *pool, uint32_t block)
{
    uint64_t below = (UINT64_C(1) << block % 64) - 1;
    uint32_t count = (uint32_t)__builtin_popcountll(pool->blocks[block / 64] & below);

    for (uint32_t i = 0; i < block / 64; i++)
        count += (uint32_t)__builtin_popcountll(pool->blocks[i]);
    return count;
}

bool object_set_find(const struct object_set *set, const struct object_place *place,
                     struct object_trace *trace)
{
    const struct set_pool key = {.address = place->pool};
    const struct set_pool *pool;
    const uint8_t *at;

    if (!place->pool)
        return find_far(set, place->address, trace);
    pool = set->n_pools
               ? bsearch(&key, set->pools, set->n_pools, sizeof(key), pool_compare)
               : NULL;
    if (!pool || place->block >= OBJECT_SET_WORDS * 64 ||
        !(pool->blocks[place->block / 64] >> place->block % 64 & 1))
        return false;
    at = set->traces +
         (size_t)(pool->first_trace + rank(pool, place->block)) * TRACE_BYTES;
    *trace = (struct object_trace){
        .kind = set->kinds[pool->first_kind + (at[0] & ~TRACE_OLD & 0xff)],
        .content = at[1],
        .next = at[2],
        .previous = at[3],
        .is_old = at[0] & TRACE_OLD,
    };
    return true;
}

void object_set_count(const struct object_set *set, uint32_t *counts, size_t n)
{
    for (size_t i = 0; i < set->n_pools; i++) {
        const struct set_pool *pool = &set->pools[i];

        for (uint32_t k = 0; k < pool->n_objects; k++) {
            const uint8_t *at =
                set->traces + (size_t)(pool->first_trace + k) * TRACE_BYTES;
            uint32_t kind = set->kinds[pool->first_kind + (at[0] & ~TRACE_OLD & 0xff)];

            if (kind < n)
                counts[kind]++;
        }
    }
    for (size_t i = 0; i < set->n_far; i++)
        if (set->far[i].trace.kind < n)
            counts[set->far[i].trace.kind]++;
}

void object_set_release(struct object_set *set)
{
    free(set->pools);
    free(set->far);
    free(set->traces);
    free(set->kinds);
    memset(set, 0, sizeof(*set));
}
