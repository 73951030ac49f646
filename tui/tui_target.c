#include "tui/tui_private.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "heaptop/units.h"
#include "model/born.h"
#include "model/cause.h"
#include "target/target.h"
#include "util/clock.h"

#define PATIENCE_NS (300 * NS_PER_MS) /* leaving in silence; then it is shown */

/* Makes history and screen, and sets what the command line asked for. */
int tui_prepare_view(struct tui *tui, struct err *err)
{
    const struct tui_options *options = tui->options;

    if (options->read && tui_start_replay(tui, err))
        return -1;
    if (options->is_tree)
        return tui_open_fleet(tui, err);
    if (!options->pid && !options->read)
        return 0;
    if (!options->read)
        tui->history = history_new();
    tui->screen = screen_new(tui->history);
    if (options->pane && !screen_show_pane(tui->screen, options->pane)) {
        err_set(err, ERR_USAGE, "there is no pane \"%.80s\"", options->pane);
        return err_remedy(err, "the manual lists them: types, sizes, gc, ...");
    }
    if (options->sort && !screen_sort_by(tui->screen, options->sort)) {
        err_set(err, ERR_USAGE, "there is no column \"%.80s\" to sort by", options->sort);
        return err_remedy(err, "-s help lists the columns");
    }
    if (options->filter)
        screen_set_filter(tui->screen, options->filter);
    return 0;
}

/* Keeps the target, also when it fails. */
int tui_start_target(struct tui *tui, struct target *target, struct err *err)
{
    struct sampler_options wanted = tui->options->sampler;

    wanted.interval_ns = tui->interval_ns;
    if (!tui->screen) {
        tui->history = history_new();
        tui->screen = screen_new(tui->history);
    }
    if (history_latest(tui->history))
        wanted.seq_before = history_latest(tui->history)->seq;
    tui->is_ended = tui->is_failed = tui->is_looking = tui->has_executed = false;
    tui->seen_arena = 0;
    tui->asked = tui->remembering = (struct inquiry){0};
    tui_forget_action(tui);
    memset(&tui->action, 0, sizeof(tui->action));
    if (sampler_start(target, &wanted, &tui->sampler, err) < 0) {
        tui->sampler = NULL;
        return -1;
    }
    screen_use_mouse(tui->screen, term_uses_mouse(tui->term));
    screen_show_values(tui->screen, tui->options->shows_values);
    screen_allow_actions(tui->screen, false);
    return 0;
}

void tui_forget_target(struct tui *tui)
{
    screen_free(tui->screen);
    if (tui->lent_pid)
        fleet_take_back(tui->fleet, tui->lent_pid);
    else
        history_free(tui->history);
    feed_release(&tui->feed);
    tui->lent_pid = 0;
    tui->screen = NULL;
    tui->history = NULL;
}

struct leaving {
    struct sampler *sampler;
    struct err err;
    int result;
};

static void *leave(void *argument)
{
    struct leaving *leaving = argument;

    leaving->result = sampler_stop(leaving->sampler, &leaving->err);
    return NULL;
}

static void show_leaving(struct tui *tui)
{
    struct canvas *canvas = &tui->canvas;
    int y = canvas->height - 1;

    canvas_fill(canvas, (struct rect){y, 0, 1, canvas->width}, ROLE_NORMAL);
    canvas_text(canvas, y, 0, canvas->width, ROLE_WARNING,
                "leaving... the agent is taken out of the target");
    term_show(tui->term, canvas);
}

/* Waits in the main thread, but can say so meanwhile. Signals stay with the main
 * thread: the second one ends the wait the hard way. */
static int start_leaving(struct leaving *leaving, pthread_t *thread)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
    sigset_t all, before;

    sigfillset(&all);
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
        sigdelset(&all, faults[i]);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error_number = pthread_create(thread, NULL, leave, leaving);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error_number;
}

int tui_stop_target(struct tui *tui, struct err *err)
{
    struct leaving leaving = {tui->sampler, ERR_INIT, 0};
    struct timespec until;
    pthread_t thread;

    if (!tui->sampler)
        return 0;
    tui->sampler = NULL;
    if (start_leaving(&leaving, &thread) != 0) {
        leave(&leaving);
    } else {
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += PATIENCE_NS;
        if (until.tv_nsec >= NS_PER_S) {
            until.tv_nsec -= NS_PER_S;
            until.tv_sec++;
        }
        if (pthread_timedjoin_np(thread, NULL, &until) == ETIMEDOUT) {
            show_leaving(tui);
            pthread_join(thread, NULL);
        }
    }
    if (leaving.result < 0)
        *err = leaving.err;
    return leaving.result;
}

static void take_failure(struct tui *tui, const struct err *err)
{
    tui->is_failed = true;
    tui->action.is_running = tui->action.is_waiting = false;
    /* Nothing was ever shown of what the command line asked for: say it there. */
    if (tui->options->pid && !tui->picker && !history_latest(tui->history)) {
        *tui->err = *err;
        tui->is_bad = tui->is_over = true;
        return;
    }
    tui_notice(tui, "Nothing more can be read", err);
}

void tui_say_ended(struct tui *tui)
{
    tui_say(tui, ROLE_WARNING,
            tui->has_executed ? tui->executed
                              : "the target has ended: a attaches to another, q quits");
}

static void take_end(struct tui *tui, const struct sampler_message *message)
{
    tui->is_ended = true;
    tui->has_executed = message->has_executed;
    snprintf(tui->executed, sizeof(tui->executed), "a attaches to it again: %.170s",
             message->err.text);
    screen_allow_actions(tui->screen, false);
    tui_say_ended(tui);
}

static void take_inspection(struct tui *tui, const struct sampler_message *message)
{
    tui->is_looking = false;
    screen_take_inspection(tui->screen, message->inspection);
    if (!message->inspection)
        tui_say(tui, ROLE_WARNING, message->err.text);
}

void tui_look_closely(struct tui *tui, bool has_new_sample)
{
    uint64_t wanted =
        tui->screen && !tui->is_picking ? screen_wanted_arena(tui->screen) : 0;

    if (!wanted || tui->is_looking || !tui->sampler || tui->is_ended || tui->is_failed)
        return;
    if (wanted == tui->seen_arena && !has_new_sample)
        return;
    tui->seen_arena = wanted;
    tui->is_looking = true;
    sampler_inspect(tui->sampler, wanted);
}

/* The price is told with the mark. */
static void say_remembered(struct tui *tui, const struct sampler_message *message)
{
    const struct remembered *remembered = (const struct remembered *)message->answer;
    char text[200], objects[UNITS_MAX], bytes[UNITS_MAX], time[UNITS_MAX];

    tui->remembering = (struct inquiry){0};
    tui->asked = (struct inquiry){0};
    if (!remembered) {
        tui_say(tui, ROLE_WARNING, message->err.text);
        return;
    }
    snprintf(text, sizeof(text), "mark #%u: %s objects are remembered in %s, %s",
             (unsigned)message->inquiry.mark,
             units_count(objects, reading_exact((int64_t)remembered->count)),
             units_bytes(bytes, reading_exact((int64_t)remembered->bytes)),
             units_duration(time, reading_exact(remembered->answer.walk.wall_ns)));
    tui_say(tui, ROLE_NORMAL, text);
    answer_free(message->answer);
}

void tui_remember(struct tui *tui, uint32_t mark)
{
    if (!tui->sampler || tui->is_ended || tui->is_failed)
        return;
    tui->remembering = (struct inquiry){.topic = INQUIRY_REMEMBER, .mark = mark};
    sampler_ask(tui->sampler, &tui->remembering);
}

static void take_answer(struct tui *tui, const struct sampler_message *message)
{
    struct inquiry wanted;

    if (!strcmp(message->inquiry.topic, INQUIRY_REMEMBER)) {
        say_remembered(tui, message);
        return;
    }
    screen_wanted_inquiry(tui->screen, &wanted);
    if (cause_take(tui->history, &message->inquiry, message->answer) &&
        !inquiry_is_same(&wanted, &message->inquiry)) {
        tui->asked = (struct inquiry){0};
        answer_free(message->answer);
        return;
    }
    screen_take_answer(tui->screen, &message->inquiry, message->answer,
                       message->err.text);
}

void tui_use_plugin(struct tui *tui)
{
    size_t wanted =
        tui->screen && !tui->is_picking ? screen_wanted_plugin(tui->screen) : 0;

    if (!wanted)
        return;
    if (!tui->sampler || tui->is_ended || tui->is_failed)
        tui_say_ended(tui);
    else
        sampler_use_plugin(tui->sampler, wanted - 1);
}

void tui_ask(struct tui *tui)
{
    struct inquiry wanted;

    if (!tui->screen || tui->is_picking || !tui->sampler || tui->remembering.topic)
        return;
    screen_wanted_inquiry(tui->screen, &wanted);
    if (!wanted.topic)
        cause_wants(tui->history, &wanted); /* who holds what grows, for the verdict */
    if (inquiry_is_same(&wanted, &tui->asked) || tui->is_ended || tui->is_failed)
        return;
    tui->asked = wanted;
    if (wanted.topic)
        sampler_ask(tui->sampler, &wanted);
}

void tui_check_sampler(struct tui *tui)
{
    struct err err = ERR_INIT;

    if (tui->sampler && !tui->is_failed && !tui->is_ended &&
        sampler_is_stuck(tui->sampler, &err))
        take_failure(tui, &err);
}

/* Plugins that are sinks get it too. */
static void hand_on(struct tui *tui, const struct snapshot *snapshot)
{
    char *text = feed_text(&tui->feed, snapshot, tui->history);

    if (text)
        sampler_hand(tui->sampler, text);
}

static void take_message(struct tui *tui, const struct sampler_message *message)
{
    switch (message->type) {
    case SAMPLER_SNAPSHOT:
        history_add(tui->history, message->snapshot);
        tui_record(tui, message->snapshot);
        hand_on(tui, message->snapshot);
        tui_report_kinds(tui, message->snapshot);
        if (tui->purpose == PURPOSE_ACTION) /* the price changes while it is asked */
            tui_explain_action(tui);
        snapshot_unref(message->snapshot);
        screen_allow_actions(tui->screen, tui_can_act(tui));
        if (++tui->n_samples == tui->options->iterations)
            tui->is_over = true;
        break;
    case SAMPLER_ACTION_RESULT:
        tui_take_result(tui, &message->result);
        break;
    case SAMPLER_INSPECTION:
        take_inspection(tui, message);
        break;
    case SAMPLER_ANSWER:
        take_answer(tui, message);
        break;
    case SAMPLER_ENDED:
        take_end(tui, message);
        break;
    case SAMPLER_FAILED:
        take_failure(tui, &message->err);
        break;
    }
}

void tui_take_messages(struct tui *tui)
{
    struct sampler_message message;
    bool has_new_sample = false;

    if (!tui->sampler) /* left since it was readable */
        return;
    while (!tui->is_over && sampler_next(tui->sampler, &message)) {
        has_new_sample |= message.type == SAMPLER_SNAPSHOT;
        take_message(tui, &message);
    }
    screen_update(tui->screen);
    tui_look_closely(tui, has_new_sample);
    tui_ask(tui);
    tui->is_dirty = true;
}
