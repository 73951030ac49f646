#include "source/objects_walk.h"

#include "util/clock.h"

/*
 * Who does what. The first worker follows what is known of the collector's lists, and
 * goes through malloc's chunks, while the others take arenas. Whoever is done there helps
 * on the other side: the first worker takes arenas, too, and the others read the chunks
 * ahead of it. Links that the arenas show are followed at the end.
 */
#define SHARE_LEAST_BYTES (UINT64_C(16) << 20) /* of chunks, for threads of their own */

bool walk_is_shared(const struct walk *walk)
{
    return walk->method == WALK_BY_ARENAS && walk->n_workers > 1 && !walk->visit;
}

/* One step outside the arenas; false when nothing is left there. Chunks come before the
 * collector's lists: those are read object by object. */
static bool outside_step(struct walk *walk)
{
    bool has_chunks = walk->method != WALK_BY_LISTS && !walk->follow.is_wanted;

    if (walk->method == WALK_BY_ARENAS && has_chunks && walk_chunks_step(walk))
        return true;
    if (walk->stage == WALK_OUTSIDE && !walk->is_seeded) {
        walk->is_seeded = true;
        walk_large_seed(walk);
    }
    if (!walk_has_no_arenas(walk) && walk_large_step(walk))
        return true;
    if (walk->method == WALK_BY_MIMALLOC && walk_mimalloc_step(walk))
        return true;
    return has_chunks && walk_chunks_step(walk);
}

/* Nothing is left for later: an arena that is kept would have it. */
static bool outside(struct walk *walk, int64_t deadline_mono_ns)
{
    bool is_more;

    do
        is_more = outside_step(walk);
    while (is_more && (deadline_mono_ns <= 0 || clock_monotonic_ns() < deadline_mono_ns));
    walk->workers[0].window_bytes = 0;
    walk_later_flush(&walk->workers[0]);
    return is_more;
}

static void worker_share(struct walk_worker *worker, void *with)
{
    struct walk *walk = worker->walk;
    int64_t deadline_mono_ns = *(const int64_t *)with;

    if (worker->index == 0 && (walk->stage == WALK_OUTSIDE || walk_is_shared(walk)))
        walk->is_more_outside = outside(walk, deadline_mono_ns);
    if (walk->stage == WALK_ARENAS && !(worker->index == 0 && walk->is_more_outside))
        walk_worker_arenas(worker, deadline_mono_ns);
    if (worker->index == 0)
        walk_ahead_end(walk->ahead);
    else
        walk_ahead_help(walk->ahead, worker);
}

bool walk_share(struct walk *walk, int64_t deadline_mono_ns)
{
    walk_ahead_begin(walk->ahead);
    if (walk->stage == WALK_OUTSIDE && walk_chunks_left(walk) < SHARE_LEAST_BYTES)
        worker_share(&walk->workers[0], &deadline_mono_ns);
    else
        walk_parallel(walk, worker_share, &deadline_mono_ns);
    return walk->is_more_outside;
}
