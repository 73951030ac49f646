#include "plugin/runner.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
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

static bool has_setting(const struct heaptop_plugin *plugin, const char *key)
{
    for (size_t i = 0; plugin->settings[i]; i++)
        if (!strcmp(plugin->settings[i], key))
            return true;
    return false;
}

static int refuse_setting(const struct heaptop_plugin *plugin, const char *key,
                          struct err *err)
{
    char known[200] = "";

    for (size_t i = 0; plugin->settings[i]; i++)
        snprintf(known + strlen(known), sizeof(known) - strlen(known), "%s%.40s",
                 i ? ", " : "", plugin->settings[i]);
    return err_set(err, ERR_USAGE, "it has no setting \"%.40s\"; it has %s", key,
                   *known ? known : "none");
}

static int check_settings(const struct runner *runner, struct err *err)
{
    const struct plugin_settings *settings = runner->order->settings;
    const struct heaptop_plugin *plugin = &runner->plugin;

    for (size_t i = 0; plugin->settings && i < settings->n_settings; i++)
        if (!strcmp(settings->settings[i].name, plugin->name) &&
            !has_setting(plugin, settings->settings[i].key))
            return refuse_setting(plugin, settings->settings[i].key, err);
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
    if (!plugin->sample && !plugin->receive)
        return err_set(err, ERR_UNSUPPORTED, "it has neither sample nor receive");
    return check_settings(runner, err);
}

static void greet(const struct runner *runner)
{
    const struct heaptop_plugin *plugin = &runner->plugin;
    struct plugin_hello hello = {.is_source = plugin->sample != NULL,
                                 .is_sink = plugin->receive != NULL};

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

/* The rest of a text that there is no room for is read and forgotten. */
static int drop_bytes(int socket, size_t length)
{
    char bytes[4096];

    while (length) {
        size_t piece = length < sizeof(bytes) ? length : sizeof(bytes);

        if (receive_all(socket, bytes, piece))
            return -1;
        length -= piece;
    }
    return 0;
}

int64_t runner_probe(struct runner *runner, const struct plugin_probe *asked, char *text,
                     size_t bytes)
{
    struct plugin_head head;
    struct plugin_probed probed;
    size_t length, taken;

    if (send_message(runner->socket, PLUGIN_PROBE, asked, sizeof(*asked)) ||
        receive_all(runner->socket, &head, sizeof(head)) || head.type != PLUGIN_PROBED ||
        head.length < sizeof(probed) ||
        receive_all(runner->socket, &probed, sizeof(probed)))
        _exit(0);
    length = head.length - sizeof(probed);
    taken = length < bytes ? length : bytes - 1;
    if (receive_all(runner->socket, text, taken) ||
        drop_bytes(runner->socket, length - taken))
        _exit(0);
    text[taken] = '\0';
    return probed.length;
}

/* A sample as text, or -1: heaptop is gone. */
static int receive_sample(struct runner *runner, size_t length)
{
    char *json = malloc(length + 1);
    int result = -1;

    if (json && !receive_all(runner->socket, json, length)) {
        json[length] = '\0';
        result = runner->plugin.receive
                     ? runner->plugin.receive(&runner->host, runner->state, json, length)
                     : 0;
        free(json);
        return result ? 1 : 0;
    }
    free(json);
    return -1;
}

static int sample(struct runner *runner)
{
    int result;

    runner->may_probe = true;
    result =
        runner->plugin.sample ? runner->plugin.sample(&runner->host, runner->state) : 0;
    runner->may_probe = false;
    return result;
}

/* False when heaptop is gone. */
static bool answer_one(struct runner *runner)
{
    struct plugin_outcome outcome;
    struct plugin_head head;

    if (receive_all(runner->socket, &head, sizeof(head)))
        return false;
    host_begin(runner);
    if (head.type == PLUGIN_RECEIVE)
        outcome.result = receive_sample(runner, head.length);
    else
        outcome.result = head.type == PLUGIN_ASK ? sample(runner) : -1;
    if (outcome.result < 0 && head.type != PLUGIN_ASK)
        return false;
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
