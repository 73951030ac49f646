/* The cursor in time: every tab shows an older sample until one goes back to now. */
#include <stdio.h>

#include "heaptop/units.h"
#include "tui/screen_private.h"

const struct history *screen_shown_history(struct screen *screen)
{
    if (!screen->shown || screen->shown == history_latest(screen->history))
        return screen->history;
    if (!screen->past || history_latest(screen->past) != screen->shown) {
        history_free(screen->past);
        screen->past = history_as_of(screen->history, screen->shown);
    }
    return screen->past;
}

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

void screen_look_back_in(struct screen *screen, struct recorder *recorder)
{
    screen->recorder = recorder;
}

/* One that only the recording has. */
static void show_recorded(struct screen *screen, uint64_t seq)
{
    struct err err = ERR_INIT;
    const struct snapshot *snapshot = recorder_recall(screen->recorder, seq, &err);

    if (snapshot)
        show_past(screen, snapshot);
    else
        screen_message(screen, ROLE_WARNING, err.text);
    snapshot_unref(snapshot);
}

/* The newest that is kept and older than the one on show, or the oldest that is newer. */
static const struct snapshot *kept_beside(const struct screen *screen, int direction)
{
    size_t count = history_count(screen->history), at = count;

    while (at > 0 && history_at(screen->history, at - 1)->seq > screen->shown->seq)
        at--;
    if (direction > 0)
        return at < count ? history_at(screen->history, at) : NULL;
    if (at > 0 && history_at(screen->history, at - 1)->seq == screen->shown->seq)
        at--;
    return at > 0 ? history_at(screen->history, at - 1) : NULL;
}

static void step_back(struct screen *screen)
{
    const struct snapshot *kept = kept_beside(screen, -1);
    uint64_t recorded =
        screen->recorder ? recorder_before(screen->recorder, screen->shown->seq) : 0;

    if (recorded && (!kept || recorded > kept->seq))
        show_recorded(screen, recorded);
    else if (kept)
        show_past(screen, kept);
    else
        screen_message(screen, ROLE_NORMAL, "this is the oldest sample that is kept");
}

static void step_forward(struct screen *screen)
{
    const struct snapshot *kept = kept_beside(screen, 1);
    uint64_t recorded =
        screen->recorder ? recorder_after(screen->recorder, screen->shown->seq) : 0;

    if (recorded && kept && recorded < kept->seq)
        show_recorded(screen, recorded);
    else if (kept && kept != history_latest(screen->history))
        show_past(screen, kept);
    else
        show_live(screen);
}

static void show_first(struct screen *screen)
{
    const struct snapshot *kept = history_at(screen->history, 0);
    uint64_t recorded = screen->recorder ? recorder_after(screen->recorder, 0) : 0;

    if (recorded && kept && recorded < kept->seq)
        show_recorded(screen, recorded);
    else if (kept)
        show_past(screen, kept);
}

void screen_show_time(struct screen *screen, int64_t wall_ns)
{
    size_t at = history_count(screen->history);
    uint64_t recorded =
        screen->recorder ? recorder_at_time(screen->recorder, wall_ns) : 0;
    const struct snapshot *kept;

    if (!at)
        return;
    while (at > 1 && history_at(screen->history, at - 1)->wall_ns > wall_ns)
        at--;
    kept = history_at(screen->history, at - 1);
    if (recorded && (recorded > kept->seq || kept->wall_ns > wall_ns))
        show_recorded(screen, recorded);
    else
        show_past(screen, kept);
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
        if (screen->shown)
            step_back(screen);
        return true;
    case COMMAND_TIME_NEXT:
        if (screen->shown)
            step_forward(screen);
        return true;
    case COMMAND_TIME_FIRST:
        show_first(screen);
        return true;
    case COMMAND_TIME_LIVE:
        show_live(screen);
        return true;
    default:
        return false;
    }
}
