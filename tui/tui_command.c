#include "tui/tui_private.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "heaptop/units.h"
#include "tui/term_signals.h"
#include "util/clock.h"

void tui_say(struct tui *tui, enum role role, const char *text)
{
    if (tui->is_picking) {
        snprintf(tui->list_note, sizeof(tui->list_note), "%s", text);
        return;
    }
    if (tui->is_in_fleet)
        fleet_view_message(tui->fleet_view, text);
    if (tui->screen)
        screen_message(tui->screen, role, text);
}

struct table *tui_table(struct tui *tui)
{
    if (tui->is_picking)
        return picker_table(tui->picker);
    if (tui->is_in_fleet)
        return fleet_view_table(tui->fleet_view);
    return tui->screen ? screen_table(tui->screen) : NULL;
}

bool tui_find(struct tui *tui, int direction, bool from_here)
{
    struct table *table = tui_table(tui);

    if (tui->find[0] == '\0')
        return true;
    if (tui->is_picking || tui->is_in_fleet)
        return table && table_find(table, tui->find, direction, from_here);
    return screen_find(tui->screen, tui->find, direction, from_here);
}

static void find_again(struct tui *tui, int direction)
{
    char text[PROMPT_TEXT_BYTES + 32];

    if (tui->find[0] == '\0') {
        tui_say(tui, ROLE_NORMAL, "nothing to find: / asks for a text");
        return;
    }
    if (tui_find(tui, direction, false))
        return;
    snprintf(text, sizeof(text), "not found: %s", tui->find);
    tui_say(tui, ROLE_WARNING, text);
}

void tui_set_interval(struct tui *tui, int64_t interval_ns)
{
    char interval[UNITS_MAX], text[UNITS_MAX + 32];

    tui->interval_ns = interval_ns;
    if (tui->sampler)
        sampler_set_interval(tui->sampler, interval_ns);
    if (tui->fleet)
        fleet_set_interval(tui->fleet, interval_ns);
    snprintf(text, sizeof(text), "a sample every %s",
             units_duration(interval, reading_exact(interval_ns)));
    tui_say(tui, ROLE_NORMAL, text);
}

/* The next of the usual intervals in this direction. */
void tui_step_interval(struct tui *tui, bool is_faster)
{
    static const int64_t steps_ms[] = {100,  200,   500,   1000,  2000,   3000,
                                       5000, 10000, 30000, 60000, 300000, 600000};
    const size_t count = sizeof(steps_ms) / sizeof(steps_ms[0]);
    int64_t now_ms = tui->interval_ns / NS_PER_MS, next_ms = now_ms;

    if (is_faster) {
        for (size_t i = 0; i < count && steps_ms[i] < now_ms; i++)
            next_ms = steps_ms[i];
    } else {
        for (size_t i = count; i > 0 && steps_ms[i - 1] > now_ms; i--)
            next_ms = steps_ms[i - 1];
    }
    tui_set_interval(tui, next_ms * NS_PER_MS);
}

static void sample_now(struct tui *tui)
{
    sampler_sample_now(tui->sampler, true);
    tui->asked = (struct inquiry){0};
    tui_say(tui, ROLE_NORMAL, "sampling; a walk of the heap begins");
}

static void toggle_mouse(struct tui *tui)
{
    bool is_wanted = !term_uses_mouse(tui->term);

    if (!term_set_mouse(tui->term, is_wanted)) {
        tui_say(tui, ROLE_WARNING, "this terminal has no mouse");
        return;
    }
    if (tui->screen)
        screen_use_mouse(tui->screen, is_wanted);
    tui_say(tui, ROLE_NORMAL,
            is_wanted ? "mouse on: Shift and drag selects text" : "mouse off");
}

/* Esc: the nearest thing that can be left. */
static void go_back(struct tui *tui)
{
    if (tui_stop_waiting(tui))
        return;
    if (screen_command(tui->screen, COMMAND_BACK))
        return;
    tui->find[0] = '\0';
    if (!tui_back_to_fleet(tui))
        tui_say(tui, ROLE_NORMAL, "");
}

/* What needs a live target. */
static bool live_command(struct tui *tui, enum command_id command)
{
    if (!(commands[command].flags & COMMAND_LIVE) ||
        (commands[command].flags & COMMAND_ACTS)) /* these say more about why not */
        return false;
    if (tui->is_picking)
        return true;
    if (!tui->is_in_fleet && (!tui->sampler || tui->is_ended || tui->is_failed)) {
        tui_say_ended(tui);
        return true;
    }
    switch (command) {
    case COMMAND_SAMPLE:
        if (!tui_fleet_command(tui, command))
            sample_now(tui);
        return true;
    case COMMAND_FASTER:
        tui_step_interval(tui, true);
        return true;
    case COMMAND_SLOWER:
        tui_step_interval(tui, false);
        return true;
    case COMMAND_INTERVAL:
        tui_open_prompt(tui, PURPOSE_INTERVAL);
        return true;
    default:
        return false;
    }
}

/* What the screen and the picker have in common. */
static bool common_command(struct tui *tui, enum command_id command)
{
    switch (command) {
    case COMMAND_HELP:
        tui_open_help(tui);
        return true;
    case COMMAND_FIND:
        tui_open_prompt(tui, PURPOSE_FIND);
        return true;
    case COMMAND_FIND_NEXT:
        find_again(tui, 1);
        return true;
    case COMMAND_FIND_PREVIOUS:
        find_again(tui, -1);
        return true;
    case COMMAND_FILTER:
        tui_open_prompt(tui, PURPOSE_FILTER);
        return true;
    case COMMAND_SORT_MENU:
        tui_open_menu(tui, PURPOSE_SORT);
        return true;
    case COMMAND_FIELDS:
        tui_open_menu(tui, PURPOSE_COLUMNS);
        return true;
    case COMMAND_MOUSE:
        toggle_mouse(tui);
        return true;
    case COMMAND_REDRAW:
        term_forget(tui->term);
        return true;
    case COMMAND_SUSPEND:
        term_suspend(tui->term);
        return true;
    case COMMAND_QUIT:
        tui->is_over = !tui_back_to_fleet(tui) && !tui_ask_quit(tui);
        return true;
    default:
        return false;
    }
}

void tui_command(struct tui *tui, enum command_id command)
{
    tui->is_dirty = true;
    if (common_command(tui, command) || tui_replay_command(tui, command) ||
        live_command(tui, command))
        return;
    if (tui->is_picking) {
        picker_command(tui->picker, command);
        return;
    }
    if (tui_fleet_command(tui, command))
        return;
    switch (command) {
    case COMMAND_MARK:
        tui_ask_mark(tui);
        break;
    case COMMAND_RECORD:
        tui_toggle_recording(tui);
        break;
    case COMMAND_TIME_GO:
        tui_open_prompt(tui, PURPOSE_TIME);
        break;
    case COMMAND_CHOOSE_MARK:
        tui_open_menu(tui, PURPOSE_MARK);
        break;
    case COMMAND_COLLECT:
        tui_ask_action(tui, action_find("collect"));
        break;
    case COMMAND_ACTIONS:
        tui_open_actions(tui);
        break;
    case COMMAND_ATTACH:
        if (!tui_attach_executed(tui))
            tui_open_picker(tui);
        break;
    case COMMAND_BACK:
        go_back(tui);
        break;
    default:
        screen_command(tui->screen, command);
        break;
    }
}
