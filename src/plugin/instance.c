#include "plugin/instance.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/strbuf.h"
#include "util/utf8.h"
#include "util/xalloc.h"

#define LIMIT_S       5
#define MESSAGE_MAX   (PLUGIN_ANSWER_MAX + 4096)
#define READ_AT_ONCE  65536
#define READS_A_STEP  64
#define REFUSAL_BYTES 300
#define CLOSE_MS      500 /* for close() */

struct plugin_instance {
    struct keeper *keeper;
    pid_t pid;
    int socket;            /* -1: it has ended */
    int64_t asked_mono_ns; /* 0: it owes nothing; its greeting is owed from the start */
    bool has_greeted;
    bool is_wanting;   /* heaptop owes it the answer to a probe: its time stands still */
    bool is_receiving; /* what it owes is to a sample that it was handed */
    struct strbuf in, out;
    size_t sent;          /* of out */
    struct strbuf handed; /* the newest sample, until it has time; "" = none */
};

struct plugin_instance *plugin_instance_new(struct keeper *keeper,
                                            const struct keeper_wish *wish,
                                            struct err *err)
{
    struct plugin_instance *instance = xcalloc(1, sizeof(*instance));

    instance->keeper = keeper;
    if (keeper_load(keeper, wish, &instance->pid, &instance->socket, err)) {
        free(instance);
        return NULL;
    }
    instance->asked_mono_ns = clock_monotonic_ns();
    return instance;
}

/* One that has nothing to do closes by itself. */
static int end_process(struct plugin_instance *instance)
{
    int patience_ms = plugin_instance_is_idle(instance) ? CLOSE_MS : 0;

    if (instance->socket < 0)
        return -1;
    close(instance->socket);
    instance->socket = -1;
    return keeper_end(instance->keeper, instance->pid, patience_ms);
}

void plugin_instance_free(struct plugin_instance *instance)
{
    if (!instance)
        return;
    end_process(instance);
    strbuf_release(&instance->in);
    strbuf_release(&instance->out);
    strbuf_release(&instance->handed);
    free(instance);
}

int plugin_instance_fd(const struct plugin_instance *instance)
{
    return instance->socket;
}

int64_t plugin_instance_limit_ns(const struct plugin_instance *instance)
{
    if (instance->socket < 0 || !instance->asked_mono_ns || instance->is_wanting)
        return INT64_MAX;
    return instance->asked_mono_ns + LIMIT_S * NS_PER_S;
}

bool plugin_instance_is_idle(const struct plugin_instance *instance)
{
    return instance->socket >= 0 && instance->has_greeted && !instance->asked_mono_ns;
}

static enum plugin_step ended(struct plugin_instance *instance,
                              struct plugin_event *event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static enum plugin_step ended(struct plugin_instance *instance,
                              struct plugin_event *event, const char *format, ...)
{
    va_list arguments;

    end_process(instance);
    event->err.code = ERR_FAILED;
    va_start(arguments, format);
    vsnprintf(event->err.text, sizeof(event->err.text), format, arguments);
    va_end(arguments);
    return PLUGIN_ENDED;
}

/* The socket was closed at the other end. */
static enum plugin_step ended_by_itself(struct plugin_instance *instance,
                                        struct plugin_event *event)
{
    int status = end_process(instance);

    if (status != -1 && WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
        return ended(instance, event, "it was ended by signal %d (%s)", WTERMSIG(status),
                     strsignal(WTERMSIG(status)));
    if (status != -1 && WIFEXITED(status))
        return ended(instance, event, "it has exited with status %d",
                     WEXITSTATUS(status));
    return ended(instance, event, "its process has ended");
}

short plugin_instance_poll(const struct plugin_instance *instance)
{
    return (short)(instance->sent < instance->out.length ? POLLIN | POLLOUT : POLLIN);
}

/* As much as there is room for; an end is noticed when reading. */
static void send_some(struct plugin_instance *instance)
{
    struct strbuf *out = &instance->out;

    while (instance->sent < out->length) {
        struct iovec piece = {out->text + instance->sent, out->length - instance->sent};
        struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
        ssize_t sent = sendmsg(instance->socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (sent <= 0)
            return;
        instance->sent += (size_t)sent;
    }
    strbuf_reset(out);
    instance->sent = 0;
}

static void put_message(struct plugin_instance *instance, uint32_t type,
                        const void *begin, size_t begin_bytes, const char *rest,
                        size_t rest_bytes)
{
    struct plugin_head head = {type, (uint32_t)(begin_bytes + rest_bytes)};

    strbuf_add(&instance->out, &head, sizeof(head));
    strbuf_add(&instance->out, begin, begin_bytes);
    strbuf_add(&instance->out, rest, rest_bytes);
    send_some(instance);
}

void plugin_instance_ask(struct plugin_instance *instance)
{
    if (!plugin_instance_is_idle(instance))
        return;
    instance->asked_mono_ns = clock_monotonic_ns();
    instance->is_receiving = false;
    put_message(instance, PLUGIN_ASK, "", 0, "", 0);
}

/* The sample that waits, when the plugin has time for it. */
static void hand_over(struct plugin_instance *instance)
{
    struct strbuf *handed = &instance->handed;

    if (!handed->length || !plugin_instance_is_idle(instance))
        return;
    instance->asked_mono_ns = clock_monotonic_ns();
    instance->is_receiving = true;
    put_message(instance, PLUGIN_RECEIVE, "", 0, strbuf_text(handed), handed->length);
    strbuf_reset(handed);
}

bool plugin_instance_hand(struct plugin_instance *instance, const char *json,
                          size_t length)
{
    bool is_skipped = instance->handed.length > 0;

    strbuf_reset(&instance->handed);
    strbuf_add(&instance->handed, json, length);
    hand_over(instance);
    return is_skipped;
}

void plugin_instance_tell(struct plugin_instance *instance, int64_t whole,
                          const char *text, size_t bytes)
{
    struct plugin_probed probed = {whole};

    if (instance->socket < 0 || !instance->is_wanting)
        return;
    instance->is_wanting = false;
    instance->asked_mono_ns = clock_monotonic_ns();
    put_message(instance, PLUGIN_PROBED, &probed, sizeof(probed), text, bytes);
}

/* False at the end of the stream. */
static bool receive_some(struct plugin_instance *instance)
{
    char bytes[READ_AT_ONCE];

    for (int i = 0; i < READS_A_STEP && instance->in.length <= MESSAGE_MAX; i++) {
        struct iovec piece = {bytes, sizeof(bytes)};
        struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
        ssize_t got = recvmsg(instance->socket, &message, MSG_DONTWAIT);

        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return true;
        if (got <= 0)
            return false;
        strbuf_add(&instance->in, bytes, (size_t)got);
    }
    return true;
}

static void clean_text(char *text, size_t size)
{
    char raw[REFUSAL_BYTES];
    size_t length = strnlen(text, size);

    if (length >= sizeof(raw))
        length = sizeof(raw) - 1;
    memcpy(raw, text, length);
    utf8_clean_copy(text, size, raw, length);
}

static enum plugin_step take_hello(struct plugin_instance *instance,
                                   struct plugin_event *event, const char *bytes,
                                   size_t length)
{
    if (length != sizeof(event->hello) || instance->has_greeted)
        return ended(instance, event, "its greeting makes no sense");
    memcpy(&event->hello, bytes, sizeof(event->hello));
    clean_text(event->hello.name, sizeof(event->hello.name));
    clean_text(event->hello.version, sizeof(event->hello.version));
    clean_text(event->hello.license, sizeof(event->hello.license));
    clean_text(event->hello.summary, sizeof(event->hello.summary));
    instance->has_greeted = true;
    instance->asked_mono_ns = 0;
    return PLUGIN_GREETED;
}

static enum plugin_step take_answer(struct plugin_instance *instance,
                                    struct plugin_event *event, const char *bytes,
                                    size_t length)
{
    struct err err = ERR_INIT;

    if (!instance->has_greeted || !instance->asked_mono_ns || instance->is_wanting)
        return ended(instance, event, "it answered without being asked");
    if (plugin_answer_read(&event->answer, bytes, length, &err))
        return ended(instance, event, "its answer makes no sense: %s", err.text);
    event->took_ns = clock_monotonic_ns() - instance->asked_mono_ns;
    event->is_receipt = instance->is_receiving;
    instance->asked_mono_ns = 0;
    hand_over(instance);
    return PLUGIN_ANSWERED;
}

static enum plugin_step take_probe(struct plugin_instance *instance,
                                   struct plugin_event *event, const char *bytes,
                                   size_t length)
{
    bool may_ask = instance->has_greeted && instance->asked_mono_ns &&
                   !instance->is_receiving && !instance->is_wanting;

    if (!may_ask || length != sizeof(event->probe))
        return ended(instance, event, "it asks what makes no sense");
    memcpy(&event->probe, bytes, sizeof(event->probe));
    event->probe.question[sizeof(event->probe.question) - 1] = '\0';
    instance->is_wanting = true;
    return PLUGIN_ASKS;
}

static enum plugin_step take_message(struct plugin_instance *instance,
                                     struct plugin_event *event, uint32_t type,
                                     const char *bytes, size_t length)
{
    char why[4 * REFUSAL_BYTES];

    switch (type) {
    case PLUGIN_HELLO:
        return take_hello(instance, event, bytes, length);
    case PLUGIN_ANSWER:
        return take_answer(instance, event, bytes, length);
    case PLUGIN_PROBE:
        return take_probe(instance, event, bytes, length);
    case PLUGIN_REFUSED:
        utf8_clean_copy(why, sizeof(why), bytes,
                        length < REFUSAL_BYTES ? length : REFUSAL_BYTES);
        return ended(instance, event, "%.300s", why);
    default:
        return ended(instance, event, "what it says makes no sense");
    }
}

/* The first whole message of those that came. */
static enum plugin_step take_first(struct plugin_instance *instance,
                                   struct plugin_event *event)
{
    struct strbuf *in = &instance->in;
    struct plugin_head head;
    enum plugin_step step;
    size_t whole;

    if (in->length < sizeof(head))
        return PLUGIN_NOTHING;
    memcpy(&head, in->text, sizeof(head));
    if (head.length > MESSAGE_MAX - sizeof(head))
        return ended(instance, event, "what it says is too long");
    whole = sizeof(head) + head.length;
    if (in->length < whole)
        return PLUGIN_NOTHING;
    step = take_message(instance, event, head.type, in->text + sizeof(head), head.length);
    memmove(in->text, in->text + whole, in->length - whole);
    in->length -= whole;
    return step;
}

enum plugin_step plugin_instance_step(struct plugin_instance *instance,
                                      struct plugin_event *event)
{
    enum plugin_step step;
    bool goes_on;

    memset(event, 0, sizeof(*event));
    if (instance->socket < 0)
        return PLUGIN_NOTHING;
    send_some(instance);
    goes_on = receive_some(instance);
    step = take_first(instance, event);
    if (step != PLUGIN_NOTHING)
        return step;
    if (!goes_on)
        return ended_by_itself(instance, event);
    if (clock_monotonic_ns() > plugin_instance_limit_ns(instance))
        return ended(instance, event, "it did not answer for %d s and was ended",
                     LIMIT_S);
    return PLUGIN_NOTHING;
}

void plugin_view_introduce(struct plugin_view *view, const struct plugin_hello *hello)
{
    memcpy(view->version, hello->version, sizeof(view->version));
    memcpy(view->license, hello->license, sizeof(view->license));
    memcpy(view->summary, hello->summary, sizeof(view->summary));
    view->is_source = hello->is_source != 0;
    view->is_sink = hello->is_sink != 0;
}

static void look(struct keeper *keeper, size_t index, struct plugin_view *view)
{
    struct keeper_wish wish = {
        .index = index, .is_look = true, .mem_fd = -1, .maps_fd = -1};
    struct plugin_event event = {.err = ERR_INIT};
    struct plugin_instance *instance = plugin_instance_new(keeper, &wish, &event.err);
    enum plugin_step step = instance ? PLUGIN_NOTHING : PLUGIN_ENDED;

    while (step == PLUGIN_NOTHING) {
        struct pollfd ready = {.fd = plugin_instance_fd(instance), .events = POLLIN};

        poll(&ready, 1, 100);
        step = plugin_instance_step(instance, &event);
    }
    if (step == PLUGIN_GREETED) {
        plugin_view_introduce(view, &event.hello);
    } else {
        view->state = PLUGIN_FAILED;
        memcpy(view->why, event.err.text, sizeof(view->why));
    }
    plugin_instance_free(instance);
}

size_t plugin_look_all(struct keeper *keeper, struct plugin_view views[PLUGINS_MAX])
{
    const struct plugin_files *files = keeper_files(keeper);

    for (size_t i = 0; i < files->count; i++) {
        memset(&views[i], 0, sizeof(views[i]));
        memcpy(views[i].name, files->files[i].name, sizeof(views[i].name));
        look(keeper, i, &views[i]);
    }
    return files->count;
}
