#include "source/objects_walk.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/window.h"
#include "util/xalloc.h"

/*
 * The workers of a walk. The first is the thread that steps the walk; helpers live
 * inside one walk_parallel(), so that nothing of them is left between two slices.
 */
#define ITEMS_FOR_HELPERS 20000 /* fewer are done before a thread has begun */
#define HELPER_NICE       5     /* a helper takes what others leave */

static int worker_begin(struct walk_worker *worker, struct walk *walk, uint32_t index,
                        int pagemap_fd)
{
    worker->walk = walk;
    worker->index = index;
    pagemap_init(&worker->pagemap, pagemap_fd);
    worker->window_bytes = 0;
    worker->has_absent = false;
    worker->last_link = 0;
    worker->plain_dict = NULL;
    memset(&worker->finder, 0, sizeof(worker->finder));
    memset(&worker->counts, 0, sizeof(worker->counts));
    if (worker->tallies)
        memset(worker->tallies, 0, worker->n_tallies * sizeof(*worker->tallies));
    edges_release(&worker->edges);
    if (!worker->later)
        worker->later = xcalloc(1, sizeof(*worker->later));
    worker->later->count = 0;
    memset(worker->later->memory, 0, sizeof(worker->later->memory));
    if (!index && !worker->window)
        worker->window = window_take(walk->window_capacity);
    if (!worker->pad)
        worker->pad = calloc(1, sizeof(*worker->pad));
    return (index || worker->window) && worker->pad ? 0 : -1;
}

int walk_workers_begin(struct walk *walk, struct err *err)
{
    for (uint32_t i = 0; i < walk->n_workers; i++) {
        if (worker_begin(&walk->workers[i], walk, i, walk->workers[0].pagemap.fd))
            return err_set(err, ERR_FAILED, "out of memory for the window of the walk");
    }
    if (walk->n_workers > 1 && !walk->ahead)
        walk->ahead = walk_ahead_open(walk->window_capacity);
    walk_ahead_forget(walk->ahead);
    return 0;
}

void walk_windows_give(struct walk *walk)
{
    walk_ahead_rest(walk->ahead);
    for (size_t i = 0; i < WALK_WORKERS_MAX; i++) {
        window_give(walk->workers[i].window, walk->window_capacity);
        walk->workers[i].window = NULL;
        walk->workers[i].window_bytes = 0;
    }
}

void walk_workers_release(struct walk *walk)
{
    walk_windows_give(walk);
    for (size_t i = 0; i < WALK_WORKERS_MAX; i++) {
        struct walk_worker *worker = &walk->workers[i];

        edges_release(&worker->edges);
        free(worker->tallies);
        walk_found_release_worker(worker);
        free(worker->later);
        free(worker->pad);
        memset(worker, 0, sizeof(*worker));
    }
}

void walk_tallies_grow(struct walk_worker *worker, uint32_t id)
{
    size_t wanted = (size_t)id + 256;

    worker->tallies = xreallocarray(worker->tallies, wanted, sizeof(*worker->tallies));
    memset(worker->tallies + worker->n_tallies, 0,
           (wanted - worker->n_tallies) * sizeof(*worker->tallies));
    worker->n_tallies = wanted;
    if (!worker->capture.is_on || wanted <= worker->capture.n_seen)
        return;
    worker->capture.seen = xreallocarray(worker->capture.seen, wanted, 1);
    memset(worker->capture.seen + worker->capture.n_seen, 0,
           wanted - worker->capture.n_seen);
    worker->capture.n_seen = wanted;
}

/* A tally is nothing but sums. */
void walk_tally_add(struct tally *to, const struct tally *from)
{
    uint64_t *sums = (uint64_t *)to;
    const uint64_t *more = (const uint64_t *)from;

    _Static_assert(sizeof(struct tally) % sizeof(uint64_t) == 0, "sums only");
    for (size_t i = 0; i < sizeof(*to) / sizeof(*sums); i++)
        sums[i] += more[i];
}

void walk_counts_add(struct walk_counts *to, const struct walk_counts *from)
{
    to->absent_bytes += from->absent_bytes;
    to->absent_pools += from->absent_pools;
    to->absent_chunks += from->absent_chunks;
    to->used_pools += from->used_pools;
    to->torn_pools += from->torn_pools;
    to->healed_pools += from->healed_pools;
    to->used_blocks += from->used_blocks;
    to->used_bytes += from->used_bytes;
    to->freelist_objects += from->freelist_objects;
    to->freelist_bytes += from->freelist_bytes;
    to->arenas_gone += from->arenas_gone;
    to->is_cut |= from->is_cut;
}

void walk_workers_merge(struct walk *walk)
{
    struct walk_worker *first = &walk->workers[0];

    for (size_t w = 1; w < walk->n_workers; w++) {
        struct walk_worker *worker = &walk->workers[w];

        if (worker->n_tallies > first->n_tallies)
            walk_tallies_grow(first, (uint32_t)worker->n_tallies);
        for (size_t i = 0; i < worker->n_tallies; i++)
            walk_tally_add(&first->tallies[i], &worker->tallies[i]);
        walk_counts_add(&first->counts, &worker->counts);
        first->edges.is_full |= worker->edges.is_full;
        if (worker->n_tallies > 0) /* one that has met no object has no tallies */
            memset(worker->tallies, 0, worker->n_tallies * sizeof(*worker->tallies));
        memset(&worker->counts, 0, sizeof(worker->counts));
    }
}

struct parallel {
    struct walk_worker *worker;
    void (*work)(struct walk_worker *worker, void *with);
    void *with;
    int64_t cpu_ns;
    pthread_t thread;
    bool is_running;
};

static void *helper_main(void *given)
{
    struct parallel *parallel = given;

    setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), HELPER_NICE);
    parallel->work(parallel->worker, parallel->with);
    parallel->cpu_ns = clock_thread_cpu_ns();
    return NULL;
}

void walk_parallel_over(struct walk *walk, size_t items,
                        void (*work)(struct walk_worker *worker, void *with), void *with)
{
    if (items >= ITEMS_FOR_HELPERS) {
        walk_parallel(walk, work, with);
        return;
    }
    for (size_t i = 0; i < walk->n_workers; i++)
        work(&walk->workers[i], with);
}

void walk_parallel(struct walk *walk,
                   void (*work)(struct walk_worker *worker, void *with), void *with)
{
    struct parallel helpers[WALK_WORKERS_MAX] = {{0}};
    int64_t helpers_before_ns = walk->helpers_cpu_ns, own_ns;

    for (size_t i = 1; i < walk->n_workers; i++) {
        helpers[i] =
            (struct parallel){.worker = &walk->workers[i], .work = work, .with = with};
        helpers[i].is_running =
            !pthread_create(&helpers[i].thread, NULL, helper_main, &helpers[i]);
    }
    own_ns = clock_thread_cpu_ns();
    work(&walk->workers[0], with);
    own_ns = clock_thread_cpu_ns() - own_ns;
    for (size_t i = 1; i < walk->n_workers; i++) {
        if (helpers[i].is_running)
            pthread_join(helpers[i].thread, NULL);
        else
            work(&walk->workers[i], with);
        walk->facts.cpu_ns += helpers[i].cpu_ns;
        walk->helpers_cpu_ns += helpers[i].cpu_ns;
    }
    walk->shared_cpu_ns += own_ns + walk->helpers_cpu_ns - helpers_before_ns;
}
