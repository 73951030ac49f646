#include "tui/tui_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "heaptop/units.h"
#include "util/clock.h"

#define INTERVAL_MIN_S 0.1
#define INTERVAL_MAX_S 86400.0

void tui_close_overlay(struct tui *tui)
{
    if (tui->overlay == OVERLAY_MENU)
        menu_release(&tui->menu);
    if (tui->overlay == OVERLAY_HELP)
        help_release(&tui->help);
    snapshot_unref(tui->marked);
    tui->marked = NULL;
    tui->overlay = OVERLAY_NONE;
    tui->purpose = PURPOSE_NONE;
    tui->is_dirty = true;
}

void tui_open_overlay(struct tui *tui, enum overlay overlay, enum purpose purpose)
{
    tui_close_overlay(tui);
    tui->overlay = overlay;
    tui->purpose = purpose;
}

void tui_notice(struct tui *tui, const char *title, const struct err *err)
{
    tui_open_overlay(tui, OVERLAY_DIALOG, PURPOSE_NOTICE);
    dialog_notice(&tui->dialog, title, err->text, err->remedy);
}

void tui_open_help(struct tui *tui)
{
    struct help_facts facts = {
        .can_act = !tui->is_picking && tui_can_act(tui),
        .is_live = tui->is_in_fleet || (!tui->is_picking && tui->sampler &&
                                        !tui->is_ended && !tui->is_failed),
        .table = tui_table(tui),
    };

    tui_open_overlay(tui, OVERLAY_HELP, PURPOSE_NONE);
    help_init(&tui->help, &facts);
}

static const char *current_filter(const struct tui *tui)
{
    if (tui->is_picking)
        return tui->list_filter;
    if (tui->is_in_fleet)
        return tui->fleet_filter;
    return screen_filter(tui->screen);
}

static void set_filter(struct tui *tui, const char *filter)
{
    if (tui->is_picking)
        tui_set_list_filter(tui, filter);
    else if (tui->is_in_fleet)
        tui_set_fleet_filter(tui, filter);
    else
        screen_set_filter(tui->screen, filter);
}

static void remember_row(struct tui *tui)
{
    struct table *table = tui_table(tui);
    const struct table_row *row = table ? table_selected(table) : NULL;

    tui->has_found_from = row != NULL;
    if (row)
        tui->found_from = row->identity;
}

/* Each edit looks again from where the search began, and Esc goes back there. */
static void go_back_to_row(struct tui *tui)
{
    struct table *table = tui_table(tui);

    if (table && tui->has_found_from)
        table_select(table, tui->found_from);
}

void tui_open_prompt(struct tui *tui, enum purpose purpose)
{
    tui_open_overlay(tui, OVERLAY_PROMPT, purpose);
    switch (purpose) {
    case PURPOSE_FIND:
        remember_row(tui);
        prompt_init(&tui->prompt, "Find: ", "");
        break;
    case PURPOSE_FILTER:
        snprintf(tui->filter_before, sizeof(tui->filter_before), "%s",
                 current_filter(tui));
        prompt_init(&tui->prompt, "Filter: ", tui->filter_before);
        break;
    case PURPOSE_TIME:
        prompt_init(&tui->prompt, "Time (14:02, 14:02:31, -5m): ", "");
        break;
    default:
        /* The old value stands in the label: what is typed must not follow it. */
        snprintf(tui->prompt_label, sizeof(tui->prompt_label),
                 "Seconds between samples (now %g): ",
                 (double)tui->interval_ns / (double)NS_PER_S);
        prompt_init(&tui->prompt, tui->prompt_label, "");
        break;
    }
}

static const char *name_of(const struct column *column)
{
    return column->heading[0] ? column->heading : column->name;
}

static void add_sort_columns(struct menu *menu, struct table *table)
{
    const struct column *columns;
    size_t count = table_columns(table, &columns);
    bool is_ascending;
    size_t sort_column = table_sort_column(table, &is_ascending);

    menu_init(menu, "Sort by", "Enter sorts   Esc leaves", false);
    for (size_t i = 0; i < count; i++) {
        if (i == sort_column)
            menu->selected = menu->count;
        menu_add(menu, (int)i, false, name_of(&columns[i]), columns[i].help);
    }
}

static void add_columns(struct menu *menu, struct table *table)
{
    const struct column *columns;
    size_t count = table_columns(table, &columns);

    menu_init(menu, "Columns", "Space shows or hides   s sorts   Esc leaves", true);
    for (size_t i = 0; i < count; i++) {
        bool is_shown = table_column_shown(table, i);
        char help[128];

        snprintf(help, sizeof(help), "%s%s", columns[i].help,
                 is_shown && !table_column_drawn(table, i) ? " (no room now)" : "");
        menu_add(menu, (int)i, is_shown, name_of(&columns[i]), help);
    }
}

void tui_open_menu(struct tui *tui, enum purpose purpose)
{
    struct table *table = tui_table(tui);
    const struct mark *marks;

    if (purpose == PURPOSE_MARK && history_marks(tui->history, &marks) == 0) {
        tui_say(tui, ROLE_NORMAL, "there is no mark yet: m sets one");
        return;
    }
    if (purpose != PURPOSE_MARK && !table) {
        tui_say(tui, ROLE_NORMAL, "there is no table on this tab");
        return;
    }
    tui_open_overlay(tui, OVERLAY_MENU, purpose);
    if (purpose == PURPOSE_MARK)
        tui_add_marks(tui);
    else if (purpose == PURPOSE_SORT)
        add_sort_columns(&tui->menu, table);
    else
        add_columns(&tui->menu, table);
}

/* "0.5", in seconds. What is no such number is said, and the prompt stays. */
static bool take_interval(struct tui *tui)
{
    char *end;
    double seconds = strtod(tui->prompt.text, &end);

    if (tui->prompt.text[0] == '\0')
        return true;
    if (end == tui->prompt.text || *end != '\0' ||
        !(seconds >= INTERVAL_MIN_S && seconds <= INTERVAL_MAX_S)) {
        tui_say(tui, ROLE_WARNING, "an interval is a number of seconds, 0.1 to 86400");
        return false;
    }
    tui_set_interval(tui, (int64_t)(seconds * (double)NS_PER_S));
    return true;
}

static void edit_prompt(struct tui *tui)
{
    if (tui->purpose == PURPOSE_FILTER)
        set_filter(tui, tui->prompt.text);
    if (tui->purpose != PURPOSE_FIND)
        return;
    snprintf(tui->find, sizeof(tui->find), "%s", tui->prompt.text);
    go_back_to_row(tui);
    tui_say(tui, ROLE_WARNING, tui_find(tui, 1, true) ? "" : "not found");
}

static void leave_prompt(struct tui *tui)
{
    if (tui->purpose == PURPOSE_FILTER)
        set_filter(tui, "");
    if (tui->purpose == PURPOSE_FIND) {
        tui->find[0] = '\0';
        go_back_to_row(tui);
    }
    tui_say(tui, ROLE_NORMAL, "");
    tui_close_overlay(tui);
}

/* False: what was typed makes no sense, and the prompt stays. */
static bool keep_prompt(struct tui *tui)
{
    if (tui->purpose == PURPOSE_INTERVAL)
        return take_interval(tui);
    if (tui->purpose == PURPOSE_TIME)
        return tui_go_to_time(tui);
    if (tui->purpose == PURPOSE_RECORD)
        return tui_begin_recording(tui);
    if (tui->purpose == PURPOSE_MARK_NAME)
        tui_keep_mark(tui);
    return true;
}

static void prompt_overlay_key(struct tui *tui, const struct key *key)
{
    switch (prompt_key(&tui->prompt, key)) {
    case PROMPT_EDITED:
        edit_prompt(tui);
        break;
    case PROMPT_KEPT:
        if (keep_prompt(tui))
            tui_close_overlay(tui);
        break;
    case PROMPT_LEFT:
        leave_prompt(tui);
        break;
    case PROMPT_SAME:
        break;
    }
}

static void choose_sort(struct table *table, size_t index)
{
    const struct column *columns;
    bool is_ascending;
    size_t count = table_columns(table, &columns);

    if (index >= count)
        return;
    /* The same column again reverses, as a second click does. */
    if (table_sort_column(table, &is_ascending) == index)
        table_sort_index(table, index, !is_ascending);
    else
        table_sort_index(table, index, columns[index].ascending_first);
}

static void choose_item(struct tui *tui)
{
    struct table *table = tui_table(tui);
    int value = tui->menu.items[tui->menu.selected].value;

    if (tui->purpose == PURPOSE_MARK) {
        tui_choose_mark(tui, (uint32_t)value);
    } else if (tui->purpose == PURPOSE_SORT && table) {
        choose_sort(table, (size_t)value);
    } else if (tui->purpose == PURPOSE_ACTIONS) {
        tui_close_overlay(tui);
        tui_ask_chosen_action(tui, value);
        return;
    }
    tui_close_overlay(tui);
}

static void toggle_item(struct tui *tui)
{
    struct table *table = tui_table(tui);
    struct menu_item *item = &tui->menu.items[tui->menu.selected];

    if (!table)
        return;
    table_show_column(table, (size_t)item->value, !item->is_checked);
    item->is_checked = table_column_shown(table, (size_t)item->value);
}

static void menu_overlay_key(struct tui *tui, const struct key *key)
{
    /* In the column chooser s sorts by the selected column, as in top's fields. */
    if (tui->purpose == PURPOSE_COLUMNS && strcmp(key->name, "s") == 0) {
        tui->purpose = PURPOSE_SORT;
        choose_item(tui);
        return;
    }
    switch (menu_key(&tui->menu, key)) {
    case MENU_CHOSEN:
        choose_item(tui);
        break;
    case MENU_TOGGLED:
        toggle_item(tui);
        break;
    case MENU_CLOSED:
        tui_close_overlay(tui);
        break;
    case MENU_OPEN:
        break;
    }
}

static void dialog_accepted(struct tui *tui)
{
    if (tui->purpose == PURPOSE_ACTION && !tui_run_action(tui))
        return;
    tui->is_over |= tui->purpose == PURPOSE_QUIT;
    if (tui->purpose == PURPOSE_QUIT)
        tui_close_overlay(tui);
}

static void dialog_closed(struct tui *tui)
{
    bool is_progress = tui->purpose == PURPOSE_PROGRESS;

    tui_close_overlay(tui);
    if (is_progress)
        tui_stop_waiting(tui);
}

static void dialog_overlay_key(struct tui *tui, const struct key *key)
{
    switch (dialog_key(&tui->dialog, key)) {
    case DIALOG_OPEN:
        break;
    case DIALOG_CHANGED:
        if (tui->purpose == PURPOSE_ACTION)
            tui_explain_action(tui);
        break;
    case DIALOG_CLOSED:
        dialog_closed(tui);
        break;
    case DIALOG_ACCEPTED:
        dialog_accepted(tui);
        break;
    }
}

void tui_overlay_key(struct tui *tui, const struct key *key)
{
    switch (tui->overlay) {
    case OVERLAY_PROMPT:
        prompt_overlay_key(tui, key);
        break;
    case OVERLAY_MENU:
        menu_overlay_key(tui, key);
        break;
    case OVERLAY_DIALOG:
        dialog_overlay_key(tui, key);
        break;
    case OVERLAY_HELP:
        if (!help_key(&tui->help, key))
            tui_close_overlay(tui);
        break;
    case OVERLAY_NONE:
        break;
    }
}

void tui_draw_overlay(struct tui *tui)
{
    struct canvas *canvas = &tui->canvas;

    switch (tui->overlay) {
    case OVERLAY_PROMPT:
        prompt_draw(&tui->prompt, canvas, canvas->height - 1);
        break;
    case OVERLAY_MENU:
        menu_draw(&tui->menu, canvas);
        break;
    case OVERLAY_DIALOG:
        dialog_draw(&tui->dialog, canvas);
        break;
    case OVERLAY_HELP:
        help_draw(&tui->help, canvas);
        break;
    case OVERLAY_NONE:
        break;
    }
}
