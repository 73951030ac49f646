#include "attach_times.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "attach/faultpoint.h"
#include "util/clock.h"
#include "util/xalloc.h"

struct moment {
    int64_t wall_ns, cpu_ns; /* 0: did not come */
    int64_t pages;
};

/* Of one round; shared with the injector. */
struct round {
    int64_t last_wall_ns;
    struct moment moments[FAULTPOINT_COUNT];
};

static struct round *now;
static struct round *done;
static long n_done, n_max;
/* Of this process alone: heaptop's and the injector's moments come in turns. */
static pid_t owner;
static int64_t last_cpu_ns, last_pages;

static int64_t cpu_ns(void)
{
    struct timespec time;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return time.tv_sec * NS_PER_S + time.tv_nsec;
}

static int64_t pages(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_minflt;
}

/* What a forked process has used before its first moment is all that it has used. */
static void begin_if_forked(void)
{
    if (owner != getpid())
        last_cpu_ns = last_pages = 0;
}

static void keep_now(void)
{
    owner = getpid();
    last_cpu_ns = cpu_ns();
    last_pages = pages();
    now->last_wall_ns = clock_monotonic_ns();
}

static void reach(enum faultpoint point)
{
    struct moment *moment = &now->moments[point];

    moment->wall_ns = clock_monotonic_ns() - now->last_wall_ns;
    begin_if_forked();
    moment->cpu_ns = cpu_ns() - last_cpu_ns;
    moment->pages = pages() - last_pages;
    keep_now();
}

void attach_times_arm(long rounds)
{
    now = mmap(NULL, sizeof(*now), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
               0);
    if (now == MAP_FAILED) {
        now = NULL;
        return;
    }
    done = xcalloc((size_t)rounds, sizeof(*done));
    n_max = rounds;
    faultpoint_hook = reach;
}

void attach_times_begin(void)
{
    if (!now)
        return;
    memset(now, 0, sizeof(*now));
    keep_now();
}

void attach_times_end(void)
{
    if (now && n_done < n_max)
        done[n_done++] = *now;
}

static int compare(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static json_t *moment_json(enum faultpoint point, int64_t *wall, int64_t *cpu,
                           int64_t *touched)
{
    long n = 0;

    for (long i = 0; i < n_done; i++) {
        if (!done[i].moments[point].wall_ns)
            continue;
        wall[n] = done[i].moments[point].wall_ns;
        cpu[n] = done[i].moments[point].cpu_ns;
        touched[n++] = done[i].moments[point].pages;
    }
    if (!n)
        return NULL;
    qsort(wall, (size_t)n, sizeof(wall[0]), compare);
    qsort(cpu, (size_t)n, sizeof(cpu[0]), compare);
    qsort(touched, (size_t)n, sizeof(touched[0]), compare);
    return json_pack("[s, I, I, I, I]", faultpoint_name(point), (json_int_t)wall[n / 2],
                     (json_int_t)cpu[n / 2], (json_int_t)wall[n - 1],
                     (json_int_t)touched[n / 2]);
}

json_t *attach_times_json(void)
{
    int64_t *wall, *cpu, *touched;
    json_t *rows;

    if (!now || !n_done)
        return NULL;
    rows = json_array();
    wall = xcalloc((size_t)n_done, sizeof(*wall));
    cpu = xcalloc((size_t)n_done, sizeof(*cpu));
    touched = xcalloc((size_t)n_done, sizeof(*touched));
    for (int i = 0; i < FAULTPOINT_COUNT; i++) {
        json_t *row = moment_json((enum faultpoint)i, wall, cpu, touched);

        if (row)
            json_array_append_new(rows, row);
    }
    free(wall);
    free(cpu);
    free(touched);
    return rows;
}
