#include "tui/screen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/difference.h"
#include "tui/screen_private.h"
#include "util/xalloc.h"

struct screen *screen_new(struct history *history)
{
    struct screen *screen = xcalloc(1, sizeof(*screen));

    screen->history = history;
    screen->delta = DELTA_MARK; /* since the previous walk until there is a mark */
    screen->allows_actions = true;
    screen->filter = xstrdup("");
    screen->pattern = xstrdup("");
    for (size_t i = 0; panes[i] && i < SCREEN_PANES; i++) {
        screen->panes[i] = panes[i]->create();
        screen->n_panes++;
    }
    screen_update(screen);
    return screen;
}

void screen_free(struct screen *screen)
{
    if (!screen)
        return;
    for (size_t i = 0; i < screen->n_panes; i++)
        panes[i]->destroy(screen->panes[i]);
    history_free(screen->past);
    snapshot_unref(screen->shown);
    snapshot_unref(screen->older);
    snapshot_unref(screen->older_sample);
    inspection_free(screen->inspection);
    answer_free(screen->answer);
    free(screen->filter);
    free(screen->pattern);
    free(screen);
}

void screen_use_history(struct screen *screen, struct history *history)
{
    screen->history = history;
    screen->is_past = screen->is_paused = false;
    screen_update(screen);
}

void screen_show_replay(struct screen *screen, const char *label)
{
    snprintf(screen->replay, sizeof(screen->replay), "%s", label);
}

void screen_show_recording(struct screen *screen, const char *label)
{
    snprintf(screen->recording, sizeof(screen->recording), "%s", label);
}

bool screen_moves_in_time(const struct screen *screen)
{
    return screen_pane(screen)->moves_in_time;
}

const struct pane_ops *screen_pane(const struct screen *screen)
{
    return panes[screen->current];
}

const char *screen_breadcrumb(const struct screen *screen)
{
    const struct pane_ops *pane = screen_pane(screen);

    return pane->breadcrumb ? pane->breadcrumb(screen->panes[screen->current]) : NULL;
}

const struct mark *screen_mark(const struct screen *screen)
{
    const struct mark *marks;
    const struct mark *chosen = history_find_mark(screen->history, screen->mark_number);
    size_t count = history_marks(screen->history, &marks);

    if (chosen)
        return chosen;
    /* A recording knows of marks that were set later. */
    while (screen->replay[0] && count && screen->shown &&
           marks[count - 1].snapshot->seq > screen->shown->seq)
        count--;
    return count ? &marks[count - 1] : NULL;
}

enum delta_mode screen_delta(const struct screen *screen)
{
    if (screen->delta == DELTA_MARK && !screen_mark(screen))
        return DELTA_PREVIOUS;
    return screen->delta;
}

/* Between two processes there are changes, but nothing per second. */
static bool is_for_mark(const struct screen *screen, const struct mark *mark)
{
    return screen->shown && mark && screen->delta != DELTA_PREVIOUS &&
           (screen->delta != DELTA_RATE ||
            difference_is_within_one(mark->snapshot, screen->shown));
}

/* What changes are counted from: the mark, else the walk and the sample before. */
static void compare(struct screen *screen)
{
    const struct mark *mark = screen_mark(screen);
    const struct snapshot *walk = NULL, *sample = NULL;

    if (is_for_mark(screen, mark)) {
        walk = sample = mark->snapshot;
    } else if (screen->shown) {
        walk = history_previous_walk(screen->history, screen->shown);
        sample = history_previous(screen->history, screen->shown);
    }
    if (screen->delta == DELTA_OFF)
        walk = sample = NULL;
    screen->older = walk ? snapshot_ref(walk) : NULL;
    screen->older_sample = sample ? snapshot_ref(sample) : NULL;
}

void screen_header_input(const struct screen *screen, struct header_input *input)
{
    const struct mark *mark = screen_mark(screen);

    memset(input, 0, sizeof(*input));
    input->history = screen->history;
    input->is_paused = screen->is_paused;
    input->replay = screen->replay;
    input->recording = screen->recording;
    input->is_past = screen->is_past;
    input->mark = mark;
    input->now = screen->is_past ? screen->shown : history_latest(screen->history);
    if (!input->now || screen->delta == DELTA_OFF)
        return;
    if (mark && screen->delta == DELTA_MARK) {
        input->older = input->walked = mark->snapshot;
        return;
    }
    input->older = history_previous(screen->history, input->now);
    input->walked = history_previous_walk(screen->history, input->now);
}

/* To who asked, and only for the sample that it can be true of. */
static void give_answer(const struct screen *screen, struct view_input *input)
{
    struct inquiry wanted;

    screen_wanted_inquiry(screen, &wanted);
    input->answer_why =
        screen->replay[0] ? "a recording does not hold it: it is asked of a process" : "";
    if (!wanted.topic || !inquiry_is_same(&wanted, &screen->asked))
        return;
    input->answer = screen->answer;
    input->answer_why = screen->answer_why;
}

/* The references are kept, as panes may read them until their next update. */
void screen_update_pane(struct screen *screen)
{
    const struct snapshot *old = screen->older, *old_sample = screen->older_sample;
    struct view_input input = {0};

    compare(screen);
    input.snapshot = screen->shown;
    input.older = screen->older;
    input.older_sample = screen->older_sample;
    input.history = screen_pane(screen)->shows_all_time ? screen->history
                                                        : screen_shown_history(screen);
    input.delta = screen_delta(screen);
    input.filter = screen->filter;
    /* What was read now says nothing about then. */
    input.inspection = screen->is_past ? NULL : screen->inspection;
    give_answer(screen, &input);
    screen_pane(screen)->update(screen->panes[screen->current], &input);
    snapshot_unref(old);
    snapshot_unref(old_sample);
}

void screen_update(struct screen *screen)
{
    const struct snapshot *latest = history_latest(screen->history);
    const struct snapshot *old = screen->shown;

    if ((screen->is_paused || screen->is_past) && screen->shown)
        return;
    screen->shown = latest ? snapshot_ref(latest) : NULL;
    screen_update_pane(screen);
    snapshot_unref(old);
}

static void show_pane(struct screen *screen, size_t pane)
{
    screen->current = pane;
    screen_update_pane(screen);
}

bool screen_show_pane(struct screen *screen, const char *name)
{
    for (size_t i = 0; i < screen->n_panes; i++)
        if (strcmp(panes[i]->name, name) == 0) {
            show_pane(screen, i);
            return true;
        }
    for (size_t i = 0; i < screen->n_panes; i++)
        if (panes[i]->show_view && panes[i]->show_view(screen->panes[i], name)) {
            show_pane(screen, i);
            return true;
        }
    return false;
}

struct table *screen_table(struct screen *screen)
{
    const struct pane_ops *pane = screen_pane(screen);

    return pane->table ? pane->table(screen->panes[screen->current]) : NULL;
}

bool screen_sort_by(struct screen *screen, const char *sort)
{
    bool is_known = false;

    for (size_t i = 0; i < screen->n_panes; i++) {
        struct table *table = panes[i]->table ? panes[i]->table(screen->panes[i]) : NULL;

        if (table && table_sort_by(table, sort))
            is_known = true;
    }
    return is_known;
}

bool screen_sort_key(struct screen *screen, char key)
{
    struct table *table = screen_table(screen);

    return table && table_sort_key(table, key);
}

void screen_set_filter(struct screen *screen, const char *pattern)
{
    char *copy = xstrdup(pattern ? pattern : "");

    free(screen->filter);
    screen->filter = copy;
    screen_update_pane(screen);
}

const char *screen_filter(const struct screen *screen)
{
    return screen->filter;
}

bool screen_find(struct screen *screen, const char *pattern, int direction,
                 bool from_here)
{
    struct table *table = screen_table(screen);
    char *copy = xstrdup(pattern ? pattern : "");

    free(screen->pattern);
    screen->pattern = copy;
    return table && table_find(table, copy, direction, from_here);
}

void screen_choose_mark(struct screen *screen, uint32_t number)
{
    screen->mark_number = number;
    if (screen->delta != DELTA_RATE)
        screen->delta = DELTA_MARK;
    screen_update_pane(screen);
}

void screen_show_delta(struct screen *screen, enum delta_mode mode)
{
    screen->delta = mode;
    screen_update_pane(screen);
}

uint64_t screen_wanted_arena(const struct screen *screen)
{
    const struct pane_ops *pane = screen_pane(screen);

    if (screen->is_past)
        return 0;
    return pane->wants_arena ? pane->wants_arena(screen->panes[screen->current]) : 0;
}

void screen_take_inspection(struct screen *screen, struct inspection *inspection)
{
    struct inspection *old = screen->inspection;

    screen->inspection = inspection;
    screen_update_pane(screen);
    inspection_free(old);
}

void screen_wanted_inquiry(const struct screen *screen, struct inquiry *inquiry)
{
    const struct pane_ops *pane = screen_pane(screen);

    *inquiry = (struct inquiry){0};
    if (!pane->wants || screen->is_past)
        return;
    pane->wants(screen->panes[screen->current], inquiry);
    inquiry->shows_values = screen->shows_values;
}

void screen_take_answer(struct screen *screen, const struct inquiry *inquiry,
                        struct answer *answer, const char *why)
{
    struct answer *old = screen->answer;

    screen->answer = answer;
    screen->asked = *inquiry;
    snprintf(screen->answer_why, sizeof(screen->answer_why), "%s", answer ? "" : why);
    screen_update_pane(screen);
    answer_free(old);
}

void screen_show_values(struct screen *screen, bool shows_values)
{
    screen->shows_values = shows_values;
}

void screen_message(struct screen *screen, enum role role, const char *text)
{
    const struct snapshot *latest = history_latest(screen->history);

    snprintf(screen->message, sizeof(screen->message), "%s", text ? text : "");
    screen->message_role = role;
    screen->message_mono_ns = latest ? latest->mono_ns : 0;
}

void screen_allow_actions(struct screen *screen, bool allowed)
{
    screen->allows_actions = allowed;
}

void screen_use_mouse(struct screen *screen, bool mouse)
{
    screen->uses_mouse = mouse;
}

static void next_delta(struct screen *screen)
{
    static const char *const words[] = {
        "changes are not shown",
        ("changes since the previous walk; of size classes "
         "since the previous sample"),
        "changes since the mark", "changes per second"};
    enum delta_mode mode = (screen_delta(screen) + 1) % DELTA_MODES;

    if (mode == DELTA_MARK && !screen_mark(screen))
        mode++;
    screen_show_delta(screen, mode);
    screen_message(screen, ROLE_NORMAL, words[mode]);
}

const struct snapshot *screen_shown(const struct screen *screen)
{
    return screen->shown;
}

void screen_mark_here(struct screen *screen, const struct snapshot *snapshot,
                      const char *name)
{
    const struct mark *mark;
    const struct event *events;

    if (!snapshot)
        snapshot = screen->shown;
    if (!snapshot) {
        screen_message(screen, ROLE_WARNING, "there is no sample yet to mark");
        return;
    }
    mark = history_mark_snapshot(screen->history, snapshot, name, false, "");
    size_t count = history_events(screen->history, &events);
    screen->mark_number = mark->number;
    screen_show_delta(screen, DELTA_MARK);
    screen_message(screen, ROLE_NORMAL, events[count - 1].words);
}

static void pause_or_go_on(struct screen *screen)
{
    if (screen->is_past) {
        screen_time_command(screen, COMMAND_TIME_LIVE);
        return;
    }
    screen->is_paused = !screen->is_paused;
    screen_message(
        screen, ROLE_NORMAL,
        screen->is_paused ? "paused: the header goes on, the tables stand still" : "");
    screen_update(screen);
}

static void find_again(struct screen *screen, int direction)
{
    struct table *table = screen_table(screen);

    if (!*screen->pattern)
        screen_message(screen, ROLE_NORMAL, "nothing to find yet: / asks for it");
    else if (!table || !table_find(table, screen->pattern, direction, false))
        screen_message(screen, ROLE_WARNING, "not found");
}

/* From the overview Enter goes to the same row among all of them. */
static void open_tab(struct screen *screen, const char *tab)
{
    struct table *table = screen_table(screen);
    const struct table_row *row = table ? table_selected(table) : NULL;
    uint64_t identity = row ? row->identity : 0;

    if (!screen_show_pane(screen, tab))
        return;
    table = screen_table(screen);
    if (row && table && table_select(table, identity) && screen_pane(screen)->opens_row)
        screen_pane(screen)->command(screen->panes[screen->current], COMMAND_ENTER);
}

static bool pane_command(struct screen *screen, enum command_id command)
{
    const struct pane_ops *pane = screen_pane(screen);

    if (pane->command(screen->panes[screen->current], command) == PANE_HANDLED)
        return true;
    if (command == COMMAND_BACK && screen_leave_holders(screen))
        return true;
    if (command == COMMAND_ENTER) {
        if (pane->opens)
            open_tab(screen, pane->opens(screen->panes[screen->current]));
        return true;
    }
    if (command != COMMAND_BACK)
        return false;
    screen->message[0] = '\0';
    if (!*screen->filter)
        return false;
    screen_set_filter(screen, "");
    return true;
}

bool screen_command(struct screen *screen, enum command_id command)
{
    if (command >= COMMAND_TAB_1 && command <= COMMAND_TAB_9) {
        screen_show_tab(screen, (size_t)(command - COMMAND_TAB_1));
        return true;
    }
    if (screen_time_command(screen, command))
        return true;
    switch (command) {
    case COMMAND_TAB_NEXT:
        screen_next_tab(screen, 1);
        return true;
    case COMMAND_TAB_PREVIOUS:
        screen_next_tab(screen, -1);
        return true;
    case COMMAND_HOLDERS:
        return screen_open_holders(screen);
    case COMMAND_TAB_0:
        screen_next_plugin(screen);
        return true;
    case COMMAND_PLUGINS:
        return screen_open_plugins(screen);
    case COMMAND_DELTA:
        next_delta(screen);
        return true;
    case COMMAND_MARK:
        screen_mark_here(screen, NULL, NULL);
        return true;
    case COMMAND_PAUSE:
        pause_or_go_on(screen);
        return true;
    case COMMAND_HEADER:
        screen->is_header_hidden = !screen->is_header_hidden;
        return true;
    case COMMAND_STRONG_SORT:
        screen->is_strong = !screen->is_strong;
        return true;
    case COMMAND_FIND_NEXT:
    case COMMAND_FIND_PREVIOUS:
        find_again(screen, command == COMMAND_FIND_NEXT ? 1 : -1);
        return true;
    default:
        return pane_command(screen, command);
    }
}

enum screen_click screen_click(struct screen *screen, int y, int x,
                               enum command_id *command)
{
    const struct pane_ops *pane = screen_pane(screen);
    bool on_selected;

    *command = COMMAND_NONE;
    for (size_t i = 0; i < screen->n_hits; i++) {
        const struct hit *hit = &screen->hits[i];

        if (y != hit->y || x < hit->x || x >= hit->x + hit->width)
            continue;
        if (hit->tab) {
            screen_show_tab(screen, hit->tab - 1);
            return SCREEN_CLICK_HANDLED;
        }
        *command = hit->command;
        return SCREEN_CLICK_COMMAND;
    }
    if (pane->focus_at)
        pane->focus_at(screen->panes[screen->current], y, x);
    struct table *table = screen_table(screen);
    if (!table || !table_click(table, y, x, &on_selected))
        return SCREEN_CLICK_NOTHING;
    if (on_selected)
        screen_command(screen, COMMAND_ENTER);
    return SCREEN_CLICK_HANDLED;
}
