/* A recording on the screen: stepping, jumping and playing in it. */
#include <stdio.h>
#include <string.h>

#include "heaptop/units.h"
#include "recording/when.h"
#include "tui/tui_private.h"
#include "util/clock.h"

#define PLAY_LEAST_NS (20 * NS_PER_MS)

static void show(struct tui *tui)
{
    char label[48];

    tui->history = replay_history(tui->replay);
    snprintf(label, sizeof(label), "%s %zu/%zu", tui->is_playing ? "PLAY" : "REPLAY",
             replay_at(tui->replay) + 1, replay_count(tui->replay));
    screen_show_replay(tui->screen, label);
    screen_use_history(tui->screen, tui->history);
    tui->is_dirty = true;
}

/* Losses are told when they are met, not again and again. */
static void tell_losses(struct tui *tui, size_t lost_before)
{
    char words[256];

    if (replay_lost(tui->replay, words, sizeof(words)) > lost_before)
        tui_say(tui, ROLE_WARNING, words);
}

static void go(struct tui *tui, size_t at)
{
    char words[256];
    size_t lost = replay_lost(tui->replay, words, sizeof(words));

    replay_seek(tui->replay, at);
    show(tui);
    tell_losses(tui, lost);
}

/* Another recording's last sample becomes a mark: changes are counted from it. */
static int compare_with(struct tui *tui, const char *path, struct err *err)
{
    const struct tui_options *options = tui->options;
    const char *slash = strrchr(path, '/');
    const struct snapshot *snapshot;
    struct replay *other;

    if (replay_open(path, options->begin, options->end, &other, err))
        return err_prefix(err, "%.200s", path);
    snapshot = replay_last_complete(other);
    if (snapshot)
        history_restore_mark(replay_history(tui->replay), snapshot,
                             slash ? slash + 1 : path, false);
    else
        err_set(err, ERR_FAILED, "%.200s has no complete sample to compare", path);
    replay_close(other);
    if (!snapshot)
        return -1;
    snapshot_unref(snapshot);
    return 0;
}

int tui_start_replay(struct tui *tui, struct err *err)
{
    const struct tui_options *options = tui->options;

    if (replay_open(options->read, options->begin, options->end, &tui->replay, err))
        return -1;
    if (options->compare && compare_with(tui, options->compare, err)) {
        replay_close(tui->replay);
        tui->replay = NULL;
        return -1;
    }
    /* Damage at the end is told at once, and no jump waits for fresh memory. */
    replay_seek(tui->replay, replay_count(tui->replay) - 1);
    if (options->begin)
        replay_seek(tui->replay, 0);
    else
        replay_seek_complete(tui->replay);
    tui->history = replay_history(tui->replay);
    return 0;
}

static void choose_newest_mark(struct tui *tui)
{
    const struct mark *marks;
    size_t count = history_marks(tui->history, &marks);

    if (count)
        screen_choose_mark(tui->screen, marks[count - 1].number);
}

/* Of a folder it is said first what it is, as the line may be cut off. */
static void tell_keys(struct tui *tui)
{
    bool is_first = replay_at(tui->replay) == 0;
    char note[160], words[256];

    replay_note(tui->replay, note, sizeof(note));
    snprintf(words, sizeof(words),
             "%s%s%st, T step, b goes to a time, r, Z to the ends, z plays", note,
             note[0] ? "; " : "", is_first ? "" : "first complete sample; ");
    tui_say(tui, ROLE_NORMAL, words);
}

void tui_replay_begin(struct tui *tui)
{
    screen_use_mouse(tui->screen, term_uses_mouse(tui->term));
    screen_allow_actions(tui->screen, false);
    show(tui);
    if (tui->options->compare)
        choose_newest_mark(tui);
    tell_keys(tui);
    tell_losses(tui, 0);
}

static void step(struct tui *tui, int direction)
{
    size_t at = replay_at(tui->replay);

    tui->is_playing = false;
    if (direction > 0 && at + 1 == replay_count(tui->replay))
        replay_refresh(tui->replay);
    if (direction < 0 && at == 0)
        tui_say(tui, ROLE_NORMAL, "this is the first sample of the recording");
    else if (direction > 0 && at + 1 >= replay_count(tui->replay))
        tui_say(tui, ROLE_NORMAL, "this is the last sample of the recording");
    else
        go(tui, direction < 0 ? at - 1 : at + 1);
}

/* As long as between the samples, or as the keys for the interval say. */
static void plan_next(struct tui *tui)
{
    size_t at = replay_at(tui->replay);
    int64_t wait_ns =
        replay_wall_ns(tui->replay, at + 1) - replay_wall_ns(tui->replay, at);

    if (wait_ns > tui->interval_ns)
        wait_ns = tui->interval_ns;
    if (wait_ns < PLAY_LEAST_NS)
        wait_ns = PLAY_LEAST_NS;
    tui->play_due_ns = clock_monotonic_ns() + wait_ns;
}

static void toggle_playing(struct tui *tui)
{
    tui->is_playing = !tui->is_playing;
    plan_next(tui);
    show(tui);
    tui_say(tui, ROLE_NORMAL,
            tui->is_playing ? "playing: z holds it, + and - change the speed" : "held");
}

void tui_play(struct tui *tui)
{
    size_t at;

    if (!tui->is_playing || clock_monotonic_ns() < tui->play_due_ns)
        return;
    at = replay_at(tui->replay);
    if (at + 1 == replay_count(tui->replay) && !replay_refresh(tui->replay)) {
        plan_next(tui); /* one that is still written goes on */
        return;
    }
    go(tui, at + 1);
    plan_next(tui);
}

/* "+5m": from the sample that is shown on; else as in --begin. */
bool tui_replay_go(struct tui *tui, const char *text)
{
    size_t last = replay_count(tui->replay) - 1;
    int64_t here_ns = replay_wall_ns(tui->replay, replay_at(tui->replay)), wall_ns;
    char back[64];
    bool is_relative = *text == '+' || *text == '-';

    snprintf(back, sizeof(back), "-%.60s", is_relative ? text + 1 : text);
    if (!when_parse(is_relative ? back : text, replay_wall_ns(tui->replay, 0),
                    is_relative ? here_ns : replay_wall_ns(tui->replay, last), &wall_ns))
        return false;
    if (*text == '+')
        wall_ns = here_ns + (here_ns - wall_ns);
    tui->is_playing = false;
    go(tui, replay_find(tui->replay, wall_ns));
    return true;
}

static bool step_command(struct tui *tui, enum command_id command)
{
    if (screen_moves_in_time(tui->screen)) {
        if (command == COMMAND_LEFT)
            command = COMMAND_TIME_PREVIOUS;
        if (command == COMMAND_RIGHT)
            command = COMMAND_TIME_NEXT;
    }
    if (command != COMMAND_TIME_PREVIOUS && command != COMMAND_TIME_NEXT)
        return false;
    step(tui, command == COMMAND_TIME_PREVIOUS ? -1 : 1);
    return true;
}

bool tui_replay_command(struct tui *tui, enum command_id command)
{
    if (!tui->replay)
        return false;
    if (step_command(tui, command))
        return true;
    switch (command) {
    case COMMAND_TIME_FIRST:
        go(tui, 0);
        return true;
    case COMMAND_TIME_LIVE:
        replay_refresh(tui->replay);
        go(tui, replay_count(tui->replay) - 1);
        return true;
    case COMMAND_PAUSE:
        toggle_playing(tui);
        return true;
    case COMMAND_FASTER:
    case COMMAND_SLOWER:
        tui_step_interval(tui, command == COMMAND_FASTER);
        plan_next(tui);
        return true;
    case COMMAND_ATTACH:
    case COMMAND_SAMPLE:
    case COMMAND_RECORD:
    case COMMAND_INTERVAL:
    case COMMAND_HOLDERS:
    case COMMAND_DUPLICATES:
    case COMMAND_COLLECT:
    case COMMAND_ACTIONS:
        tui_say(tui, ROLE_NORMAL, "this is a recording: there is no process to ask");
        return true;
    default:
        return false;
    }
}
