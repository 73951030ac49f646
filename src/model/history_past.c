/*
 * The history as it stood at an older sample, for who looks back: of what is still known
 * of that time, nothing that came later.
 */
#include <stdlib.h>
#include <string.h>

#include "model/history_private.h"
#include "util/xalloc.h"

/* What came while the sample was taken is not later than it. */
static bool is_of(const struct snapshot *snapshot, const struct event *event)
{
    for (size_t i = 0; i < snapshot->n_events; i++)
        if (snapshot->events[i].wall_ns == event->wall_ns &&
            !strcmp(snapshot->events[i].words, event->words))
            return true;
    return false;
}

bool history_is_later(const struct event *event, const struct snapshot *snapshot)
{
    return event->wall_ns > snapshot->wall_ns && !is_of(snapshot, event);
}

static void take_snapshots(struct history *past, const struct history *history,
                           const struct snapshot *last)
{
    size_t count = history_count(history), first;

    while (count && history_at(history, count - 1)->mono_ns >= last->mono_ns)
        count--;
    first = count > HISTORY_RECENT - 1 ? count - (HISTORY_RECENT - 1) : 0;
    while (past->n_kept < first && past->n_kept < HISTORY_KEPT) {
        past->kept[past->n_kept] = snapshot_ref(history_at(history, past->n_kept));
        past->n_kept++;
    }
    for (size_t i = first; i < count; i++)
        past->recent[past->added++] = snapshot_ref(history_at(history, i));
    past->recent[past->added++] = snapshot_ref(last);
}

static void take_points(struct history *past, const struct history *history,
                        int64_t mono_ns)
{
    while (past->n_points < history->n_points &&
           history->points[past->n_points].mono_ns <= mono_ns) {
        past->points[past->n_points] = history->points[past->n_points];
        past->n_points++;
    }
}

static void take_events(struct history *past, const struct history *history,
                        const struct snapshot *last)
{
    for (size_t i = 0; i < history->n_events; i++)
        if (!history_is_later(&history->events[i], last))
            past->events[past->n_events++] = history->events[i];
}

/* With their numbers: those that were dropped left gaps. */
static void take_marks(struct history *past, const struct history *history,
                       uint64_t last_seq)
{
    const struct marks *marks = &history->marks;

    for (size_t i = 0; i < marks->count; i++)
        if (marks->items[i].snapshot->seq <= last_seq) {
            past->marks.last_number = marks->items[i].number - 1;
            marks_add(&past->marks, marks->items[i].snapshot, marks->items[i].name,
                      marks->items[i].is_automatic);
        }
}

struct history *history_as_of(const struct history *history,
                              const struct snapshot *snapshot)
{
    struct history *past = xcalloc(1, sizeof(*past));
    int64_t mono_ns = snapshot->mono_ns;

    take_snapshots(past, history, snapshot);
    take_points(past, history, mono_ns);
    take_events(past, history, snapshot);
    take_marks(past, history, snapshot->seq);
    past->kinds = growth_as_of(history->kinds, mono_ns);
    past->classes = growth_as_of(history->classes, mono_ns);
    past->series = growth_as_of(history->series, mono_ns);
    past->parts = growth_as_of(history->parts, mono_ns);
    if (history->sharing.wall_ns <= snapshot->wall_ns)
        past->sharing = history->sharing;
    if (history->cause.begun_mono_ns <= mono_ns)
        past->cause = history->cause;
    return past;
}
