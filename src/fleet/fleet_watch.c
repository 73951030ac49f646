#include "fleet/fleet_watch.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "model/fleet.h"
#include "util/clock.h"
#include "util/thread.h"
#include "util/xalloc.h"

#define LOOK_NS        (20 * NS_PER_MS) /* on average: uneven, for theirs may be even */
#define MEMBER_NS      (6 * NS_PER_MS)  /* for each member: so many looks cost the same */
#define SECONDS        60
#define LOOKS_LEAST    150
#define STALE_NS       (5 * NS_PER_S)
#define LEAVE_LIMIT_S  2
#define MILLI_PER_CENT 100000

struct looks {
    unsigned looks, hits;
};

struct watched {
    pid_t pid; /* 0: a free place */
    int mem_fd;
    struct raddr collecting;
    bool is_unwanted; /* the thread closes it */
    struct looks seconds[SECONDS];
};

struct watch {
    pthread_t thread;
    pthread_mutex_t lock; /* of all below; never held while a target is read */
    bool is_unwanted;
    int64_t looked_mono_ns, second; /* of the monotonic clock */
    struct watched members[FLEET_MEMBERS_MAX];
};

static void begin_second(struct watch *watch, int64_t second)
{
    for (int64_t at = watch->second + 1; at <= second && at <= watch->second + SECONDS;
         at++)
        for (size_t i = 0; i < FLEET_MEMBERS_MAX; i++)
            watch->members[i].seconds[at % SECONDS] = (struct looks){0, 0};
    watch->second = second;
}

/* Takes the unwanted away, and says where the collector's word of the others is. */
static void get_places(struct watch *watch, struct watched *places)
{
    for (size_t i = 0; i < FLEET_MEMBERS_MAX; i++) {
        struct watched *member = &watch->members[i];

        if (member->pid && member->is_unwanted) {
            close(member->mem_fd);
            *member = (struct watched){.pid = 0};
        }
        places[i].pid = member->pid;
        places[i].mem_fd = member->mem_fd;
        places[i].collecting = member->collecting;
    }
}

static void add_looks(struct watch *watch, const int32_t *found)
{
    int64_t now_ns = clock_monotonic_ns();

    begin_second(watch, now_ns / NS_PER_S);
    watch->looked_mono_ns = now_ns;
    for (size_t i = 0; i < FLEET_MEMBERS_MAX; i++) {
        struct looks *looks = &watch->members[i].seconds[watch->second % SECONDS];

        looks->looks += found[i] == 0 || found[i] == 1;
        looks->hits += found[i] == 1;
    }
}

/* How many were looked at. */
static size_t look(const struct watched *places, int32_t *found)
{
    size_t count = 0;

    for (size_t i = 0; i < FLEET_MEMBERS_MAX; i++) {
        count += places[i].pid != 0;
        if (!places[i].pid || pread(places[i].mem_fd, &found[i], sizeof(found[i]),
                                    (off_t)places[i].collecting.value) != sizeof(*found))
            found[i] = -1;
    }
    return count;
}

static struct timespec nap_after(size_t count, unsigned *seed)
{
    int64_t mean_ns = (int64_t)count * MEMBER_NS;

    if (mean_ns < LOOK_NS)
        mean_ns = LOOK_NS;
    return (struct timespec){.tv_nsec = mean_ns / 2 + rand_r(seed) % mean_ns};
}

static void *watch_main(void *given)
{
    struct watch *watch = given;
    struct watched *places = xcalloc(FLEET_MEMBERS_MAX, sizeof(*places));
    int32_t found[FLEET_MEMBERS_MAX];
    unsigned seed = 1;
    bool is_wanted = true;

    while (is_wanted) {
        struct timespec nap;

        pthread_mutex_lock(&watch->lock);
        get_places(watch, places);
        pthread_mutex_unlock(&watch->lock);
        nap = nap_after(look(places, found), &seed);
        pthread_mutex_lock(&watch->lock);
        add_looks(watch, found);
        is_wanted = !watch->is_unwanted;
        pthread_mutex_unlock(&watch->lock);
        nanosleep(&nap, NULL);
    }
    free(places);
    return NULL;
}

struct watch *watch_new(void)
{
    struct watch *watch = xcalloc(1, sizeof(*watch));

    pthread_mutex_init(&watch->lock, NULL);
    if (!thread_begin(&watch->thread, watch_main, watch))
        return watch;
    pthread_mutex_destroy(&watch->lock);
    free(watch);
    return NULL;
}

void watch_free(struct watch *watch)
{
    if (!watch)
        return;
    pthread_mutex_lock(&watch->lock);
    watch->is_unwanted = true;
    pthread_mutex_unlock(&watch->lock);
    if (!thread_join_within(watch->thread, LEAVE_LIMIT_S))
        return;
    for (size_t i = 0; i < FLEET_MEMBERS_MAX; i++)
        if (watch->members[i].pid)
            close(watch->members[i].mem_fd);
    pthread_mutex_destroy(&watch->lock);
    free(watch);
}

static struct watched *find(struct watch *watch, pid_t pid)
{
    for (size_t i = 0; i < FLEET_MEMBERS_MAX; i++)
        if (watch->members[i].pid == pid && !watch->members[i].is_unwanted)
            return &watch->members[i];
    return NULL;
}

void watch_add(struct watch *watch, pid_t pid, int mem_fd, struct raddr collecting)
{
    struct watched *place;

    watch_remove(watch, pid);
    pthread_mutex_lock(&watch->lock);
    place = find(watch, 0);
    if (place)
        *place = (struct watched){.pid = pid, .mem_fd = mem_fd, .collecting = collecting};
    pthread_mutex_unlock(&watch->lock);
    if (!place)
        close(mem_fd);
}

void watch_remove(struct watch *watch, pid_t pid)
{
    struct watched *member;

    pthread_mutex_lock(&watch->lock);
    member = find(watch, pid);
    if (member)
        member->is_unwanted = true;
    pthread_mutex_unlock(&watch->lock);
}

struct reading watch_share(struct watch *watch, pid_t pid)
{
    struct looks sum = {0, 0};
    const struct watched *member;
    bool is_stale;

    pthread_mutex_lock(&watch->lock);
    member = find(watch, pid);
    is_stale = clock_monotonic_ns() - watch->looked_mono_ns > STALE_NS;
    for (size_t i = 0; member && i < SECONDS; i++) {
        sum.looks += member->seconds[i].looks;
        sum.hits += member->seconds[i].hits;
    }
    pthread_mutex_unlock(&watch->lock);
    if (is_stale || sum.looks < LOOKS_LEAST)
        return reading_unknown();
    return (struct reading){(int64_t)sum.hits * MILLI_PER_CENT / sum.looks,
                            READING_ESTIMATE};
}
