/* What lies between two recordings (--compare), or between two times of one (--changes).
 */
#include "batch/batch.h"

#include <stdio.h>
#include <string.h>

#include "recording/replay.h"
#include "sink/difference.h"

/* A recording with the sample that is compared. */
struct compared {
    const char *path;
    struct replay *replay;
    const struct snapshot *snapshot; /* a reference */
    int64_t window_ns;               /* from the first to the last sample */
};

static int open_compared(struct compared *compared, const char *path,
                         const struct args *args, struct err *err)
{
    memset(compared, 0, sizeof(*compared));
    compared->path = path;
    if (replay_open(path, args->begin, args->end, &compared->replay, err))
        return err_prefix(err, "%.200s", path);
    compared->window_ns =
        replay_wall_ns(compared->replay, replay_count(compared->replay) - 1) -
        replay_wall_ns(compared->replay, 0);
    return 0;
}

static void close_compared(struct compared *compared)
{
    snapshot_unref(compared->snapshot);
    replay_close(compared->replay);
}

static int no_sample(const struct compared *compared, struct err *err)
{
    err_set(err, ERR_FAILED, "%.200s has no complete sample to compare", compared->path);
    return err_remedy(err, "other times for --begin and --end may have one");
}

/* The last complete sample; the history is the one up to it. */
static int take_last(struct compared *compared, struct err *err)
{
    compared->snapshot = replay_last_complete(compared->replay);
    return compared->snapshot ? 0 : no_sample(compared, err);
}

static int take_first(struct compared *compared, struct err *err)
{
    for (size_t at = 0; at < replay_count(compared->replay); at++) {
        const struct snapshot *latest;

        replay_seek(compared->replay, at);
        latest = history_latest(replay_history(compared->replay));
        if (!latest || !latest->is_complete)
            continue;
        compared->snapshot = snapshot_ref(latest);
        return 0;
    }
    return no_sample(compared, err);
}

/* Both are told of: neither may be passed over in silence. */
static int tell_losses(const struct compared *before, const struct compared *after,
                       struct err *err)
{
    const struct compared *both[] = {before, after};
    char words[256];

    for (size_t i = 0; i < 2; i++) {
        if (!replay_lost(both[i]->replay, words, sizeof(words)) && !words[0])
            continue;
        err_set(err, ERR_DAMAGED, "%.120s: %s", both[i]->path, words);
        return err_remedy(err, "what was printed is right; the rest cannot be had");
    }
    return 0;
}

static struct difference_side side_of(const struct compared *compared, bool has_growth)
{
    return (struct difference_side){
        .snapshot = compared->snapshot,
        .history = has_growth ? replay_history(compared->replay) : NULL,
        .window_ns = compared->window_ns,
    };
}

static int write_difference(const struct args *args, const struct compared *before,
                            const struct compared *after, struct err *err)
{
    bool is_one = before->replay == after->replay;
    struct difference_side sides[] = {side_of(before, !is_one), side_of(after, true)};
    struct difference difference;
    struct difference_report report = {
        .before = {before->path, before->snapshot, is_one ? 0 : before->window_ns},
        .after = {after->path, after->snapshot, after->window_ns},
        .difference = &difference,
        .rows = args->rows > 0 ? (size_t)args->rows : 0,
    };
    int result;

    difference_make(&difference, &sides[0], &sides[1], args->filter);
    result = !strcmp(args->output, "json") ? difference_write_json(stdout, &report, err)
                                           : difference_write_text(stdout, &report, err);
    difference_release(&difference);
    return result || tell_losses(before, after, err) ? -1 : 0;
}

int batch_compare(const struct args *args, struct err *err)
{
    struct compared before, after;
    int result = -1;

    if (open_compared(&after, args->read, args, err))
        return -1;
    if (!open_compared(&before, args->compare, args, err)) {
        if (!take_last(&before, err) && !take_last(&after, err))
            result = write_difference(args, &before, &after, err);
        close_compared(&before);
    }
    close_compared(&after);
    return result;
}

/* Both samples are of one recording, which is had only once. */
int batch_changes(const struct args *args, struct err *err)
{
    struct compared before, after;
    int result = -1;

    if (open_compared(&after, args->read, args, err))
        return -1;
    before = after;
    if (!take_first(&before, err) && !take_last(&after, err))
        result = write_difference(args, &before, &after, err);
    snapshot_unref(before.snapshot);
    close_compared(&after);
    return result;
}
