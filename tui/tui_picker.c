#include "tui/tui_private.h"

#include <stdio.h>
#include <string.h>

#include "target/target.h"
#include "util/clock.h"

#define LIST_INTERVAL_NS (2 * NS_PER_S)

void tui_refresh_picker(struct tui *tui)
{
    struct err err = ERR_INIT;

    tui->list_due_ns = clock_monotonic_ns() + LIST_INTERVAL_NS;
    if (candidates_refresh(&tui->candidates, &err) < 0)
        snprintf(tui->list_note, sizeof(tui->list_note), "%s", err.text);
    else
        candidates_filter(&tui->candidates, tui->list_filter);
    picker_update(tui->picker, &tui->candidates, tui->list_filter);
    tui->is_dirty = true;
}

void tui_set_list_filter(struct tui *tui, const char *filter)
{
    snprintf(tui->list_filter, sizeof(tui->list_filter), "%s", filter);
    tui_refresh_picker(tui);
}

/* The process on the screen behind the list, or 0. */
static pid_t current_pid(const struct tui *tui)
{
    const struct snapshot *latest = tui->history ? history_latest(tui->history) : NULL;

    return latest ? latest->target.pid : 0;
}

void tui_open_picker(struct tui *tui)
{
    if (!tui->picker) {
        tui->picker = picker_new();
        if (tui->options->pattern)
            snprintf(tui->list_filter, sizeof(tui->list_filter), "%s",
                     tui->options->pattern);
    }
    tui->is_picking = true;
    picker_can_go_back(tui->picker, tui->screen != NULL);
    tui_refresh_picker(tui);
    if (current_pid(tui))
        picker_select(tui->picker, current_pid(tui));
}

void tui_draw_picker(struct tui *tui)
{
    picker_message(tui->picker, tui->list_note);
    picker_draw(tui->picker, &tui->canvas);
}

/* The new target is opened before the old one is left, so that a mistake costs
 * nothing. */
static void attach(struct tui *tui, pid_t pid)
{
    struct target *target = NULL;
    struct err err = ERR_INIT;
    char left[TUI_LEFT_MAX], recorded[TUI_LEFT_MAX];

    if (pid == 0)
        return;
    /* Attaching anew would throw away history and marks: only a lost agent comes back. */
    if (pid == current_pid(tui) && !tui->is_ended && !tui->is_failed) {
        sampler_load_agent(tui->sampler);
        tui->is_picking = false;
        return;
    }
    if (target_open(pid, &target, &err) < 0) {
        tui_notice(tui, "Cannot attach", &err);
        return;
    }
    tui_left_action(tui, left);
    tui_end_recording(tui, recorded);
    if (tui_stop_target(tui, &err) < 0)
        tui_notice(tui, "The agent of the last target is on its way out", &err);
    tui_forget_target(tui);
    if (tui_start_target(tui, target, &err) < 0) {
        tui_forget_target(tui);
        tui_notice(tui, "Cannot attach", &err);
        return;
    }
    tui->is_picking = false;
    if (recorded[0])
        tui_say(tui, ROLE_NORMAL, recorded);
    if (left[0])
        tui_say(tui, ROLE_WARNING, left);
}

bool tui_attach_executed(struct tui *tui)
{
    if (tui->is_picking || !tui->is_ended || !tui->has_executed)
        return false;
    tui->has_executed = false; /* when it fails, the next time is for choosing another */
    attach(tui, current_pid(tui));
    if (tui->is_ended)
        tui_say_ended(tui);
    return true;
}

static void leave(struct tui *tui)
{
    if (tui->list_filter[0])
        tui_set_list_filter(tui, "");
    else if (tui->screen)
        tui->is_picking = false;
    else
        tui->is_over = true;
}

static void wheel(struct tui *tui, const struct key *key)
{
    enum command_id command =
        key->mouse == KEY_MOUSE_WHEEL_UP ? COMMAND_UP : COMMAND_DOWN;

    for (int i = 0; i < 3; i++)
        picker_command(tui->picker, command);
}

static void click(struct tui *tui, const struct key *key)
{
    bool is_chosen = false;

    if (picker_click(tui->picker, key->y, key->x, &is_chosen) && is_chosen)
        attach(tui, picker_selected(tui->picker));
}

void tui_picker_key(struct tui *tui, const struct key *key)
{
    enum command_id command = command_of_key(key->name);

    tui->list_note[0] = '\0';
    if (key->mouse == KEY_MOUSE_LEFT)
        click(tui, key);
    else if (key->mouse != KEY_MOUSE_NONE)
        wheel(tui, key);
    else if (key->text[0] >= '0' && key->text[0] <= '9')
        picker_digit(tui->picker, key->text[0]);
    else if (strcmp(key->name, "Esc") == 0)
        leave(tui);
    else if (command == COMMAND_ENTER)
        attach(tui, picker_selected(tui->picker));
    else if (command != COMMAND_NONE)
        tui_command(tui, command);
    else if (key->text[0] >= 'A' && key->text[0] <= 'Z')
        table_sort_key(picker_table(tui->picker), key->text[0]);
    else if (strcmp(key->name, "F5") == 0)
        tui_refresh_picker(tui);
}
