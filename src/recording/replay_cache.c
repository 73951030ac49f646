#include "recording/replay_cache.h"

#include <stdlib.h>

#include "util/xalloc.h"

#define SNAPSHOTS  64 /* a jump needs up to 32, one to an earlier time up to 16 others */
#define POINT_BITS 13 /* and up to 2048 points */

struct cached_snapshot {
    const struct snapshot *snapshot; /* a reference; NULL: the place is free */
    size_t at;
    uint64_t turn; /* in which it was asked for last */
};

struct cached_point {
    size_t at_plus_1; /* 0: the place is free */
    struct history_point point;
};

struct replay_cache {
    struct cached_snapshot snapshots[SNAPSHOTS];
    struct cached_point points[1 << POINT_BITS];
    uint64_t turn;
};

struct replay_cache *replay_cache_new(void)
{
    return xcalloc(1, sizeof(struct replay_cache));
}

void replay_cache_free(struct replay_cache *cache)
{
    if (!cache)
        return;
    for (size_t i = 0; i < SNAPSHOTS; i++)
        snapshot_unref(cache->snapshots[i].snapshot);
    free(cache);
}

/* The sample's place, else that of the one that was not asked for the longest. */
static struct cached_snapshot *place_of(struct replay_cache *cache, size_t at)
{
    struct cached_snapshot *oldest = &cache->snapshots[0];

    for (size_t i = 0; i < SNAPSHOTS; i++) {
        struct cached_snapshot *place = &cache->snapshots[i];

        if (place->snapshot && place->at == at)
            return place;
        if (place->turn < oldest->turn)
            oldest = place;
    }
    return oldest;
}

const struct snapshot *replay_cache_snapshot(struct replay_cache *cache,
                                             struct recording *recording, size_t at)
{
    struct cached_snapshot *place = place_of(cache, at);
    struct err err = ERR_INIT;

    place->turn = ++cache->turn;
    if (place->snapshot && place->at == at)
        return place->snapshot;
    snapshot_unref(place->snapshot);
    place->snapshot = recording_snapshot(recording, at, &err);
    place->at = at;
    return place->snapshot;
}

/* Neighbours come to places far apart: those asked for are powers of two apart. */
static struct cached_point *point_place(struct replay_cache *cache, size_t at)
{
    uint64_t spread = (at + 1) * UINT64_C(0x9e3779b97f4a7c15);

    return &cache->points[spread >> (64 - POINT_BITS)];
}

const struct history_point *replay_cache_point(struct replay_cache *cache,
                                               struct recording *recording, size_t at)
{
    struct cached_point *place = point_place(cache, at);

    if (place->at_plus_1 == at + 1)
        return &place->point;
    place->at_plus_1 = 0;
    if (recording_point(recording, at, &place->point))
        return NULL;
    place->at_plus_1 = at + 1;
    return &place->point;
}
