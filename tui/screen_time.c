/* The cursor in time: every tab shows an older sample until one goes back to now. */
#include <stdio.h>

#include "heaptop/units.h"
#include "tui/screen_private.h"

static void show_live(struct screen *screen)
{
    if (!screen->is_past) {
        screen_message(screen, ROLE_NORMAL, "this is the newest sample");
        return;
    }
    screen->is_past = false;
    screen_message(screen, ROLE_NORMAL, "");
    screen_update(screen);
}

static void show_past(struct screen *screen, const struct snapshot *snapshot)
{
    const struct snapshot *old = screen->shown;
    char clock[UNITS_MAX], text[UNITS_MAX + 64];

    screen->shown = snapshot_ref(snapshot);
    screen->is_past = true;
    snprintf(text, sizeof(text), "the sample of %s: t and T move, Z goes back to now",
             units_clock(clock, snapshot->wall_ns));
    screen_message(screen, ROLE_WARNING, text);
    screen_update_pane(screen);
    snapshot_unref(old);
}

/* Where the sample that is shown stands among those that are kept. */
static size_t place_of(const struct screen *screen)
{
    size_t at = history_count(screen->history);

    while (at > 1 && history_at(screen->history, at - 1)->seq > screen->shown->seq)
        at--;
    return at ? at - 1 : 0;
}

static void step(struct screen *screen, int direction)
{
    size_t at, count = history_count(screen->history);

    if (!screen->shown || !count)
        return;
    at = place_of(screen);
    if (direction < 0 && at == 0) {
        screen_message(screen, ROLE_NORMAL, "this is the oldest sample that is kept");
        return;
    }
    at = direction < 0 ? at - 1 : at + 1;
    if (at + 1 >= count)
        show_live(screen);
    else
        show_past(screen, history_at(screen->history, at));
}

void screen_show_time(struct screen *screen, int64_t wall_ns)
{
    size_t at = history_count(screen->history);

    if (!at)
        return;
    while (at > 1 && history_at(screen->history, at - 1)->wall_ns > wall_ns)
        at--;
    show_past(screen, history_at(screen->history, at - 1));
}

bool screen_time_command(struct screen *screen, enum command_id command)
{
    if (screen_pane(screen)->moves_in_time) {
        if (command == COMMAND_LEFT)
            command = COMMAND_TIME_PREVIOUS;
        else if (command == COMMAND_RIGHT)
            command = COMMAND_TIME_NEXT;
    }
    switch (command) {
    case COMMAND_TIME_PREVIOUS:
        step(screen, -1);
        return true;
    case COMMAND_TIME_NEXT:
        step(screen, 1);
        return true;
    case COMMAND_TIME_FIRST:
        if (history_count(screen->history))
            show_past(screen, history_at(screen->history, 0));
        return true;
    case COMMAND_TIME_LIVE:
        show_live(screen);
        return true;
    default:
        return false;
    }
}
