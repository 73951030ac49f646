#include "model/history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/xalloc.h"

struct history {
    const struct snapshot *recent[HISTORY_RECENT]; /* newest at (added - 1) % RECENT */
    size_t added;
    struct history_point points[HISTORY_POINTS];
    size_t n_points;
    struct event events[HISTORY_EVENTS];
    size_t n_events;
    struct mark marks[HISTORY_MARKS];
    size_t n_marks;
    uint32_t next_mark;
};

struct history *history_new(void)
{
    struct history *history = xcalloc(1, sizeof(*history));

    history->next_mark = 1;
    return history;
}

void history_free(struct history *history)
{
    if (!history)
        return;
    for (size_t i = 0; i < HISTORY_RECENT; i++)
        snapshot_unref(history->recent[i]);
    for (size_t i = 0; i < history->n_marks; i++)
        snapshot_unref(history->marks[i].snapshot);
    free(history);
}

/*
 * When full, the older half keeps every second point: the past is thinned by
 * age and the newest part stays as dense as it was sampled.
 */
static void history_thin(struct history *history)
{
    size_t half = HISTORY_POINTS / 2, kept = half / 2;

    for (size_t i = 0; i < kept; i++)
        history->points[i] = history->points[2 * i + 1];
    memmove(history->points + kept, history->points + half,
            (HISTORY_POINTS - half) * sizeof(history->points[0]));
    history->n_points -= half - kept;
}

static void history_add_point(struct history *history, const struct snapshot *snapshot)
{
    struct history_point *point;

    if (history->n_points == HISTORY_POINTS)
        history_thin(history);
    point = &history->points[history->n_points++];
    memset(point, 0, sizeof(*point));
    point->mono_ns = snapshot->mono_ns;
    point->wall_ns = snapshot->wall_ns;
    if (snapshot->process)
        point->res_bytes = snapshot->process->res_bytes;
    if (snapshot->pymalloc)
        point->pymalloc_bytes = reading_exact((int64_t)snapshot->pymalloc->arena_bytes);
    if (snapshot->objects)
        point->objects = reading_exact((int64_t)snapshot->objects->count);
}

void history_add_event(struct history *history, const struct event *event)
{
    if (history->n_events == HISTORY_EVENTS) {
        memmove(history->events, history->events + 1,
                (HISTORY_EVENTS - 1) * sizeof(history->events[0]));
        history->n_events--;
    }
    history->events[history->n_events++] = *event;
}

void history_add(struct history *history, const struct snapshot *snapshot)
{
    const struct snapshot **slot = &history->recent[history->added % HISTORY_RECENT];

    snapshot_unref(*slot);
    *slot = snapshot_ref(snapshot);
    history->added++;
    history_add_point(history, snapshot);
    for (size_t i = 0; i < snapshot->n_events; i++)
        history_add_event(history, &snapshot->events[i]);
}

const struct snapshot *history_latest(const struct history *history)
{
    return history_back(history, 0);
}

const struct snapshot *history_back(const struct history *history, size_t back)
{
    if (back >= HISTORY_RECENT || back >= history->added)
        return NULL;
    return history->recent[(history->added - 1 - back) % HISTORY_RECENT];
}

const struct snapshot *history_previous_walk(const struct history *history,
                                             const struct snapshot *snapshot)
{
    const struct snapshot *older;

    for (size_t back = 0; (older = history_back(history, back)); back++)
        if (older->seq < snapshot->seq && older->objects &&
            older->objects != snapshot->objects)
            return older;
    return NULL;
}

size_t history_points(const struct history *history, const struct history_point **points)
{
    *points = history->points;
    return history->n_points;
}

size_t history_events(const struct history *history, const struct event **events)
{
    *events = history->events;
    return history->n_events;
}

static void history_drop_oldest_mark(struct history *history)
{
    snapshot_unref(history->marks[0].snapshot);
    memmove(history->marks, history->marks + 1,
            (HISTORY_MARKS - 1) * sizeof(history->marks[0]));
    history->n_marks--;
}

const struct mark *history_mark(struct history *history, const char *name)
{
    const struct snapshot *latest = history_latest(history);
    struct mark *mark;

    if (!latest)
        return NULL;
    if (history->n_marks == HISTORY_MARKS)
        history_drop_oldest_mark(history);
    mark = &history->marks[history->n_marks++];
    mark->number = history->next_mark++;
    snprintf(mark->name, sizeof(mark->name), "%s", name ? name : "");
    mark->snapshot = snapshot_ref(latest);
    return mark;
}

size_t history_marks(const struct history *history, const struct mark **marks)
{
    *marks = history->marks;
    return history->n_marks;
}
