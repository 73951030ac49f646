/* The recorder's own process: takes messages, writes, answers, until its client ends. */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guard/filter.h"
#include "guard/guard.h"
#include "guard/quiet.h"
#include "recording/folder.h"
#include "recording/message.h"
#include "recording/recall.h"
#include "recording/writer.h"
#include "util/clock.h"
#include "util/xalloc.h"

struct process {
    int socket;
    const char *only;      /* where it may write; see recorder_start() */
    struct writer *writer; /* NULL: no recording is open */
    struct message_answer state;
    struct err trouble; /* why samples were lost of which no answer has told yet */
    char before[RECALL_FILES_MAX][RECORDER_PATH_BYTES]; /* files that were ended */
    size_t n_before;
};

static void lose(struct process *process, size_t samples, const struct err *err)
{
    process->state.lost += (int64_t)samples;
    process->trouble = *err;
}

static void commit(struct process *process)
{
    size_t samples = writer_open_samples(process->writer);
    struct err err = ERR_INIT;

    if (writer_commit(process->writer, &err) == 0)
        return;
    process->state.samples -= (int64_t)samples;
    lose(process, samples, &err);
}

static void close_recording(struct process *process)
{
    struct stat status;

    if (!process->writer)
        return;
    commit(process);
    writer_close(process->writer);
    process->writer = NULL;
    if (stat(process->state.path, &status) == 0) /* its log is in it now */
        process->state.bytes = status.st_size;
    if (!process->state.samples) /* nobody would look for anything in it */
        unlink(process->state.path);
    memcpy(process->before[process->n_before++ % RECALL_FILES_MAX], process->state.path,
           sizeof(process->state.path));
}

static bool ends_in_suffix(const char *path)
{
    size_t length = strlen(path), suffix = strlen(RECORDER_SUFFIX);

    return length > suffix && !strcmp(path + length - suffix, RECORDER_SUFFIX);
}

static int check_place(const struct process *process, const char *asked,
                       const char *chosen, struct err *err)
{
    if (process->only ? !strcmp(process->only, asked) : ends_in_suffix(chosen))
        return 0;
    err_set(err, ERR_USAGE, "the name of a recording ends in %s", RECORDER_SUFFIX);
    return err_remedy(err, "give such a name, or a folder");
}

static int open_recording(struct process *process, const struct message_open *open,
                          struct err *err)
{
    struct message_answer *state = &process->state;

    close_recording(process);
    state->samples = state->bytes = 0;
    if (folder_choose(open->path, open->pid, state->path, &state->is_folder, err) ||
        check_place(process, open->path, state->path, err) ||
        writer_open(state->path, &process->writer, err))
        return -1;
    if (state->is_folder)
        folder_forget_old(open->path, state->path, open->keep_bytes, open->keep_ns);
    state->bytes = writer_bytes(process->writer);
    return 0;
}

static int add_sample(struct process *process, const uint8_t *bytes, size_t length,
                      struct err *err)
{
    struct headline headline;
    size_t before;

    if (!process->writer) {
        err_set(err, ERR_FAILED, "no recording is open");
        lose(process, 1, err);
        return -1;
    }
    before = writer_open_samples(process->writer);
    memcpy(&headline, bytes, sizeof(headline));
    if (writer_sample(process->writer, &headline, bytes + sizeof(headline),
                      length - sizeof(headline), err)) {
        process->state.samples -= (int64_t)before;
        lose(process, before + 1, err);
        return -1;
    }
    process->state.samples++;
    process->state.bytes = writer_bytes(process->writer);
    return 0;
}

static int answer(struct process *process, uint32_t to, int result, const struct err *err)
{
    process->state.to = to;
    process->state.is_done = result == 0;
    process->state.err = result || !process->state.lost ? *err : process->trouble;
    result = message_send(process->socket, &process->state, sizeof(process->state));
    process->state.lost = 0;
    return result;
}

static int read_samples(struct process *process, const struct message_recall *wanted,
                        struct strbuf *found, struct err *err)
{
    size_t back = wanted->files_back;

    if (!process->writer)
        return err_set(err, ERR_FAILED, "no recording is open");
    if (!back)
        return writer_read(process->writer, wanted->first, wanted->last, found, err);
    if (back > process->n_before || back > RECALL_FILES_MAX)
        return err_set(err, ERR_FAILED, "this sample is in no file that is known");
    return writer_read_ended(
        process->before[(process->n_before - back) % RECALL_FILES_MAX], wanted->first,
        wanted->last, found, err);
}

static int recall(struct process *process, const uint8_t *bytes)
{
    struct strbuf found = STRBUF_INIT;
    struct message_recall wanted;
    struct err err = ERR_INIT;
    int result;

    memcpy(&wanted, bytes, sizeof(wanted));
    result = read_samples(process, &wanted, &found, &err);
    process->state.more = (uint32_t)found.length;
    result = answer(process, MESSAGE_RECALL, result, &err) ||
             message_send(process->socket, found.text, found.length);
    process->state.more = 0;
    strbuf_release(&found);
    return result;
}

static void take_name(struct process *process, const uint8_t *bytes, size_t length)
{
    struct message_name name;

    memcpy(&name, bytes, sizeof(name));
    if (process->writer)
        writer_name(process->writer, name.number, (const char *)bytes + sizeof(name),
                    length - sizeof(name));
}

static void take_event(struct process *process, const uint8_t *bytes)
{
    struct event event;

    memcpy(&event, bytes, sizeof(event));
    event.words[sizeof(event.words) - 1] = '\0';
    if (process->writer && event.type <= EVENT_ACTION)
        writer_event(process->writer, &event);
}

static void take_mark(struct process *process, const uint8_t *bytes)
{
    struct message_mark mark;

    memcpy(&mark, bytes, sizeof(mark));
    mark.name[sizeof(mark.name) - 1] = '\0';
    if (process->writer)
        writer_mark(process->writer, &mark);
}

static size_t least_bytes(uint32_t type)
{
    static const size_t least[] = {
        [MESSAGE_OPEN] = sizeof(struct message_open),
        [MESSAGE_NAME] = sizeof(struct message_name),
        [MESSAGE_EVENT] = sizeof(struct event),
        [MESSAGE_MARK] = sizeof(struct message_mark),
        [MESSAGE_SAMPLE] = sizeof(struct headline),
        [MESSAGE_CLOSE] = 0,
        [MESSAGE_RECALL] = sizeof(struct message_recall),
    };

    return type >= MESSAGE_OPEN && type <= MESSAGE_RECALL ? least[type] : SIZE_MAX;
}

/* -1: the client is gone, or makes no sense. */
static int take(struct process *process, uint32_t type, const uint8_t *bytes,
                size_t length)
{
    struct err err = ERR_INIT;
    struct message_open open;

    switch (type) {
    case MESSAGE_OPEN:
        memcpy(&open, bytes, sizeof(open));
        open.path[sizeof(open.path) - 1] = '\0';
        return answer(process, type, open_recording(process, &open, &err), &err);
    case MESSAGE_SAMPLE:
        return answer(process, type, add_sample(process, bytes, length, &err), &err);
    case MESSAGE_CLOSE:
        close_recording(process);
        return answer(process, type, 0, &err);
    case MESSAGE_RECALL:
        return recall(process, bytes);
    case MESSAGE_NAME:
        take_name(process, bytes, length);
        return 0;
    case MESSAGE_EVENT:
        take_event(process, bytes);
        return 0;
    case MESSAGE_MARK:
        take_mark(process, bytes);
        return 0;
    default:
        return -1;
    }
}

/* Until there is a message; what has to be committed meanwhile is. */
static void wait_for_message(struct process *process)
{
    struct pollfd ready = {.fd = process->socket, .events = POLLIN};
    int64_t left_ns;

    while (process->writer && writer_open_samples(process->writer)) {
        left_ns = writer_due_ns(process->writer) - clock_monotonic_ns();
        if (left_ns > 0 && poll(&ready, 1, (int)(left_ns / NS_PER_MS) + 1) > 0)
            return;
        if (left_ns <= 0)
            commit(process);
    }
}

static int take_one(struct process *process)
{
    struct message_head head;
    uint8_t *bytes;
    int result = -1;

    wait_for_message(process);
    if (message_receive(process->socket, &head, sizeof(head)) ||
        head.length > MESSAGE_BYTES_MAX || head.length < least_bytes(head.type))
        return -1;
    bytes = xcalloc(head.length + 1, 1);
    if (message_receive(process->socket, bytes, head.length) == 0)
        result = take(process, head.type, bytes, head.length);
    free(bytes);
    return result;
}

void recorder_main(int socket, const char *only)
{
    struct process process = {.socket = socket, .only = only};

    quiet_become("heaptop-recorder");
    filter_begin(GUARD_ALWAYS | GUARD_WRITES);
    while (take_one(&process) == 0)
        ;
    close_recording(&process);
    _exit(0);
}
