#include "sampler/sampler_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/thread.h"
#include "util/xalloc.h"

#define STUCK_SEEN   20        /* askings, at least half a second from one to the next */
#define STUCK_CPU_NS NS_PER_MS /* that a thread which waits for a page does not use */
/* The agent is given a few seconds to leave, and a walk ends its slice. */
#define LEAVE_LIMIT_S 15

static void sampler_signal(int fd)
{
    const uint64_t one = 1;

    /* EAGAIN means that the counter is full, and then the reader is awake. */
    if (write(fd, &one, sizeof(one)) < 0)
        return;
}

static void sampler_drain(int fd)
{
    uint64_t count;

    if (read(fd, &count, sizeof(count)) < 0)
        return;
}

/*
 * A reader that does not read (a stopped terminal) must not fill the memory:
 * beyond the limit the oldest snapshot goes, other messages stay.
 */
static void sampler_drop_oldest(struct sampler *sampler)
{
    struct message_node **link = &sampler->first, *node, *before = NULL;

    while (*link && (*link)->message.type != SAMPLER_SNAPSHOT) {
        before = *link;
        link = &(*link)->next;
    }
    node = *link;
    if (!node)
        return;
    *link = node->next;
    if (sampler->last == node)
        sampler->last = before;
    sampler->n_messages--;
    snapshot_unref(node->message.snapshot);
    free(node);
}

void sampler_send(struct sampler *sampler, const struct sampler_message *message)
{
    struct message_node *node = xcalloc(1, sizeof(*node));

    node->message = *message;
    pthread_mutex_lock(&sampler->lock);
    if (sampler->n_messages >= SAMPLER_MESSAGES_MAX)
        sampler_drop_oldest(sampler);
    if (sampler->last)
        sampler->last->next = node;
    else
        sampler->first = node;
    sampler->last = node;
    sampler->n_messages++;
    if (message->type == SAMPLER_ACTION_RESULT) {
        sampler->is_action_pending = false;
        sampler->action_began_mono_ns = 0;
    }
    if (message->type == SAMPLER_ENDED || message->type == SAMPLER_FAILED)
        sampler->is_over = true;
    pthread_mutex_unlock(&sampler->lock);
    sampler_signal(sampler->message_fd);
}

void sampler_fail(struct sampler *sampler, const struct err *err)
{
    struct sampler_message message = {.type = SAMPLER_FAILED, .err = *err};

    sampler->is_failed = true;
    sampler_send(sampler, &message);
}

void sampler_wake(struct sampler *sampler)
{
    sampler_signal(sampler->wish_fd);
}

struct sampler_wish sampler_take_wish(struct sampler *sampler)
{
    static const struct sampler_wish none;
    struct sampler_wish wish;

    sampler_drain(sampler->wish_fd);
    pthread_mutex_lock(&sampler->lock);
    wish = sampler->wish;
    sampler->wish = none;
    pthread_mutex_unlock(&sampler->lock);
    return wish;
}

static void sampler_free(struct sampler *sampler)
{
    while (sampler->first) {
        struct message_node *node = sampler->first;

        sampler->first = node->next;
        snapshot_unref(node->message.snapshot);
        inspection_free(node->message.inspection);
        answer_free(node->message.answer);
        free(node);
    }
    free(sampler->wish.handed);
    snapshot_unref(sampler->latest);
    objects_unref(sampler->walk.latest);
    snapshot_unref(sampler->walk.account);
    pins_unref(sampler->walk.pins);
    object_sets_release(&sampler->object_sets);
    if (sampler->wish_fd >= 0)
        close(sampler->wish_fd);
    if (sampler->message_fd >= 0)
        close(sampler->message_fd);
    if (sampler->state_fd >= 0)
        close(sampler->state_fd);
    pthread_mutex_destroy(&sampler->lock);
    free(sampler->cheap);
    free(sampler);
}

int sampler_start(struct target *target, const struct sampler_options *options,
                  struct sampler **sampler, struct err *err)
{
    struct sampler *new = xcalloc(1, sizeof(*new));
    int error_number;

    new->options = *options;
    new->seq = options->seq_before;
    new->target = target;
    pthread_mutex_init(&new->lock, NULL);
    new->state_fd = -1;
    new->wish_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    new->message_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    error_number = new->wish_fd < 0 || new->message_fd < 0 ? errno : 0;
    if (!error_number)
        error_number = thread_begin(&new->thread, sampler_thread, new);
    if (error_number) {
        sampler_free(new);
        target_close(target);
        return err_set_errno(err, ERR_FAILED, error_number, "cannot start the sampler");
    }
    *sampler = new;
    return 0;
}

int64_t sampler_cpu_ns(const struct sampler *sampler)
{
    return thread_cpu_ns(sampler->thread);
}

int sampler_fd(const struct sampler *sampler)
{
    return sampler->message_fd;
}

bool sampler_next(struct sampler *sampler, struct sampler_message *message)
{
    struct message_node *node;

    pthread_mutex_lock(&sampler->lock);
    node = sampler->first;
    if (node) {
        sampler->first = node->next;
        sampler->n_messages--;
    }
    if (!sampler->first) {
        sampler->last = NULL;
        sampler_drain(sampler->message_fd);
    }
    pthread_mutex_unlock(&sampler->lock);
    if (!node)
        return false;
    *message = node->message;
    free(node);
    return true;
}

void sampler_set_interval(struct sampler *sampler, int64_t interval_ns)
{
    pthread_mutex_lock(&sampler->lock);
    sampler->wish.has_interval = true;
    sampler->wish.interval_ns = interval_ns;
    pthread_mutex_unlock(&sampler->lock);
    sampler_wake(sampler);
}

void sampler_sample_now(struct sampler *sampler, bool walk)
{
    pthread_mutex_lock(&sampler->lock);
    sampler->wish.sample = true;
    sampler->wish.walk = sampler->wish.walk || walk;
    pthread_mutex_unlock(&sampler->lock);
    sampler_wake(sampler);
}

void sampler_use_plugin(struct sampler *sampler, size_t index)
{
    pthread_mutex_lock(&sampler->lock);
    sampler->wish.plugin = index + 1;
    pthread_mutex_unlock(&sampler->lock);
    sampler_wake(sampler);
}

void sampler_hand(struct sampler *sampler, char *json)
{
    char *before;

    pthread_mutex_lock(&sampler->lock);
    before = sampler->wish.handed;
    sampler->wish.handed = json;
    sampler->wish.n_unseen += before != NULL;
    pthread_mutex_unlock(&sampler->lock);
    free(before);
    sampler_wake(sampler);
}

void sampler_walk_in_turn(struct sampler *sampler)
{
    pthread_mutex_lock(&sampler->lock);
    sampler->wish.turn = true;
    pthread_mutex_unlock(&sampler->lock);
    sampler_wake(sampler);
}

void sampler_load_agent(struct sampler *sampler)
{
    pthread_mutex_lock(&sampler->lock);
    sampler->wish.agent = true;
    pthread_mutex_unlock(&sampler->lock);
    sampler_signal(sampler->wish_fd);
}

int sampler_run_action(struct sampler *sampler, const struct action_ops *action,
                       const struct action_arguments *arguments, struct err *err)
{
    bool is_pending, is_over;

    if (sampler->options.read_only) {
        err_set(err, ERR_USAGE, "heaptop was started with --read-only");
        return err_remedy(err, "start it without --read-only to run actions");
    }
    pthread_mutex_lock(&sampler->lock);
    is_pending = sampler->is_action_pending;
    is_over = sampler->is_over;
    if (!is_pending && !is_over) {
        sampler->wish.action = action;
        sampler->wish.arguments = *arguments;
        sampler->is_action_pending = true;
    }
    pthread_mutex_unlock(&sampler->lock);
    if (is_over)
        return err_set(err, ERR_GONE, "the target has ended");
    if (is_pending) {
        err_set(err, ERR_FAILED, "an action is running already");
        return err_remedy(err, "wait for its result");
    }
    sampler_wake(sampler);
    return 0;
}

int64_t sampler_action_began_ns(struct sampler *sampler)
{
    int64_t began_ns;

    pthread_mutex_lock(&sampler->lock);
    began_ns = sampler->action_began_mono_ns;
    pthread_mutex_unlock(&sampler->lock);
    return began_ns;
}

bool sampler_hold_actions(struct sampler *sampler)
{
    bool is_under_way;

    pthread_mutex_lock(&sampler->lock);
    sampler->holds_actions = true;
    is_under_way = sampler->action_began_mono_ns != 0;
    pthread_mutex_unlock(&sampler->lock);
    return is_under_way;
}

bool sampler_collecting(struct sampler *sampler, struct raddr *address, int *mem_fd)
{
    pthread_mutex_lock(&sampler->lock);
    *address = sampler->collecting;
    pthread_mutex_unlock(&sampler->lock);
    *mem_fd = -1;
    if (!raddr_is_null(*address) && sampler->target->fds.mem >= 0)
        *mem_fd = fcntl(sampler->target->fds.mem, F_DUPFD_CLOEXEC, 0);
    return *mem_fd >= 0;
}

/* Is the thread at work, or does it wait for a processor? A page that is not served takes
 * no processor time, and a thread that gets none has no other reason to stand still. */
static bool sampler_is_moving(struct sampler *sampler)
{
    int64_t cpu_ns = sampler_cpu_ns(sampler);
    bool has_run = cpu_ns - sampler->seen_cpu_ns >= STUCK_CPU_NS;

    sampler->seen_cpu_ns = cpu_ns;
    return has_run || !thread_is_blocked(atomic_load(&sampler->state_fd));
}

bool sampler_is_stuck(struct sampler *sampler, struct err *err)
{
    unsigned turn = atomic_load(&sampler->turn);
    int64_t now_ns = clock_monotonic_ns();

    if (turn != sampler->seen_turn || turn % 2 == 0) {
        sampler->seen_turn = turn;
        sampler->n_seen = 0;
        sampler->seen_mono_ns = now_ns;
        return false;
    }
    if (now_ns - sampler->seen_mono_ns >= NS_PER_S / 2) {
        sampler->n_seen = sampler_is_moving(sampler) ? 0 : sampler->n_seen + 1;
        sampler->seen_mono_ns = now_ns;
    }
    if (sampler->n_seen < STUCK_SEEN)
        return false;
    err_set(err, ERR_FAILED,
            "the target's memory does not answer: a page that is read is "
            "served by the target itself or by a file system");
    err_remedy(err, "nothing more can be read from it; the target was not stopped");
    return true;
}

/* Waits for the thread; false when it is stuck, and then it goes with the process. */
static bool sampler_join(struct sampler *sampler)
{
    return sampler->n_seen < STUCK_SEEN &&
           thread_join_within(sampler->thread, LEAVE_LIMIT_S);
}

int sampler_stop(struct sampler *sampler, struct err *err)
{
    struct err close_err;

    pthread_mutex_lock(&sampler->lock);
    sampler->wish.stop = true;
    pthread_mutex_unlock(&sampler->lock);
    sampler_wake(sampler);
    if (!sampler_join(sampler))
        return err_set(err, ERR_FAILED,
                       "a read of the target's memory is still waiting; it ends with "
                       "heaptop");
    close_err = sampler->close_err;
    sampler_free(sampler);
    if (close_err.code == ERR_NONE)
        return 0;
    *err = close_err;
    return -1;
}
