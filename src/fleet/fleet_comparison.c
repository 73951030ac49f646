#include "fleet/fleet_comparison.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "source/sharing.h"
#include "target/target.h"
#include "util/clock.h"
#include "util/thread.h"
#include "util/xalloc.h"

#define STUCK_NS      (30 * NS_PER_S)
#define LEAVE_LIMIT_S 2
#define NICE          10 /* nobody waits for it */

struct comparison_turn {
    struct target *worker, *parent;
    enum has_collected has_collected;
    struct sharing sharing;
    struct err err;
    int result, over_fd;
    bool is_unwanted; /* atomic */
    int64_t began_mono_ns;
    pthread_t thread;
};

static void *comparison_main(void *given)
{
    struct comparison_turn *turn = given;
    const uint64_t one = 1;

    setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), NICE);
    turn->result = sharing_compare(turn->worker, turn->parent, turn->has_collected,
                                   &turn->is_unwanted, &turn->sharing, &turn->err);
    if (write(turn->over_fd, &one, sizeof(one)) < 0)
        return NULL;
    return NULL;
}

static void comparison_free(struct comparison_turn *turn)
{
    if (turn->worker)
        target_close(turn->worker);
    if (turn->parent)
        target_close(turn->parent);
    if (turn->over_fd >= 0)
        close(turn->over_fd);
    free(turn);
}

static int open_same(const struct fleet_row *row, struct target **target, struct err *err)
{
    if (target_open(row->pid, target, err))
        return -1;
    if ((*target)->start_ticks == row->start_ticks)
        return 0;
    return err_set(err, ERR_GONE, "process %d has ended", (int)row->pid);
}

static const struct gc_section *collector_of(const struct member *member)
{
    const struct snapshot *latest =
        member->history ? history_latest(member->history) : NULL;

    return latest ? latest->gc : NULL;
}

int comparison_begin(const struct member *worker, const struct member *parent,
                     struct comparison_turn **comparison, struct err *err)
{
    struct comparison_turn *turn = xcalloc(1, sizeof(*turn));
    int error_number;

    turn->began_mono_ns = clock_monotonic_ns();
    turn->over_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    turn->has_collected =
        sharing_has_collected(collector_of(worker), collector_of(parent));
    if (open_same(&worker->row, &turn->worker, err) ||
        open_same(&parent->row, &turn->parent, err)) {
        comparison_free(turn);
        return -1;
    }
    error_number =
        turn->over_fd < 0 ? errno : thread_begin(&turn->thread, comparison_main, turn);
    if (error_number) {
        comparison_free(turn);
        return err_set_errno(err, ERR_FAILED, error_number,
                             "cannot start the comparison of pages");
    }
    *comparison = turn;
    return 0;
}

int comparison_fd(const struct comparison_turn *comparison)
{
    return comparison->over_fd;
}

bool comparison_take(struct comparison_turn *comparison, struct sharing *sharing,
                     struct err *err)
{
    uint64_t count;

    *sharing = (struct sharing){.wall_ns = 0};
    if (read(comparison->over_fd, &count, sizeof(count)) < 0) {
        if (clock_monotonic_ns() - comparison->began_mono_ns < STUCK_NS)
            return false;
        comparison_give_up(comparison);
        err_set(err, ERR_FAILED, "its pages do not answer");
        return true;
    }
    pthread_join(comparison->thread, NULL);
    *sharing = comparison->sharing;
    if (comparison->result)
        *err = comparison->err;
    comparison_free(comparison);
    return true;
}

void comparison_give_up(struct comparison_turn *comparison)
{
    if (!comparison)
        return;
    __atomic_store_n(&comparison->is_unwanted, true, __ATOMIC_RELAXED);
    if (thread_join_within(comparison->thread, LEAVE_LIMIT_S))
        comparison_free(comparison);
}
