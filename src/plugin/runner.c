#include "plugin/runner.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guard/filter.h"
#include "guard/guard.h"
#include "guard/quiet.h"
#include "plugin/message.h"

/* The members that the first plugins of this generation have. */
#define PLUGIN_SIZE_LEAST (offsetof(struct heaptop_plugin, close) + sizeof(void *))
#define PLUGIN_SIZE_MOST  4096
#define GENERATIONS_ASKED 20

static int send_all(int socket, const void *bytes, size_t length)
{
    for (size_t done = 0; done < length;) {
        struct iovec piece = {(char *)(uintptr_t)bytes + done, length - done};
        struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
        ssize_t sent = sendmsg(socket, &message, MSG_NOSIGNAL);

        if (sent < 0 && errno != EINTR)
            return -1;
        done += sent > 0 ? (size_t)sent : 0;
    }
    return 0;
}

static int receive_all(int socket, void *bytes, size_t length)
{
    for (size_t done = 0; done < length;) {
        ssize_t got = read(socket, (char *)bytes + done, length - done);

        if (got == 0 || (got < 0 && errno != EINTR))
            return -1;
        done += got > 0 ? (size_t)got : 0;
    }
    return 0;
}

static int send_message(int socket, uint32_t type, const void *bytes, size_t length)
{
    struct plugin_head head = {type, (uint32_t)length};

    return send_all(socket, &head, sizeof(head)) || send_all(socket, bytes, length) ? -1
                                                                                    : 0;
}

static void refuse(const struct runner *runner, const char *why)
{
    send_message(runner->socket, PLUGIN_REFUSED, why, strlen(why));
    _exit(0);
}

/* It has another generation of the contract, or none. */
static void explain_symbol(void *library, struct err *err)
{
    char symbol[40];

    for (int generation = 0; generation < GENERATIONS_ASKED; generation++) {
        snprintf(symbol, sizeof(symbol), "heaptop_plugin_%d", generation);
        if (!dlsym(library, symbol))
            continue;
        err_set(err, ERR_UNSUPPORTED,
                "it is made for generation %d of the contract, and this heaptop has %d",
                generation, HEAPTOP_PLUGIN_GENERATION);
        return;
    }
    err_set(err, ERR_UNSUPPORTED, "it defines no heaptop_plugin_%d: it is no plugin",
            HEAPTOP_PLUGIN_GENERATION);
}

static int load(struct runner *runner, struct err *err)
{
    const struct plugin_file *file = runner->order->file;
    const struct heaptop_plugin *found;
    char path[40];
    void *library;
    int fd = plugin_file_open(file->path, runner->order->has_rights, err);

    if (fd < 0)
        return -1;
    /* What was checked is what is loaded. The descriptor stays, as its number is the
     * name of the library. */
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return err_set(err, ERR_FAILED, "it cannot be loaded: %s", dlerror());
    found = dlsym(library, "heaptop_plugin_1");
    if (!found) {
        explain_symbol(library, err);
        return -1;
    }
    if (found->struct_size < PLUGIN_SIZE_LEAST || found->struct_size > PLUGIN_SIZE_MOST)
        return err_set(err, ERR_UNSUPPORTED, "it says that its descriptor has %u bytes",
                       found->struct_size);
    memcpy(&runner->plugin, found,
           found->struct_size < sizeof(*found) ? found->struct_size : sizeof(*found));
    return 0;
}

static int check(const struct runner *runner, struct err *err)
{
    const struct heaptop_plugin *plugin = &runner->plugin;

    if (!plugin->name || !plugin->version || !plugin->license || !plugin->summary)
        return err_set(err, ERR_UNSUPPORTED,
                       "it does not say its name, version, license and summary");
    if (strcmp(plugin->name, runner->order->file->name) != 0)
        return err_set(err, ERR_UNSUPPORTED, "it calls itself \"%.32s\"", plugin->name);
    if (!plugin->sample)
        return err_set(err, ERR_UNSUPPORTED, "it has no function sample");
    return 0;
}

static void greet(const struct runner *runner)
{
    const struct heaptop_plugin *plugin = &runner->plugin;
    struct plugin_hello hello = {.name = ""};

    snprintf(hello.name, sizeof(hello.name), "%s", plugin->name);
    snprintf(hello.version, sizeof(hello.version), "%s", plugin->version);
    snprintf(hello.license, sizeof(hello.license), "%s", plugin->license);
    snprintf(hello.summary, sizeof(hello.summary), "%s", plugin->summary);
    send_message(runner->socket, PLUGIN_HELLO, &hello, sizeof(hello));
}

/* The first sentence that was said in this call. */
static void first_words(const struct runner *runner, char *words, size_t size)
{
    const char *text = strbuf_text(&runner->answer);

    snprintf(words, size, "%s",
             runner->n_words && text[0] == 'S' ? text + 1 : "it does not say why");
}

static int open_plugin(struct runner *runner, struct err *err)
{
    char words[PLUGIN_TEXT_MAX + 1];

    host_begin(runner);
    if (!runner->plugin.open || runner->plugin.open(&runner->host, &runner->state) == 0)
        return 0;
    first_words(runner, words, sizeof(words));
    return err_set(err, ERR_FAILED, "it cannot begin: %s", words);
}

/* From here on the plugin may look at a target. */
static int give_up_rights(struct err *err)
{
    if (guard_give_up_rights(err))
        return -1;
    filter_begin(GUARD_ALWAYS);
    return 0;
}

/* False when heaptop is gone. */
static bool answer_one(struct runner *runner)
{
    struct plugin_outcome outcome;
    struct plugin_head head;

    if (receive_all(runner->socket, &head, sizeof(head)) || head.type != PLUGIN_ASK)
        return false;
    host_begin(runner);
    outcome.result = runner->plugin.sample(&runner->host, runner->state);
    head = (struct plugin_head){PLUGIN_ANSWER,
                                (uint32_t)(sizeof(outcome) + runner->answer.length)};
    return !send_all(runner->socket, &head, sizeof(head)) &&
           !send_all(runner->socket, &outcome, sizeof(outcome)) &&
           !send_all(runner->socket, strbuf_text(&runner->answer), runner->answer.length);
}

void runner_main(int socket, const struct runner_order *order)
{
    struct runner runner = {.order = order, .socket = socket};
    struct err err = ERR_INIT;

    quiet_become(order->file->name);
    host_init(&runner);
    if (load(&runner, &err) || check(&runner, &err))
        refuse(&runner, err.text);
    if (order->is_look) {
        greet(&runner);
        _exit(0);
    }
    if (open_plugin(&runner, &err) || give_up_rights(&err))
        refuse(&runner, err.text);
    greet(&runner);
    while (answer_one(&runner))
        ;
    if (runner.plugin.close)
        runner.plugin.close(&runner.host, runner.state);
    _exit(0);
}
