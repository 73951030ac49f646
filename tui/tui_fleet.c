/* --tree: the table of the processes, and the way into one of them and back. */
#include "tui/tui_private.h"

#include <stdio.h>
#include <string.h>

#include "target/target.h"

static void update_view(struct tui *tui)
{
    fleet_view_update(tui->fleet_view, fleet_look(tui->fleet));
    tui->is_dirty = true;
}

int tui_open_fleet(struct tui *tui, struct err *err)
{
    const struct tui_options *options = tui->options;
    struct fleet_options wanted = {
        .root = options->root, .pattern = options->pattern, .sampler = options->sampler};

    if (fleet_open(&wanted, &tui->fleet, err))
        return -1;
    tui->fleet_view = fleet_view_new();
    tui->is_in_fleet = true;
    if (options->filter)
        tui_set_fleet_filter(tui, options->filter);
    if (options->sort &&
        !table_sort_by(fleet_view_table(tui->fleet_view), options->sort)) {
        err_set(err, ERR_USAGE, "there is no column \"%.80s\" to sort by", options->sort);
        return err_remedy(err, "-s help lists the columns");
    }
    update_view(tui);
    return 0;
}

void tui_close_fleet(struct tui *tui)
{
    struct err err = ERR_INIT;

    if (tui->fleet && fleet_close(tui->fleet, &err))
        fprintf(stderr, "heaptop: %s\n", err.text);
    fleet_view_free(tui->fleet_view);
}

/* Also while one member is on the screen: the others go on. */
void tui_step_fleet(struct tui *tui)
{
    if (!tui->fleet || !fleet_step(tui->fleet) || !tui->is_in_fleet)
        return;
    update_view(tui);
}

void tui_set_fleet_filter(struct tui *tui, const char *filter)
{
    snprintf(tui->fleet_filter, sizeof(tui->fleet_filter), "%s", filter);
    fleet_view_set_filter(tui->fleet_view, filter);
}

void tui_draw_fleet(struct tui *tui)
{
    fleet_view_draw(tui->fleet_view, &tui->canvas);
}

/* Its history goes on with samples of every interval, and the agent's if it may come. */
static void open_member(struct tui *tui, pid_t pid)
{
    struct target *target = NULL;
    struct err err = ERR_INIT;

    if (!pid)
        return;
    if (target_open(pid, &target, &err)) {
        tui_notice(tui, "Cannot open this process", &err);
        return;
    }
    tui->history = fleet_lend(tui->fleet, pid);
    if (!tui->history) {
        target_close(target);
        fleet_view_message(tui->fleet_view, "this process has ended");
        return;
    }
    tui->lent_pid = pid;
    tui->screen = screen_new(tui->history);
    tui->is_in_fleet = false;
    if (tui->options->pane)
        screen_show_pane(tui->screen, tui->options->pane);
    if (tui_start_target(tui, target, &err) == 0) {
        screen_update(tui->screen);
        return;
    }
    tui_forget_target(tui);
    tui->is_in_fleet = true;
    tui_notice(tui, "Cannot open this process", &err);
}

bool tui_back_to_fleet(struct tui *tui)
{
    struct err err = ERR_INIT;

    if (!tui->fleet || tui->is_in_fleet || tui->is_picking || tui->action.is_running)
        return false;
    tui->is_in_fleet = true;
    if (tui_stop_target(tui, &err) < 0)
        tui_notice(tui, "The agent of the process is on its way out", &err);
    tui_forget_target(tui);
    update_view(tui);
    return true;
}

bool tui_fleet_command(struct tui *tui, enum command_id command)
{
    if (!tui->is_in_fleet)
        return false;
    if (command == COMMAND_ENTER)
        open_member(tui, fleet_view_selected(tui->fleet_view));
    else if (command == COMMAND_BACK && tui->fleet_filter[0])
        tui_set_fleet_filter(tui, "");
    else if (command == COMMAND_SAMPLE)
        fleet_hurry(tui->fleet);
    else
        fleet_view_command(tui->fleet_view, command);
    return true;
}

void tui_fleet_key(struct tui *tui, const struct key *key)
{
    enum command_id command = command_of_key(key->name);
    bool is_chosen = false;

    if (key->mouse == KEY_MOUSE_LEFT) {
        if (fleet_view_click(tui->fleet_view, key->y, key->x, &is_chosen) && is_chosen)
            open_member(tui, fleet_view_selected(tui->fleet_view));
    } else if (key->mouse != KEY_MOUSE_NONE) {
        command = key->mouse == KEY_MOUSE_WHEEL_UP ? COMMAND_UP : COMMAND_DOWN;
        for (int i = 0; i < 3; i++)
            fleet_view_command(tui->fleet_view, command);
    } else if (command != COMMAND_NONE) {
        tui_command(tui, command);
    } else if (key->text[0] >= 'A' && key->text[0] <= 'Z') {
        table_sort_key(fleet_view_table(tui->fleet_view), key->text[0]);
    }
}
