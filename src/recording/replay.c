#include "recording/replay.h"

#include <stdlib.h>

#include "recording/replay_cache.h"
#include "recording/when.h"
#include "util/clock.h"
#include "util/xalloc.h"

#define POINTS_WANTED 2048 /* of the headline numbers before the whole samples */
#define WHOLE_OLDER   32   /* older samples that are had whole */
#define WHOLE_OF_MANY \
    16 /* likewise, where each is of another file, and costs five times */
#define EARLIEST_READY 4 /* jumps to the last 3/4 of the time find what they need */
/* The first complete sample is looked for within these. */
#define SOON_SAMPLES 200
#define SOON_NS      (60 * NS_PER_S)

struct replay {
    struct recording *recording;
    struct history *history;
    struct replay_cache *cache;
    size_t first, last; /* of the recording */
    size_t at;          /* of the recording */
    bool has_end;
};

static void add_sample(struct replay *replay, size_t at)
{
    struct err err = ERR_INIT;
    const struct snapshot *snapshot = recording_snapshot(replay->recording, at, &err);

    if (!snapshot)
        return; /* it is counted: replay_lost() */
    history_add(replay->history, snapshot);
    snapshot_unref(snapshot);
}

static void add_older_sample(struct replay *replay, size_t at)
{
    const struct snapshot *snapshot =
        replay_cache_snapshot(replay->cache, replay->recording, at);

    if (snapshot)
        history_add(replay->history, snapshot);
}

static void add_numbers(struct replay *replay, size_t at)
{
    const struct history_point *point =
        replay_cache_point(replay->cache, replay->recording, at);

    if (point)
        history_add_numbers(replay->history, point);
}

/* A power of two, so that jumps to other times need mostly the same samples. */
static size_t step_for(size_t count, size_t wanted)
{
    size_t step = 1;

    while (count / step > wanted)
        step *= 2;
    return step;
}

/* Samples [from, to) before those that are had one after the other. */
static void add_older(struct replay *replay, size_t from, size_t to)
{
    size_t step = step_for(to - from, POINTS_WANTED);
    bool are_many = recording_files(replay->recording) > WHOLE_OLDER;
    size_t whole_step = step_for(to - from, are_many ? WHOLE_OF_MANY : WHOLE_OLDER);
    size_t seen = from;

    for (size_t at = from; at < to; at += step) {
        if ((at - from) % whole_step) {
            add_numbers(replay, at);
            continue;
        }
        recording_add_events(replay->recording, seen, at, replay->history);
        add_older_sample(replay, recording_key_before(replay->recording, at, seen));
        seen = at + 1;
    }
    recording_add_events(replay->recording, seen, to, replay->history);
}

static void rebuild(struct replay *replay, size_t at)
{
    struct history *old = replay->history;
    size_t recent =
        at - replay->first < HISTORY_RECENT ? replay->first : at + 1 - HISTORY_RECENT;

    replay->history = history_new();
    if (old)
        history_move_marks(replay->history, old);
    history_free(old);
    recording_hold(replay->recording);
    add_older(replay, replay->first, recent);
    for (size_t i = recent; i <= at; i++)
        add_sample(replay, i);
    recording_let_go(replay->recording);
    replay->at = at;
}

/* The earlier a time, the closer together lie the samples that a jump there needs. What
 * is had when the recording opens makes no jump late. */
static void make_ready(struct replay *replay)
{
    for (size_t part = 1; part <= EARLIEST_READY; part *= 2)
        rebuild(replay, replay->first + (replay->last - replay->first) / part);
    rebuild(replay, replay->first);
}

void replay_seek(struct replay *replay, size_t at)
{
    at += replay->first;
    if (at > replay->last)
        at = replay->last;
    if (at == replay->at + 1)
        add_sample(replay, ++replay->at);
    else if (at != replay->at)
        rebuild(replay, at);
}

static bool is_complete(const struct replay *replay)
{
    const struct snapshot *snapshot = history_back(replay->history, 0);

    return snapshot && snapshot->is_complete;
}

void replay_seek_complete(struct replay *replay)
{
    int64_t first_ns = replay_wall_ns(replay, 0);

    replay_seek(replay, 0);
    while (!is_complete(replay)) {
        size_t at = replay_at(replay) + 1;

        if (at >= replay_count(replay) || at > SOON_SAMPLES ||
            replay_wall_ns(replay, at) - first_ns > SOON_NS) {
            replay_seek(replay, 0);
            return;
        }
        replay_seek(replay, at);
    }
}

const struct snapshot *replay_last_complete(struct replay *replay)
{
    const struct snapshot *snapshot;

    replay_seek(replay, replay_count(replay) - 1);
    for (size_t back = 0; (snapshot = history_back(replay->history, back)); back++)
        if (snapshot->is_complete)
            return snapshot_ref(snapshot);
    return NULL;
}

/* Marks of samples that cannot be had any more are left out. */
static void restore_marks(struct replay *replay)
{
    const struct recorded_mark *marks;
    size_t count = recording_marks(replay->recording, &marks);

    for (size_t i = 0; i < count; i++) {
        struct err err = ERR_INIT;
        const struct snapshot *snapshot =
            recording_snapshot(replay->recording, marks[i].at, &err);

        if (snapshot)
            history_restore_mark(replay->history, snapshot, marks[i].name,
                                 marks[i].is_automatic);
        snapshot_unref(snapshot);
    }
}

int replay_open(const char *path, const char *begin, const char *end,
                struct replay **opened, struct err *err)
{
    struct replay *replay = xcalloc(1, sizeof(*replay));

    if (recording_open(path, &replay->recording, err) ||
        when_range(replay->recording, begin, end, &replay->first, &replay->last, err)) {
        replay_close(replay);
        return -1;
    }
    replay->has_end = end != NULL;
    replay->history = history_new();
    replay->cache = replay_cache_new();
    restore_marks(replay);
    make_ready(replay);
    *opened = replay;
    return 0;
}

void replay_close(struct replay *replay)
{
    if (!replay)
        return;
    history_free(replay->history);
    replay_cache_free(replay->cache);
    recording_close(replay->recording);
    free(replay);
}

struct history *replay_history(const struct replay *replay)
{
    return replay->history;
}

size_t replay_at(const struct replay *replay)
{
    return replay->at - replay->first;
}

size_t replay_count(const struct replay *replay)
{
    return replay->last - replay->first + 1;
}

size_t replay_find(const struct replay *replay, int64_t wall_ns)
{
    size_t at = recording_at_time(replay->recording, wall_ns);

    return at < replay->first ? 0 : at - replay->first;
}

int64_t replay_wall_ns(const struct replay *replay, size_t at)
{
    return recording_wall_ns(replay->recording, replay->first + at);
}

size_t replay_refresh(struct replay *replay)
{
    size_t more = replay->has_end ? 0 : recording_refresh(replay->recording);

    replay->last += more;
    return more;
}

size_t replay_lost(const struct replay *replay, char *words, size_t size)
{
    return recording_lost(replay->recording, words, size);
}

void replay_note(const struct replay *replay, char *words, size_t size)
{
    recording_note(replay->recording, words, size);
}
