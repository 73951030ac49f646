/* The loop's part of actions: whether one may run, its question, its order, waiting
 * for it, and its report. */
#include <stdio.h>
#include <string.h>

#include "heaptop/units.h"
#include "model/partition.h"
#include "tui/action_dialog.h"
#include "tui/tui_private.h"
#include "util/clock.h"

#define KINDS_REPORTED    3
#define PROGRESS_AFTER_NS (300 * NS_PER_MS) /* what is over sooner needs no box */

/* Why no action is possible now, and what to do; false when one is. */
static bool is_impossible(const struct tui *tui, struct err *err)
{
    const struct snapshot *latest = history_latest(tui->history);

    if (tui->options->sampler.read_only) {
        err_set(err, ERR_DENIED, "heaptop only reads: it was started with --read-only");
        err_remedy(err, "start it without --read-only");
    } else if (tui->is_ended || tui->is_failed || !tui->sampler) {
        err_set(err, ERR_GONE, "there is no live target");
        err_remedy(err, "a attaches to another process");
    } else if (latest && latest->target.state == TARGET_STOPPED) {
        err_set(err, ERR_FAILED, "the target is stopped: nothing runs in it");
        err_remedy(err, "let it go on: kill -CONT %d", (int)latest->target.pid);
    } else if (!latest || latest->access.agent == AGENT_ATTACHING) {
        err_set(err, ERR_FAILED, "the agent is still on its way into the target");
        err_remedy(err, "try again in a moment");
    } else if (latest->access.agent != AGENT_LOADED) {
        bool is_lost = latest->access.agent == AGENT_LOST;

        err_set(err, ERR_DENIED, "it needs the agent, which is %s%s%.250s",
                is_lost ? "lost" : "not in the target", latest->access.why[0] ? ": " : "",
                latest->access.why);
        if (is_lost)
            err_remedy(err, "a and Enter load it again");
        else if (tui->options->sampler.agent == AGENT_NEVER)
            err_remedy(err, "start heaptop without --agent=never");
        else if (!latest->access.why[0])
            err_remedy(err, "start heaptop as root or as the target's user");
    } else {
        return false;
    }
    return true;
}

bool tui_can_act(const struct tui *tui)
{
    struct err ignored = ERR_INIT;

    return tui->history && !is_impossible(tui, &ignored);
}

static void say_impossible(struct tui *tui, const struct action_ops *action,
                           const struct err *err)
{
    char title[ACTION_CALL_MAX + 32];

    snprintf(title, sizeof(title), "%s%s cannot run", action->call,
             action->n_parameters ? "()" : "");
    tui_notice(tui, title, err);
}

static const char *running_call(const struct tui *tui, char text[ACTION_CALL_MAX])
{
    return action_call(text, tui->action.ops, &tui->action.arguments);
}

/* One at a time; true when it was said that one runs. */
static bool is_busy(struct tui *tui)
{
    char call[ACTION_CALL_MAX], text[ACTION_CALL_MAX + 64];

    if (!tui->action.is_running)
        return false;
    tui->action.is_waiting = true;
    snprintf(text, sizeof(text), "%s runs; Esc stops waiting", running_call(tui, call));
    tui_say(tui, ROLE_WARNING, text);
    return true;
}

void tui_open_actions(struct tui *tui)
{
    struct err err = ERR_INIT;
    bool is_not = is_impossible(tui, &err);

    if (is_busy(tui))
        return;
    tui_open_overlay(tui, OVERLAY_MENU, PURPOSE_ACTIONS);
    action_menu(&tui->menu, history_latest(tui->history), is_not ? err.text : NULL);
}

static const struct action_offer *offer_of(const struct tui *tui)
{
    return tui->action.offer.action ? &tui->action.offer : NULL;
}

static void ask(struct tui *tui, const struct action_ops *action)
{
    struct err err = ERR_INIT;

    if (is_impossible(tui, &err)) {
        say_impossible(tui, action, &err);
        return;
    }
    tui_open_overlay(tui, OVERLAY_DIALOG, PURPOSE_ACTION);
    tui->action.ops = action;
    action_dialog_ask(&tui->dialog, action, offer_of(tui), tui->history,
                      tui->action.last);
}

void tui_ask_action(struct tui *tui, const struct action_ops *action)
{
    if (is_busy(tui))
        return;
    tui->action.offer.action = NULL;
    ask(tui, action);
}

void tui_ask_chosen_action(struct tui *tui, int value)
{
    struct action_offer offer;

    if (!action_menu_is_offer(value)) {
        tui_ask_action(tui, actions[value]);
    } else if (!action_menu_offer(history_latest(tui->history), value, &offer)) {
        tui_say(tui, ROLE_WARNING, "the plugin does not offer this any more");
    } else if (!is_busy(tui)) {
        tui->action.offer = offer;
        ask(tui, offer.action);
    }
}

void tui_explain_action(struct tui *tui)
{
    action_dialog_explain(&tui->dialog, tui->action.ops, offer_of(tui), tui->history,
                          tui->action.last, NULL);
}

static void set_mark(struct tui *tui, const char *call)
{
    const struct snapshot *latest = history_latest(tui->history);
    char why[96];

    if (!latest)
        return;
    snprintf(why, sizeof(why), " before %.80s", call);
    history_mark_snapshot(tui->history, latest, NULL, false, why);
}

/* The newest sample is from before the action: later ones are added here. */
static void ordered(struct tui *tui)
{
    struct tui_action *action = &tui->action;
    char call[ACTION_CALL_MAX], text[ACTION_CALL_MAX + 64];
    const struct snapshot *latest = history_latest(tui->history);

    running_call(tui, call);
    if (action->ops->flags & ACTION_FREES_MEMORY)
        set_mark(tui, call);
    snapshot_unref(action->before);
    action->before = latest && (action->ops->flags & ACTION_FREES_OBJECTS)
                         ? snapshot_ref(latest)
                         : NULL;
    action->ended_mono_ns = 0;
    action->is_running = action->is_waiting = true;
    action->ordered_mono_ns = clock_monotonic_ns();
    snprintf(text, sizeof(text), "%s... Esc stops waiting", call);
    tui_say(tui, ROLE_WARNING, text);
}

/* False: the dialog stays, because what was typed makes no sense. */
bool tui_run_action(struct tui *tui)
{
    struct tui_action *action = &tui->action;
    struct err err = ERR_INIT;

    action_dialog_arguments(&tui->dialog, action->ops, offer_of(tui), &action->arguments);
    if (action_check(action->ops, &action->arguments, &err) != 0) {
        dialog_complain(&tui->dialog, err.text);
        return false;
    }
    action_dialog_explain(&tui->dialog, action->ops, offer_of(tui), tui->history,
                          action->last, &action->plan);
    tui_close_overlay(tui);
    if (!is_impossible(tui, &err) &&
        sampler_run_action(tui->sampler, action->ops, &action->arguments, &err) == 0)
        ordered(tui);
    else
        say_impossible(tui, action->ops, &err);
    return true;
}

static int target_pid(const struct tui *tui)
{
    const struct snapshot *latest = history_latest(tui->history);

    return latest ? (int)latest->target.pid : 0;
}

/* How it goes, in a box as soon as it takes long, and unless something lies there. */
void tui_show_progress(struct tui *tui)
{
    struct tui_action *action = &tui->action;
    int64_t now_ns = clock_monotonic_ns(), began_ns;
    char call[ACTION_CALL_MAX];

    if (!action->is_waiting || now_ns - action->ordered_mono_ns < PROGRESS_AFTER_NS)
        return;
    began_ns = sampler_action_began_ns(tui->sampler);
    if (tui->overlay == OVERLAY_NONE)
        tui_open_overlay(tui, OVERLAY_DIALOG, PURPOSE_PROGRESS);
    if (tui->purpose != PURPOSE_PROGRESS)
        return;
    action_dialog_progress(&tui->dialog, running_call(tui, call), target_pid(tui),
                           began_ns ? now_ns - began_ns : -1, action->plan.expected_ns);
    tui->is_dirty = true;
}

bool tui_stop_waiting(struct tui *tui)
{
    char call[ACTION_CALL_MAX], text[ACTION_CALL_MAX + 96];

    if (!tui->action.is_waiting)
        return false;
    tui->action.is_waiting = false;
    snprintf(text, sizeof(text),
             "not waiting any more; %s goes on, its report comes here",
             running_call(tui, call));
    tui_say(tui, ROLE_NORMAL, text);
    return true;
}

/* The question before heaptop is left; false: nothing runs, nothing to ask. */
bool tui_ask_quit(struct tui *tui)
{
    static const char runs[] =
        "It cannot be stopped: it goes on to its end in the target, "
        "and then the agent leaves. Who quits now does not learn "
        "what came of it.";
    static const char waits[] =
        "It has not begun: it waits for the walk of the heap to end. "
        "Who quits now takes it back, unless it begins meanwhile.";
    char call[ACTION_CALL_MAX], title[160];

    if (!tui->action.is_running)
        return false;
    running_call(tui, call);
    tui_open_overlay(tui, OVERLAY_DIALOG, PURPOSE_QUIT);
    snprintf(title, sizeof(title), "Quit while %s runs?", call);
    dialog_ask(&tui->dialog, title, "Quit");
    dialog_say(&tui->dialog, sampler_action_began_ns(tui->sampler) ? runs : waits);
    return true;
}

void tui_left_action(struct tui *tui, char text[TUI_LEFT_MAX])
{
    char call[ACTION_CALL_MAX];
    bool has_begun;

    text[0] = '\0';
    if (!tui->action.is_running || !tui->sampler)
        return;
    has_begun = sampler_hold_actions(tui->sampler);
    snprintf(text, TUI_LEFT_MAX, "%s %s in process %d: %s", running_call(tui, call),
             has_begun ? "was under way" : "had not begun", target_pid(tui),
             has_begun ? "it goes on to its end there, and its result is not known"
                       : "it was taken back");
}

static void failed(struct tui *tui, const struct err *err)
{
    char call[ACTION_CALL_MAX], title[ACTION_CALL_MAX + 32];

    tui_say(tui, ROLE_WARNING, err->text);
    snprintf(title, sizeof(title), "%s: no result", running_call(tui, call));
    if (tui->overlay == OVERLAY_NONE)
        tui_notice(tui, title, err);
}

void tui_take_result(struct tui *tui, const struct action_result *result)
{
    struct tui_action *action = &tui->action;
    bool has_box = tui->purpose == PURPOSE_PROGRESS || tui->purpose == PURPOSE_QUIT;
    char clock[UNITS_MAX];

    if (has_box)
        tui_close_overlay(tui);
    action->is_running = action->is_waiting = false;
    if (result->err.code != ERR_NONE) {
        failed(tui, &result->err);
        return;
    }
    if (action->ops->flags & ACTION_FREES_MEMORY) {
        screen_choose_mark(tui->screen, 0);
        screen_show_delta(tui->screen, DELTA_MARK);
    }
    action->ended_mono_ns = clock_monotonic_ns();
    snprintf(action->last, sizeof(action->last), "%s %s",
             units_clock(clock, clock_wall_ns()), result->words);
    tui_say(tui, ROLE_VALUE, result->words);
}

static void report_kinds(struct tui *tui, const struct partition *partition)
{
    struct event event = {.type = tui->action.ops->event, .wall_ns = clock_wall_ns()};
    char count[UNITS_MAX], memory[UNITS_MAX], call[ACTION_CALL_MAX];
    size_t used;

    snprintf(event.words, sizeof(event.words), "after %s:", running_call(tui, call));
    for (size_t i = 0; i < partition->count && i < KINDS_REPORTED; i++) {
        const struct partition_row *row = &partition->rows[i];

        if (row->memory_delta_bytes >= 0)
            break;
        used = strlen(event.words);
        snprintf(event.words + used, sizeof(event.words) - used, "%s %s %.60s (%s)",
                 i ? "," : "", units_count_delta(count, reading_exact(row->count_delta)),
                 row->now.kind->name,
                 units_bytes_delta(memory, reading_exact(row->memory_delta_bytes)));
    }
    used = strlen(event.words);
    if (!partition->count || partition->rows[0].memory_delta_bytes >= 0)
        snprintf(event.words + used, sizeof(event.words) - used, " no kind lost memory");
    history_add_event(tui->history, &event);
}

/* No walk runs while an action does: what was walked before its end is from before
 * its beginning. The last such walk may come late. */
static bool is_from_before(const struct tui_action *action,
                           const struct snapshot *snapshot)
{
    return action->is_running ||
           snapshot->objects->walk.began_mono_ns < action->ended_mono_ns;
}

/* The first walk that began after the action tells which kinds it freed. */
void tui_report_kinds(struct tui *tui, const struct snapshot *snapshot)
{
    struct tui_action *action = &tui->action;
    const struct snapshot *before = action->before;
    struct partition partition;

    if (!before || !snapshot->objects)
        return;
    if (is_from_before(action, snapshot)) {
        action->before = snapshot_ref(snapshot);
        snapshot_unref(before);
        return;
    }
    if (before->objects &&
        partition_changes(&partition, snapshot->objects, before->objects, NULL) == 0) {
        report_kinds(tui, &partition);
        partition_release(&partition);
    }
    tui_forget_action(tui);
}

void tui_forget_action(struct tui *tui)
{
    snapshot_unref(tui->action.before);
    tui->action.before = NULL;
    tui->action.ended_mono_ns = 0;
}
