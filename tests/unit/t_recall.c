/* A recording while it is written: looking back in it beyond what the history keeps, and
 * the files of a folder. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "model/builder.h"
#include "model/kind.h"
#include "recording/cut.h"
#include "recording/recall.h"
#include "recording/recorder.h"
#include "recording/recording.h"
#include "recording/replay.h"
#include "tui/screen.h"
#include "util/clock.h"

#define SAMPLES 400 /* more than a history keeps whole */
#define SECOND  INT64_C(1000000000)

#define FOLDER_BYTES 64

struct recorded {
    char folder[FOLDER_BYTES], path[80];
    struct recorder *recorder;
    struct history *history;
};

/* In memory where that is possible: each file that begins and ends waits for the disk. */
static void make_folder(char folder[FOLDER_BYTES])
{
    snprintf(folder, FOLDER_BYTES, "%s/heaptop-recall-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(folder));
}

static const struct snapshot *make_snapshot(uint64_t seq)
{
    struct snapshot_builder *builder = builder_new(seq);
    struct kind_row row = {
        .kind = kind_intern("shop.Session", 12), .count = seq, .memory_bytes = 64 * seq};
    struct objects_section facts;
    const struct objects_section *objects;

    memset(&facts, 0, sizeof(facts));
    facts.walk.method = "outside";
    builder->snapshot->wall_ns = builder->snapshot->mono_ns = (int64_t)seq * SECOND;
    builder_process(builder)->res_bytes = reading_exact((int64_t)seq << 20);
    objects = objects_seal(&facts, &row, 1);
    builder_objects(builder, objects);
    objects_unref(objects);
    return snapshot_seal(builder);
}

static void add(struct recorded *recorded, uint64_t seq)
{
    const struct snapshot *snapshot = make_snapshot(seq);

    history_add(recorded->history, snapshot);
    recorder_add(recorded->recorder, snapshot, recorded->history);
    snapshot_unref(snapshot);
}

/* A busy disk may take longer than a key may. */
static void wait_until_written(struct recorded *recorded, uint64_t seq)
{
    int64_t deadline_ns = clock_monotonic_ns() + 60 * SECOND;
    const struct snapshot *snapshot;
    struct err err = ERR_INIT;

    do
        snapshot = recorder_recall(recorded->recorder, seq, &err);
    while (!snapshot && clock_monotonic_ns() < deadline_ns);
    assert_non_null(snapshot);
    snapshot_unref(snapshot);
}

static void begin(struct recorded *recorded)
{
    struct recorder_options options;
    struct err err = ERR_INIT;

    memset(recorded, 0, sizeof(*recorded));
    make_folder(recorded->folder);
    snprintf(recorded->path, sizeof(recorded->path), "%s/a.htr", recorded->folder);
    recorded->history = history_new();
    assert_int_equal(recorder_start(NULL, &recorded->recorder, &err), 0);
    recorder_usual_options(&options, recorded->path, 1);
    assert_int_equal(recorder_open(recorded->recorder, &options, &err), 0);
    for (uint64_t seq = 1; seq <= SAMPLES; seq++)
        add(recorded, seq);
    wait_until_written(recorded, SAMPLES);
}

static void end(struct recorded *recorded)
{
    struct err err = ERR_INIT;

    assert_int_equal(recorder_stop(recorded->recorder, &err), 0);
    history_free(recorded->history);
    unlink(recorded->path);
    rmdir(recorded->folder);
}

/* Each of them, in no order, as it was. */
static void test_samples_come_back(void **state)
{
    struct recorded recorded;
    struct err err = ERR_INIT;

    (void)state;
    begin(&recorded);
    for (unsigned i = 0; i < SAMPLES; i++) {
        uint64_t seq = 1 + i * 37 % SAMPLES;
        const struct snapshot *snapshot = recorder_recall(recorded.recorder, seq, &err);

        assert_non_null(snapshot);
        assert_int_equal(snapshot->seq, seq);
        assert_int_equal(snapshot->process->res_bytes.value, seq << 20);
        assert_string_equal(snapshot->objects->kinds[0].kind->name, "shop.Session");
        assert_int_equal(snapshot->objects->kinds[0].count, seq);
        snapshot_unref(snapshot);
    }
    assert_null(recorder_recall(recorded.recorder, SAMPLES + 1, &err));
    assert_non_null(strstr(err.text, "not in the recording"));
    end(&recorded);
}

static uint64_t shown_after(struct screen *screen, enum command_id command)
{
    screen_command(screen, command);
    return screen_shown(screen)->seq;
}

/* Sample by sample to the first one and back, while more come. */
static void test_the_screen_looks_back(void **state)
{
    struct recorded recorded;
    struct screen *screen;

    (void)state;
    begin(&recorded);
    assert_in_range(history_count(recorded.history), 2, SAMPLES / 2);
    screen = screen_new(recorded.history);
    screen_look_back_in(screen, recorded.recorder);
    for (uint64_t seq = SAMPLES - 1; seq > 0; seq--)
        assert_int_equal(shown_after(screen, COMMAND_TIME_PREVIOUS), seq);
    assert_int_equal(shown_after(screen, COMMAND_TIME_PREVIOUS), 1);
    add(&recorded, SAMPLES + 1);
    wait_until_written(&recorded, SAMPLES + 1);
    screen_update(screen);
    assert_int_equal(screen_shown(screen)->seq, 1);
    for (uint64_t seq = 2; seq <= SAMPLES + 1; seq++)
        assert_int_equal(shown_after(screen, COMMAND_TIME_NEXT), seq);
    assert_ptr_equal(screen_shown(screen), history_latest(recorded.history));
    screen_show_time(screen, 123 * SECOND + SECOND / 2);
    assert_int_equal(screen_shown(screen)->seq, 123);
    assert_int_equal(shown_after(screen, COMMAND_TIME_FIRST), 1);
    screen_show_time(screen, 2 * SAMPLES * SECOND);
    assert_int_equal(screen_shown(screen)->seq, SAMPLES + 1);
    screen_free(screen);
    end(&recorded);
}

/* When it has ended there is what the history keeps. */
static void test_nothing_after_the_end(void **state)
{
    struct recorded recorded;
    struct err err = ERR_INIT;

    (void)state;
    begin(&recorded);
    assert_int_equal(recorder_before(recorded.recorder, 7), 6);
    assert_int_equal(recorder_close(recorded.recorder, &err), 0);
    assert_int_equal(recorder_before(recorded.recorder, 7), 0);
    assert_null(recorder_recall(recorded.recorder, 6, &err));
    end(&recorded);
}

/* How many recordings are in the folder; their samples together. */
static size_t count_files(const char *folder, size_t *samples)
{
    DIR *directory = opendir(folder);
    const struct dirent *entry;
    size_t count = 0;

    assert_non_null(directory);
    *samples = 0;
    while ((entry = readdir(directory))) {
        struct err err = ERR_INIT;
        struct recording *recording;
        char path[400], words[256];

        if (!strstr(entry->d_name, ".htr") || strchr(strstr(entry->d_name, ".htr"), '-'))
            continue;
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        assert_int_equal(recording_open(path, &recording, &err), 0);
        *samples += recording_count(recording);
        assert_int_equal(recording_lost(recording, words, sizeof(words)), 0);
        assert_string_equal(words, "");
        recording_close(recording);
        count++;
    }
    closedir(directory);
    return count;
}

static void remove_files(const char *folder)
{
    DIR *directory = opendir(folder);
    const struct dirent *entry;

    while ((entry = readdir(directory)))
        unlinkat(dirfd(directory), entry->d_name, 0);
    closedir(directory);
    assert_int_equal(rmdir(folder), 0);
}

static void record_into_folder(const char *folder, int64_t rotate_bytes,
                               int64_t rotate_ns, int64_t keep_bytes)
{
    struct history *history = history_new();
    struct recorder_options options;
    struct recorder *recorder;
    struct err err = ERR_INIT;

    assert_int_equal(recorder_start(folder, &recorder, &err), 0);
    recorder_usual_options(&options, folder, 1);
    options.rotate_bytes = rotate_bytes;
    options.rotate_ns = rotate_ns;
    options.keep_bytes = keep_bytes;
    assert_int_equal(recorder_open(recorder, &options, &err), 0);
    for (uint64_t seq = 1; seq <= 5; seq++) {
        const struct snapshot *snapshot = make_snapshot(seq);

        history_add(history, snapshot);
        if (seq == 2)
            history_restore_mark(history, snapshot, "deploy", false);
        recorder_add(recorder, snapshot, history);
        snapshot_unref(snapshot);
    }
    assert_int_equal(recorder_stop(recorder, &err), 0);
    history_free(history);
}

/* A file that is full (here: with each sample) or old is followed by another one, no
 * sample is lost between them, and the oldest go. */
static void test_a_folder_rotates(void **state)
{
    char folder[FOLDER_BYTES];
    size_t samples;

    (void)state;
    make_folder(folder);
    record_into_folder(folder, 1, INT64_MAX, INT64_MAX);
    assert_int_equal(count_files(folder, &samples), 5);
    assert_int_equal(samples, 5);
    record_into_folder(folder, INT64_MAX, 0, INT64_MAX);
    assert_int_equal(count_files(folder, &samples), 10);
    assert_int_equal(samples, 10);
    record_into_folder(folder, INT64_MAX, INT64_MAX, INT64_MAX);
    assert_int_equal(count_files(folder, &samples), 11);
    assert_int_equal(samples, 15);
    record_into_folder(folder, 1, INT64_MAX, 0);
    assert_int_equal(count_files(folder, &samples), 1);
    assert_int_equal(samples, 1);
    remove_files(folder);
}

/* Looking back reaches the files before the one that is written, each of which has names
 * of its own; so many, and no sample is given for another one. */
static void test_the_files_before_are_reached(void **state)
{
    char folder[FOLDER_BYTES];
    struct recorder_options options;
    struct recorded recorded;
    struct err err = ERR_INIT;

    (void)state;
    memset(&recorded, 0, sizeof(recorded));
    make_folder(folder);
    recorded.history = history_new();
    assert_int_equal(recorder_start(folder, &recorded.recorder, &err), 0);
    recorder_usual_options(&options, folder, 1);
    options.rotate_bytes = 1;
    assert_int_equal(recorder_open(recorded.recorder, &options, &err), 0);
    for (uint64_t seq = 1; seq <= RECALL_FILES_MAX + 4; seq++)
        add(&recorded, seq);
    wait_until_written(&recorded, RECALL_FILES_MAX + 4);
    assert_int_equal(recorder_after(recorded.recorder, 0), 5);
    assert_int_equal(recorder_before(recorded.recorder, 5), 0);
    assert_null(recorder_recall(recorded.recorder, 4, &err));
    for (uint64_t seq = RECALL_FILES_MAX + 4; seq >= 5; seq--) {
        const struct snapshot *snapshot = recorder_recall(recorded.recorder, seq, &err);

        assert_non_null(snapshot);
        assert_int_equal(snapshot->seq, seq);
        assert_string_equal(snapshot->objects->kinds[0].kind->name, "shop.Session");
        assert_int_equal(snapshot->objects->kinds[0].count, seq);
        snapshot_unref(snapshot);
    }
    assert_int_equal(recorder_stop(recorded.recorder, &err), 0);
    history_free(recorded.history);
    remove_files(folder);
}

/* Each run counts from 1, and its samples are a second apart. */
static void check_samples(struct recording *recording, size_t count)
{
    struct err err = ERR_INIT;

    assert_int_equal(recording_count(recording), count);
    for (size_t at = count; at > 0; at--) {
        const struct snapshot *snapshot = recording_snapshot(recording, at - 1, &err);
        struct history_point point;

        assert_non_null(snapshot);
        assert_int_equal(snapshot->wall_ns, recording_wall_ns(recording, at - 1));
        assert_int_equal(snapshot->objects->kinds[0].count, 1 + (at - 1) % 5);
        assert_int_equal(recording_number(recording, at - 1), at);
        assert_int_equal(recording_point(recording, at - 1, &point), 0);
        assert_int_equal(point.values[SERIES_RES].value,
                         snapshot->process->res_bytes.value);
        snapshot_unref(snapshot);
    }
    assert_null(recording_snapshot(recording, count, &err));
}

/* In its run, however many files have it. */
static void check_marks(struct recording *recording, size_t count)
{
    const struct recorded_mark *marks;

    assert_int_equal(recording_marks(recording, &marks), count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(marks[i].at, 1 + 5 * i);
        assert_int_equal(marks[i].set_at, 1 + 5 * i);
        assert_string_equal(marks[i].name, "deploy");
    }
}

static void check_cut(struct recording *recording, const char *folder)
{
    struct recording *part;
    struct err err = ERR_INIT;
    char path[80], words[256];
    size_t written;

    snprintf(path, sizeof(path), "%s/part.htr", folder);
    assert_int_equal(recording_cut(recording, 1, 8, path, &written, &err), 0);
    assert_int_equal(written, 8);
    assert_int_equal(recording_open(path, &part, &err), 0);
    assert_int_equal(recording_count(part), 8);
    assert_int_equal(recording_lost(part, words, sizeof(words)), 0);
    for (size_t at = 0; at < 8; at++) {
        const struct snapshot *snapshot = recording_snapshot(part, at, &err);

        assert_non_null(snapshot);
        assert_int_equal(snapshot->wall_ns, recording_wall_ns(recording, at + 1));
        snapshot_unref(snapshot);
    }
    recording_close(part);
}

/* A folder's files are one recording, also for who jumps over their ends, and while more
 * of them come. */
static void test_a_folder_is_replayed(void **state)
{
    char folder[FOLDER_BYTES], one[80], words[200];
    struct recording *recording;
    struct replay *replay;
    struct err err = ERR_INIT;

    (void)state;
    make_folder(folder);
    assert_int_equal(recording_open(folder, &recording, &err), -1);
    record_into_folder(folder, 1, INT64_MAX, INT64_MAX);
    assert_int_equal(recording_open(folder, &recording, &err), 0);
    assert_false(recording_note(recording, words, sizeof(words)));
    assert_string_equal(words, "5 files of process 1");
    check_samples(recording, 5);
    check_marks(recording, 1);
    record_into_folder(folder, 1, INT64_MAX, INT64_MAX);
    assert_int_equal(recording_refresh(recording), 5);
    check_samples(recording, 10);
    check_marks(recording, 2);
    check_cut(recording, folder);
    assert_int_equal(recording_lost(recording, words, sizeof(words)), 0);
    recording_close(recording);
    snprintf(one, sizeof(one), "%s/heaptop-1", folder);
    assert_int_equal(replay_open(one, NULL, NULL, &replay, &err), 0);
    for (size_t i = 0; i < 40; i++) {
        replay_seek(replay, i * 7 % 10);
        assert_int_equal(history_latest(replay_history(replay))->seq, 1 + i * 7 % 10 % 5);
    }
    replay_close(replay);
    snprintf(one, sizeof(one), "%s/heaptop-2", folder);
    assert_int_equal(recording_open(one, &recording, &err), -1);
    remove_files(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_samples_come_back),
        cmocka_unit_test(test_the_screen_looks_back),
        cmocka_unit_test(test_nothing_after_the_end),
        cmocka_unit_test(test_a_folder_rotates),
        cmocka_unit_test(test_the_files_before_are_reached),
        cmocka_unit_test(test_a_folder_is_replayed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
