/*
 * bench_recording FILE NEW SAMPLES - makes a long recording of the real samples of FILE,
 * back and forth through them, two seconds apart; writes some of them one by one as the
 * recorder does; opens what was made, finds samples in it and jumps about. Prints one
 * line of figures: "name value", medians of CPU and wall time in microseconds.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "recording/encoder.h"
#include "recording/recording.h"
#include "recording/replay.h"
#include "recording/writer.h"
#include "util/clock.h"

#define REAL_MAX    512
#define SINGLE_MOST 1000
#define OPENINGS    9
#define JUMPS       60
#define INTERVAL_NS (2 * NS_PER_S)

struct real {
    const struct snapshot *snapshots[REAL_MAX];
    size_t count;
};

static void fail(const struct err *err)
{
    fprintf(stderr, "bench_recording: %s\n", err->text);
    exit(1);
}

static int64_t cpu_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static int compare_ns(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;

    return (a > b) - (a < b);
}

static void print_times(const char *name, int64_t *times_ns, size_t count)
{
    qsort(times_ns, count, sizeof(*times_ns), compare_ns);
    printf(" %s_us %" PRId64 " %s_most_us %" PRId64, name, times_ns[count / 2] / 1000,
           name, times_ns[count - 1] / 1000);
}

static void read_real(const char *path, struct real *real)
{
    struct recording *recording;
    struct err err = ERR_INIT;

    if (recording_open(path, &recording, &err))
        fail(&err);
    for (size_t at = 0; at < recording_count(recording) && real->count < REAL_MAX; at++) {
        const struct snapshot *snapshot = recording_snapshot(recording, at, &err);

        if (snapshot && snapshot->is_complete)
            real->snapshots[real->count++] = snapshot;
    }
    recording_close(recording);
    if (real->count < 2) {
        err_set(&err, ERR_FAILED, "%s has no two complete samples", path);
        fail(&err);
    }
}

/* Back and forth: each sample follows one that was really beside it. */
static struct snapshot sample_of(const struct real *real, size_t number)
{
    size_t turn = 2 * (real->count - 1), at = number % turn;
    struct snapshot sample = *real->snapshots[at < real->count ? at : turn - at];

    sample.seq = number + 1;
    sample.wall_ns = real->snapshots[0]->wall_ns + (int64_t)number * INTERVAL_NS;
    sample.mono_ns = real->snapshots[0]->mono_ns + (int64_t)number * INTERVAL_NS;
    return sample;
}

static int64_t write_one(struct writer *writer, struct encoder *encoder,
                         const struct snapshot *snapshot)
{
    struct encoded_sample sample;
    struct headline headline;
    struct err err = ERR_INIT;

    if (encoder_add(encoder, snapshot, &sample, &err))
        fail(&err);
    for (size_t i = 0; i < sample.n_names; i++)
        writer_name(writer, sample.names[i].number, sample.names[i].text,
                    strlen(sample.names[i].text));
    headline_of(&headline, snapshot, (int64_t)snapshot->seq, sample.is_key);
    if (writer_sample(writer, &headline, sample.bytes, sample.length, &err))
        fail(&err);
    return (int64_t)sample.length;
}

static void commit(struct writer *writer)
{
    struct err err = ERR_INIT;

    if (writer_commit(writer, &err))
        fail(&err);
}

/* As the recorder writes them, so many to a commit, or (0) all at once. */
static void write_samples(const struct real *real, const char *path, size_t count,
                          const char *name, size_t together)
{
    struct encoder *encoder = encoder_new();
    struct writer *writer;
    struct err err = ERR_INIT;
    struct stat status = {0};
    int64_t packed_bytes = 0, began_ns;

    unlink(path);
    if (writer_open(path, &writer, &err))
        fail(&err);
    writer_at_once(writer);
    began_ns = cpu_ns();
    for (size_t i = 0; i < count; i++) {
        struct snapshot sample = sample_of(real, i);

        packed_bytes += write_one(writer, encoder, &sample);
        if (together && (i + 1) % together == 0)
            commit(writer);
    }
    commit(writer);
    printf(" %s_cpu_us %" PRId64, name, (cpu_ns() - began_ns) / 1000 / (int64_t)count);
    writer_close(writer);
    encoder_free(encoder);
    stat(path, &status);
    if (!together)
        printf(" samples %zu packed_bytes %" PRId64 " file_bytes %" PRId64, count,
               packed_bytes / (int64_t)count, (int64_t)status.st_size);
}

static void measure_opening(const char *path)
{
    int64_t wall_ns[OPENINGS], used_ns[OPENINGS];
    struct err err = ERR_INIT;
    struct replay *replay;

    for (size_t i = 0; i < OPENINGS; i++) {
        int64_t began_ns = clock_monotonic_ns(), cpu_began_ns = cpu_ns();

        if (replay_open(path, NULL, NULL, &replay, &err))
            fail(&err);
        replay_seek(replay, replay_count(replay) - 1); /* as the screen does */
        replay_seek(replay, 0);
        used_ns[i] = cpu_ns() - cpu_began_ns;
        wall_ns[i] = clock_monotonic_ns() - began_ns;
        replay_close(replay);
    }
    print_times("open_cpu", used_ns, OPENINGS);
    print_times("open_wall", wall_ns, OPENINGS);
}

static void measure_jumps(const char *path)
{
    int64_t wall_ns[JUMPS], used_ns[JUMPS];
    struct err err = ERR_INIT;
    struct replay *replay;

    if (replay_open(path, NULL, NULL, &replay, &err))
        fail(&err);
    replay_seek(replay, replay_count(replay) - 1); /* as the screen does */
    srand(1);
    for (size_t i = 0; i < JUMPS; i++) {
        int64_t began_ns = clock_monotonic_ns(), cpu_began_ns = cpu_ns();

        replay_seek(replay, (size_t)rand() % replay_count(replay));
        used_ns[i] = cpu_ns() - cpu_began_ns;
        wall_ns[i] = clock_monotonic_ns() - began_ns;
    }
    replay_close(replay);
    print_times("jump_cpu", used_ns, JUMPS);
    print_times("jump_wall", wall_ns, JUMPS);
}

/* A sample of any time by itself, without what the screen shows of the time before. */
static void measure_finds(const char *path)
{
    int64_t wall_ns[JUMPS], used_ns[JUMPS];
    struct recording *recording;
    struct err err = ERR_INIT;

    if (recording_open(path, &recording, &err))
        fail(&err);
    srand(2);
    for (size_t i = 0; i < JUMPS; i++) {
        int64_t began_ns = clock_monotonic_ns(), cpu_began_ns = cpu_ns();
        size_t at = (size_t)rand() % recording_count(recording);
        const struct snapshot *snapshot = recording_snapshot(recording, at, &err);

        if (!snapshot)
            fail(&err);
        used_ns[i] = cpu_ns() - cpu_began_ns;
        wall_ns[i] = clock_monotonic_ns() - began_ns;
        snapshot_unref(snapshot);
    }
    recording_close(recording);
    print_times("find_cpu", used_ns, JUMPS);
    print_times("find_wall", wall_ns, JUMPS);
}

int main(int argc, char **argv)
{
    struct real real = {.count = 0};
    size_t count = argc == 4 ? strtoul(argv[3], NULL, 10) : 0, single;

    if (!count) {
        fprintf(stderr, "usage: bench_recording FILE NEW SAMPLES\n");
        return 2;
    }
    read_real(argv[1], &real);
    printf("kinds %zu",
           real.snapshots[0]->objects ? real.snapshots[0]->objects->n_kinds : 0);
    single = count < SINGLE_MOST ? count : SINGLE_MOST;
    write_samples(&real, argv[2], single, "write_alone", 1);
    write_samples(&real, argv[2], single, "write_2s", 2);
    write_samples(&real, argv[2], single, "write_1s", 4);
    write_samples(&real, argv[2], count, "at_once", 0);
    measure_opening(argv[2]);
    measure_finds(argv[2]);
    measure_jumps(argv[2]);
    printf("\n");
    for (size_t i = 0; i < real.count; i++)
        snapshot_unref(real.snapshots[i]);
    return 0;
}
