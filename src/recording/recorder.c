#include "recording/recorder.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guard/child.h"
#include "recording/encoder.h"
#include "recording/message.h"
#include "recording/recall.h"
#include "util/clock.h"
#include "util/strbuf.h"
#include "util/xalloc.h"

#define ANSWER_LIMIT_NS (10 * NS_PER_S)
#define RECALL_LIMIT_NS (3 * NS_PER_S)     /* a key waits for it */
#define PENDING_MAX     ((size_t)32 << 20) /* more: the disk does not keep up */

struct recorder {
    int socket; /* -1: the process has ended */
    struct encoder *encoder;
    struct recall *recall;
    struct recorder_options options;
    char path[RECORDER_PATH_BYTES]; /* as it was asked for */
    bool is_open;
    int64_t bytes;     /* of the file */
    int64_t lost;      /* samples that could not be written */
    char trouble[320]; /* why the last of them was lost */
    bool is_folder;
    int64_t opened_ns;
    int64_t next_sample;
    struct strbuf pending; /* not sent yet */
    size_t n_unanswered;
    struct message_answer answer; /* the newest */
    size_t answer_bytes;          /* of the one that is coming */
    bool is_recalling;
    size_t unwanted; /* bytes of a sample for which nobody waits any more */
    struct event_cursor events;
    uint32_t last_mark;
};

void recorder_usual_options(struct recorder_options *options, const char *path, pid_t pid)
{
    *options = (struct recorder_options){
        .path = path,
        .pid = pid,
        .rotate_bytes = RECORDER_ROTATE_BYTES,
        .rotate_ns = RECORDER_ROTATE_NS,
        .keep_bytes = RECORDER_KEEP_BYTES,
        .keep_ns = RECORDER_KEEP_NS,
    };
}

int recorder_start(const char *only, struct recorder **started, struct err *err)
{
    struct recorder *recorder;
    int socket;
    pid_t child = child_fork(SOCK_STREAM, &socket);

    if (child < 0)
        return err_set_errno(err, ERR_FAILED, errno, "cannot start the recorder");
    if (child == 0)
        recorder_main(socket, only);
    recorder = xcalloc(1, sizeof(*recorder));
    recorder->socket = socket;
    recorder->encoder = encoder_new();
    recorder->recall = recall_new();
    *started = recorder;
    return 0;
}

static void lose(struct recorder *recorder, int64_t samples, const char *why)
{
    recorder->lost += samples;
    snprintf(recorder->trouble, sizeof(recorder->trouble), "%s", why);
    encoder_make_key(recorder->encoder);
}

static void lose_process(struct recorder *recorder)
{
    if (recorder->socket >= 0)
        close(recorder->socket);
    recorder->socket =
        -1; /* the recording stays open: that it is lost is told at its end */
    recorder->n_unanswered = 0;
    lose(recorder, 1, "the process that writes the recording has ended");
}

static void take_answer(struct recorder *recorder)
{
    const struct message_answer *answer = &recorder->answer;

    recorder->n_unanswered--;
    recorder->answer_bytes = 0;
    recorder->bytes = answer->bytes;
    recorder->is_folder = answer->is_folder;
    /* Who waits for one asked last. */
    if (answer->to == MESSAGE_RECALL &&
        !(recorder->is_recalling && recorder->n_unanswered == 0))
        recorder->unwanted = answer->more;
    if (answer->lost)
        lose(recorder, answer->lost, answer->err.text);
}

void recorder_look(const struct recorder *recorder, struct recorder_state *state)
{
    *state = (struct recorder_state){
        .is_open = recorder->is_open,
        .path = recorder->answer.path,
        .samples = recorder->answer.samples,
        .bytes = recorder->bytes,
        .lost = recorder->lost,
        .trouble = recorder->trouble,
    };
}

/* Some of what has come; 0: nothing has. */
static size_t receive(struct recorder *recorder, void *bytes, size_t length)
{
    ssize_t got = message_receive_some(recorder->socket, bytes, length, MSG_DONTWAIT);

    if (got > 0)
        return (size_t)got;
    if (got == 0 || errno != EAGAIN)
        lose_process(recorder);
    return 0;
}

static size_t receive_unwanted(struct recorder *recorder)
{
    char bytes[4096];
    size_t got =
        receive(recorder, bytes,
                recorder->unwanted < sizeof(bytes) ? recorder->unwanted : sizeof(bytes));

    recorder->unwanted -= got;
    return got;
}

static size_t receive_answer(struct recorder *recorder)
{
    size_t got = receive(recorder, (char *)&recorder->answer + recorder->answer_bytes,
                         sizeof(recorder->answer) - recorder->answer_bytes);

    recorder->answer_bytes += got;
    if (recorder->answer_bytes == sizeof(recorder->answer))
        take_answer(recorder);
    return got;
}

/* Whatever has come. */
static void take_answers(struct recorder *recorder)
{
    size_t got = 1;

    while (got && recorder->socket >= 0 && (recorder->n_unanswered || recorder->unwanted))
        got = recorder->unwanted ? receive_unwanted(recorder) : receive_answer(recorder);
}

/* As much as goes without waiting. */
static void send_pending(struct recorder *recorder)
{
    struct strbuf *pending = &recorder->pending;
    size_t done = 0;

    while (recorder->socket >= 0 && done < pending->length) {
        ssize_t sent = message_send_some(recorder->socket, pending->text + done,
                                         pending->length - done, MSG_DONTWAIT);

        if (sent < 0 && errno != EAGAIN)
            lose_process(recorder);
        if (sent <= 0)
            break;
        done += (size_t)sent;
    }
    if (!done)
        return;
    memmove(pending->text, pending->text + done, pending->length - done);
    pending->length -= done;
}

/* Until everything was sent and answered. */
static int settle(struct recorder *recorder, int64_t limit_ns, struct err *err)
{
    int64_t deadline_ns = clock_monotonic_ns() + limit_ns;

    while (recorder->socket >= 0 &&
           (recorder->pending.length || recorder->n_unanswered)) {
        struct pollfd ready = {.fd = recorder->socket, .events = POLLIN};

        if (recorder->pending.length)
            ready.events |= POLLOUT;
        if (clock_monotonic_ns() > deadline_ns)
            return err_set(err, ERR_FAILED, "the disk takes too long for the recording");
        poll(&ready, 1, 100);
        send_pending(recorder);
        take_answers(recorder);
    }
    if (recorder->socket < 0)
        return err_set(err, ERR_FAILED, "%s", recorder->trouble);
    return 0;
}

static void put(struct recorder *recorder, enum message_type type, const void *bytes,
                size_t length, const void *more, size_t more_length)
{
    struct message_head head = {type, (uint32_t)(length + more_length)};

    strbuf_add(&recorder->pending, &head, sizeof(head));
    strbuf_add(&recorder->pending, bytes, length);
    strbuf_add(&recorder->pending, more, more_length);
    if (type == MESSAGE_OPEN || type == MESSAGE_SAMPLE || type == MESSAGE_CLOSE ||
        type == MESSAGE_RECALL)
        recorder->n_unanswered++;
}

static int open_file(struct recorder *recorder, struct err *err)
{
    struct message_open open = {.pid = recorder->options.pid,
                                .keep_bytes = recorder->options.keep_bytes,
                                .keep_ns = recorder->options.keep_ns};

    memcpy(open.path, recorder->path, sizeof(open.path));
    put(recorder, MESSAGE_OPEN, &open, sizeof(open), NULL, 0);
    if (settle(recorder, ANSWER_LIMIT_NS, err))
        return -1;
    if (!recorder->answer.is_done) {
        *err = recorder->answer.err;
        return -1;
    }
    encoder_restart(recorder->encoder);
    recall_begin_file(recorder->recall);
    recorder->is_open = true;
    recorder->next_sample = 1;
    recorder->last_mark = 0;
    recorder->opened_ns = clock_monotonic_ns();
    return 0;
}

int recorder_open(struct recorder *recorder, const struct recorder_options *options,
                  struct err *err)
{
    if (strlen(options->path) >= sizeof(recorder->path))
        return err_set(err, ERR_USAGE, "the name of the recording is too long");
    if (recorder->socket < 0)
        return err_set(err, ERR_FAILED, "%s", recorder->trouble);
    recorder->options = *options;
    memset(recorder->path, 0, sizeof(recorder->path));
    memcpy(recorder->path, options->path, strlen(options->path));
    recorder->is_open = false;
    recorder->lost = 0;
    recall_restart(recorder->recall);
    return open_file(recorder, err);
}

static void put_names(struct recorder *recorder, const struct encoded_sample *sample)
{
    for (size_t i = 0; i < sample->n_names; i++) {
        struct message_name name = {sample->names[i].number};

        put(recorder, MESSAGE_NAME, &name, sizeof(name), sample->names[i].text,
            strlen(sample->names[i].text));
    }
}

static void put_events(struct recorder *recorder, const struct history *history)
{
    const struct event *events;
    size_t count = history_new_events(history, &recorder->events, &events);

    for (size_t i = 0; i < count; i++)
        put(recorder, MESSAGE_EVENT, &events[i], sizeof(events[i]), NULL, 0);
}

static void put_marks(struct recorder *recorder, const struct history *history)
{
    const struct mark *marks;
    size_t count = history_marks(history, &marks);

    for (size_t i = 0; i < count; i++) {
        struct message_mark message = {marks[i].number, (int64_t)marks[i].snapshot->seq,
                                       marks[i].is_automatic, ""};

        if (marks[i].number <= recorder->last_mark)
            continue;
        memcpy(message.name, marks[i].name, sizeof(message.name));
        put(recorder, MESSAGE_MARK, &message, sizeof(message), NULL, 0);
        recorder->last_mark = marks[i].number;
    }
}

static void put_sample(struct recorder *recorder, const struct snapshot *snapshot,
                       const struct encoded_sample *sample)
{
    struct headline headline;

    headline_of(&headline, snapshot, recorder->next_sample++, sample->is_key);
    recall_note(recorder->recall, &headline, sample);
    put(recorder, MESSAGE_SAMPLE, &headline, sizeof(headline), sample->bytes,
        sample->length);
}

static bool is_full(const struct recorder *recorder)
{
    return recorder->is_folder &&
           (recorder->bytes >= recorder->options.rotate_bytes ||
            clock_monotonic_ns() - recorder->opened_ns >= recorder->options.rotate_ns);
}

void recorder_add(struct recorder *recorder, const struct snapshot *snapshot,
                  const struct history *history)
{
    struct encoded_sample sample;
    struct err err = ERR_INIT;

    take_answers(recorder);
    if (!recorder->is_open)
        return;
    if (recorder->socket < 0) {
        recorder->lost++;
        return;
    }
    if (is_full(recorder) && open_file(recorder, &err)) {
        lose(recorder, 1, err.text);
        return;
    }
    if (recorder->pending.length > PENDING_MAX) {
        recorder->next_sample++; /* the file has a gap that is seen */
        lose(recorder, 1, "the disk does not keep up with the samples");
    } else if (encoder_add(recorder->encoder, snapshot, &sample, &err)) {
        recorder->next_sample++;
        lose(recorder, 1, err.text);
    } else {
        put_names(recorder, &sample);
        put_events(recorder, history);
        put_marks(recorder, history);
        put_sample(recorder, snapshot, &sample);
    }
    send_pending(recorder);
    take_answers(recorder);
}

uint64_t recorder_before(const struct recorder *recorder, uint64_t seq)
{
    return recorder->is_open ? recall_before(recorder->recall, seq) : 0;
}

uint64_t recorder_after(const struct recorder *recorder, uint64_t seq)
{
    return recorder->is_open ? recall_after(recorder->recall, seq) : 0;
}

uint64_t recorder_at_time(const struct recorder *recorder, int64_t wall_ns)
{
    return recorder->is_open ? recall_at_time(recorder->recall, wall_ns) : 0;
}

const struct snapshot *recorder_recall(struct recorder *recorder, uint64_t seq,
                                       struct err *err)
{
    const struct snapshot *snapshot = NULL;
    struct message_recall wanted;
    bool is_answered;
    uint8_t *bytes;

    if (!recorder->is_open || recorder->socket < 0 ||
        !recall_needs(recorder->recall, seq, &wanted)) {
        err_set(err, ERR_FAILED, "this sample is not in the recording");
        return NULL;
    }
    put(recorder, MESSAGE_RECALL, &wanted, sizeof(wanted), NULL, 0);
    recorder->is_recalling = true;
    is_answered = settle(recorder, RECALL_LIMIT_NS, err) == 0;
    recorder->is_recalling = false;
    if (!is_answered)
        return NULL;
    bytes = xcalloc(recorder->answer.more + 1, 1);
    if (message_receive(recorder->socket, bytes, recorder->answer.more))
        lose_process(recorder);
    else if (!recorder->answer.is_done)
        *err = recorder->answer.err;
    else
        snapshot =
            recall_unpack(recorder->recall, seq, bytes, recorder->answer.more, err);
    free(bytes);
    return snapshot;
}

int recorder_close(struct recorder *recorder, struct err *err)
{
    if (!recorder->is_open)
        return 0;
    recorder->is_open = false;
    if (recorder->socket < 0)
        return err_set(err, ERR_FAILED, "%s", recorder->trouble);
    put(recorder, MESSAGE_CLOSE, NULL, 0, NULL, 0);
    if (settle(recorder, ANSWER_LIMIT_NS, err))
        return -1;
    if (!recorder->lost)
        return 0;
    err_set(err, ERR_FAILED, "%lld samples are not in the recording: %.200s",
            (long long)recorder->lost, recorder->trouble);
    return err_remedy(err, "make room on the disk, or record into another place");
}

int recorder_stop(struct recorder *recorder, struct err *err)
{
    int result;

    if (!recorder)
        return 0;
    result = recorder_close(recorder, err);
    if (recorder->socket >= 0)
        close(recorder->socket);
    encoder_free(recorder->encoder);
    recall_free(recorder->recall);
    strbuf_release(&recorder->pending);
    free(recorder);
    return result;
}
