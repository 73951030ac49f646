#include "model/history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/history_private.h"
#include "util/xalloc.h"

#define THINNED_TO      (HISTORY_POINTS / 8 * 7)
#define KEPT_THINNED_TO (HISTORY_KEPT / 8 * 7)
#define KEPT_LEAST      2 /* whatever room they need */
#define RECENT_LEAST    4

static const struct {
    const char *name;
    enum history_unit unit;
} series_rows[SERIES_COUNT] = {
    [SERIES_RES] = {"RES", HISTORY_BYTES},
    [SERIES_VIRT] = {"VIRT", HISTORY_BYTES},
    [SERIES_USS] = {"USS", HISTORY_BYTES},
    [SERIES_SWAP] = {"swap", HISTORY_BYTES},
    [SERIES_FILES] = {"mapped files", HISTORY_BYTES},
    [SERIES_SHARED] = {"shared memory", HISTORY_BYTES},
    [SERIES_PYMALLOC] = {"arenas", HISTORY_BYTES},
    [SERIES_LIVE] = {"blocks in use", HISTORY_BYTES},
    [SERIES_MALLOC_USED] = {"malloc used", HISTORY_BYTES},
    [SERIES_MALLOC_FREE] = {"malloc free", HISTORY_BYTES},
    [SERIES_OBJECTS] = {"objects", HISTORY_NUMBER},
    [SERIES_MEMORY] = {"memory of objects", HISTORY_BYTES},
    [SERIES_GARBAGE] = {"garbage", HISTORY_BYTES},
    [SERIES_PAUSES] = {"GC pauses", HISTORY_DURATION},
};

const char *history_series_name(enum history_series series)
{
    return series_rows[series].name;
}

enum history_unit history_series_unit(enum history_series series)
{
    return series_rows[series].unit;
}

void history_set_sharing(struct history *history, const struct sharing *sharing)
{
    history->sharing = *sharing;
}

const struct sharing *history_sharing(const struct history *history)
{
    return &history->sharing;
}

struct cause *history_cause(struct history *history)
{
    return &history->cause;
}

const struct cause *history_cause_found(const struct history *history)
{
    return &history->cause;
}

struct history *history_new(void)
{
    struct history *history = xcalloc(1, sizeof(*history));

    history->kinds = growth_new();
    history->classes = growth_new();
    history->series = growth_new_of_readings();
    history->parts = growth_new_of_readings();
    return history;
}

void history_free(struct history *history)
{
    if (!history)
        return;
    for (size_t i = 0; i < HISTORY_RECENT; i++)
        snapshot_unref(history->recent[i]);
    for (size_t i = 0; i < history->n_kept; i++)
        snapshot_unref(history->kept[i]);
    marks_release(&history->marks);
    growth_free(history->kinds);
    growth_free(history->classes);
    growth_free(history->series);
    growth_free(history->parts);
    free(history);
}

static size_t n_recent(const struct history *history)
{
    size_t first = history->added > HISTORY_RECENT ? history->added - HISTORY_RECENT : 0;

    return history->added - (history->released > first ? history->released : first);
}

/* Pauses are what came since the point before, so those of points that go are added to
 * the next one that stays. */
static void history_thin(struct history *history)
{
    int64_t times_ns[HISTORY_POINTS];
    size_t kept[THINNED_TO], n_kept, from = 0;

    for (size_t i = 0; i < history->n_points; i++)
        times_ns[i] = history->points[i].mono_ns;
    n_kept = thinning_choose(times_ns, history->n_points, THINNED_TO, kept);
    for (size_t i = 0; i < n_kept; i++) {
        struct history_point point = history->points[kept[i]];
        struct reading *pauses = &point.values[SERIES_PAUSES];

        for (; from < kept[i]; from++)
            if (reading_is_known(*pauses))
                pauses->value += history->points[from].values[SERIES_PAUSES].value;
        from = kept[i] + 1;
        history->points[i] = point;
    }
    history->n_points = n_kept;
}

static void add_pauses(struct history *history, struct history_point *point)
{
    struct reading total = point->values[SERIES_PAUSES];
    struct reading since = reading_difference(total, history->pause_total_ns);

    /* An agent that came anew counts from 0. */
    point->values[SERIES_PAUSES] = since.value >= 0 ? since : reading_unknown();
    history->pause_total_ns = total;
}

static void add_process(struct history_point *point,
                        const struct process_section *process)
{
    if (!process)
        return;
    point->values[SERIES_RES] = process->res_bytes;
    point->values[SERIES_VIRT] = process->virt_bytes;
    point->values[SERIES_USS] = process->uss_bytes;
    point->values[SERIES_SWAP] = process->swap_bytes;
    point->values[SERIES_FILES] = process->file_bytes;
    point->values[SERIES_SHARED] = process->shmem_bytes;
}

static void add_malloc(struct history_point *point, const struct malloc_section *section)
{
    struct reading cached;

    if (!section || !reading_is_known(section->used_bytes))
        return;
    cached = reading_sum(section->tcache_bytes, section->top_bytes);
    point->values[SERIES_MALLOC_USED] =
        reading_sum(section->used_bytes, section->mmapped_bytes);
    point->values[SERIES_MALLOC_FREE] =
        reading_sum(reading_sum(section->free_bytes, section->fastbin_bytes), cached);
}

void history_numbers(const struct snapshot *snapshot, struct history_point *point)
{
    memset(point, 0, sizeof(*point));
    point->mono_ns = snapshot->mono_ns;
    point->wall_ns = snapshot->wall_ns;
    add_process(point, snapshot->process);
    add_malloc(point, snapshot->malloc);
    if (snapshot->account)
        point->values[SERIES_GARBAGE] = snapshot->account->garbage_bytes;
    if (snapshot->pymalloc) {
        point->values[SERIES_PYMALLOC] =
            reading_exact((int64_t)snapshot->pymalloc->arena_bytes);
        point->values[SERIES_LIVE] =
            reading_exact((int64_t)snapshot->pymalloc->used_bytes);
    }
    if (snapshot->objects) {
        point->values[SERIES_OBJECTS] = reading_exact((int64_t)snapshot->objects->count);
        point->values[SERIES_MEMORY] =
            reading_exact((int64_t)snapshot->objects->memory_bytes);
    }
    if (snapshot->gc)
        point->values[SERIES_PAUSES] = snapshot->gc->pauses.total_ns;
}

/* What is not known yet begins when it is. */
static void follow_series(struct history *history)
{
    const struct history_point *point = &history->points[history->n_points - 1];

    growth_begin(history->series, point->mono_ns, point->wall_ns);
    for (uint64_t i = 0; i < SERIES_COUNT; i++)
        if (reading_is_known(point->values[i]))
            growth_put(history->series, i + 1, 0, point->values[i].value);
    growth_end(history->series);
}

static void follow_kinds(struct history *history, const struct objects_section *objects)
{
    if (!objects || objects->walk.ended_mono_ns == history->walk_ended_ns)
        return;
    history->walk_ended_ns = objects->walk.ended_mono_ns;
    growth_begin(history->kinds, objects->walk.ended_mono_ns,
                 objects->walk.ended_wall_ns);
    for (size_t i = 0; i < objects->n_kinds; i++)
        growth_put(history->kinds, history_kind_key(objects->kinds[i].kind),
                   (int64_t)objects->kinds[i].count,
                   (int64_t)objects->kinds[i].memory_bytes);
    growth_end(history->kinds);
}

static void follow_parts(struct history *history, const struct account_section *account)
{
    if (!account || account->ended_mono_ns == history->account_ended_ns)
        return;
    history->account_ended_ns = account->ended_mono_ns;
    growth_begin(history->parts, account->ended_mono_ns,
                 history->points[history->n_points - 1].wall_ns);
    for (int i = 0; i < ACCOUNT_PARTS; i++)
        growth_put(history->parts, (uint64_t)i + 1, 0,
                   (int64_t)account->parts[i].resident);
    growth_end(history->parts);
}

static void follow_classes(struct history *history, const struct snapshot *snapshot)
{
    const struct pymalloc_section *pymalloc = snapshot->pymalloc;

    if (!pymalloc)
        return;
    growth_begin(history->classes, snapshot->mono_ns, snapshot->wall_ns);
    for (size_t i = 0; i < pymalloc->n_size_classes; i++) {
        const struct size_class_row *row = &pymalloc->size_classes[i];

        growth_put(history->classes, row->block_bytes, (int64_t)row->blocks_used,
                   (int64_t)row->blocks_used * row->block_bytes);
    }
    growth_end(history->classes);
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

/* The older, the sparser: see thinning.h. */
static void thin_kept(struct history *history, size_t most)
{
    int64_t times_ns[HISTORY_KEPT + 1];
    size_t kept[HISTORY_KEPT + 1], count = history->n_kept, n_kept, next = 0;

    for (size_t i = 0; i < count; i++)
        times_ns[i] = history->kept[i]->mono_ns;
    times_ns[count] = history_latest(history)->mono_ns;
    n_kept = thinning_choose(times_ns, count + 1, most + 1, kept) - 1;
    for (size_t i = 0; i < count; i++) {
        if (next == n_kept || kept[next] != i)
            snapshot_unref(history->kept[i]);
        else
            history->kept[next++] = history->kept[i];
    }
    history->n_kept = n_kept;
}

/* The ring gives its reference away. */
static void keep_old(struct history *history, const struct snapshot *snapshot)
{
    if (!snapshot)
        return;
    if (history->n_kept == HISTORY_KEPT)
        thin_kept(history, KEPT_THINNED_TO);
    history->kept[history->n_kept++] = snapshot;
}

/* Of the partitions that are held; samples share them until the next walk. */
static uint64_t rows_bytes(const struct history *history)
{
    const struct objects_section *last = NULL;
    uint64_t bytes = 0;

    for (size_t i = 0; i < history_count(history); i++) {
        const struct objects_section *objects = history_at(history, i)->objects;

        if (objects && objects != last)
            bytes += objects->n_kinds * sizeof(objects->kinds[0]);
        last = objects;
    }
    return bytes;
}

/* The oldest recent one counts as old from now on. */
static void release_oldest(struct history *history)
{
    size_t oldest = history->added - n_recent(history);
    const struct snapshot **slot = &history->recent[oldest % HISTORY_RECENT];

    keep_old(history, *slot);
    *slot = NULL;
    history->released = oldest + 1;
}

/* A program that makes classes without end has partitions of many megabytes. */
static void keep_within_room(struct history *history)
{
    while (rows_bytes(history) > HISTORY_ROWS_BYTES) {
        if (history->n_kept > KEPT_LEAST)
            thin_kept(history, history->n_kept - 1);
        else if (n_recent(history) > RECENT_LEAST)
            release_oldest(history);
        else
            return;
    }
}

void history_add_numbers(struct history *history, const struct history_point *point)
{
    if (history->n_points == HISTORY_POINTS)
        history_thin(history);
    history->points[history->n_points] = *point;
    add_pauses(history, &history->points[history->n_points++]);
    follow_series(history);
}

void history_add(struct history *history, const struct snapshot *snapshot)
{
    struct history_point point;
    const struct snapshot **slot = &history->recent[history->added % HISTORY_RECENT];

    keep_old(history, *slot);
    *slot = snapshot_ref(snapshot);
    history->added++;
    history_numbers(snapshot, &point);
    history_add_numbers(history, &point);
    follow_kinds(history, snapshot->objects);
    follow_classes(history, snapshot);
    follow_parts(history, snapshot->account);
    keep_within_room(history);
    for (size_t i = 0; i < snapshot->n_events; i++)
        history_add_event(history, &snapshot->events[i]);
}

const struct snapshot *history_latest(const struct history *history)
{
    return history_back(history, 0);
}

const struct snapshot *history_back(const struct history *history, size_t back)
{
    if (back >= n_recent(history))
        return NULL;
    return history->recent[(history->added - 1 - back) % HISTORY_RECENT];
}

size_t history_count(const struct history *history)
{
    return history->n_kept + n_recent(history);
}

const struct snapshot *history_at(const struct history *history, size_t index)
{
    if (index < history->n_kept)
        return history->kept[index];
    if (index >= history_count(history))
        return NULL;
    return history_back(history, history_count(history) - 1 - index);
}

size_t history_at_time(const struct history *history, int64_t mono_ns)
{
    size_t at = history_count(history);

    while (at > 1 && history_at(history, at - 1)->mono_ns > mono_ns)
        at--;
    return at ? at - 1 : 0;
}

const struct snapshot *history_previous_walk(const struct history *history,
                                             const struct snapshot *snapshot)
{
    for (size_t i = history_count(history); i > 0; i--) {
        const struct snapshot *older = history_at(history, i - 1);

        if (older->seq < snapshot->seq && older->objects &&
            older->objects != snapshot->objects)
            return older;
    }
    return NULL;
}

const struct snapshot *history_previous(const struct history *history,
                                        const struct snapshot *snapshot)
{
    for (size_t i = history_count(history); i > 0; i--)
        if (history_at(history, i - 1)->seq < snapshot->seq)
            return history_at(history, i - 1);
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

static bool is_same_event(const struct event *a, const struct event *b)
{
    return a->wall_ns == b->wall_ns && !strcmp(a->words, b->words);
}

size_t history_new_events(const struct history *history, struct event_cursor *cursor,
                          const struct event **events)
{
    size_t first = history->n_events;

    while (first > 0 && !(cursor->has_last &&
                          is_same_event(&history->events[first - 1], &cursor->last)))
        first--;
    *events = history->events + first;
    if (history->n_events) {
        cursor->has_last = true;
        cursor->last = history->events[history->n_events - 1];
    }
    return history->n_events - first;
}

struct growth *history_kinds_growth(const struct history *history)
{
    return history->kinds;
}

struct growth *history_series_growth(const struct history *history)
{
    return history->series;
}

struct growth *history_parts_growth(const struct history *history)
{
    return history->parts;
}

struct growth *history_classes_growth(const struct history *history)
{
    return history->classes;
}

const struct mark *history_mark_snapshot(struct history *history,
                                         const struct snapshot *snapshot,
                                         const char *name, bool is_automatic,
                                         const char *why)
{
    const struct mark *mark = marks_add(&history->marks, snapshot, name, is_automatic);
    struct event event = {.wall_ns = snapshot->wall_ns, .type = EVENT_MARK};
    bool is_named = name && *name;

    snprintf(event.words, sizeof(event.words), "mark #%u%s%s set at sample %llu%s",
             (unsigned)mark->number, is_named ? " " : "", is_named ? mark->name : "",
             (unsigned long long)snapshot->seq, why);
    history_add_event(history, &event);
    return mark;
}

void history_restore_mark(struct history *history, const struct snapshot *snapshot,
                          const char *name, bool is_automatic)
{
    marks_add(&history->marks, snapshot, name, is_automatic);
}

void history_move_marks(struct history *to, struct history *from)
{
    marks_release(&to->marks);
    to->marks = from->marks;
    memset(&from->marks, 0, sizeof(from->marks));
}

const struct mark *history_mark(struct history *history, const char *name)
{
    const struct snapshot *latest = history_latest(history);

    return latest ? history_mark_snapshot(history, latest, name, false, "") : NULL;
}

size_t history_marks(const struct history *history, const struct mark **marks)
{
    *marks = history->marks.items;
    return history->marks.count;
}

const struct mark *history_find_mark(const struct history *history, uint32_t number)
{
    return marks_find(&history->marks, number);
}
