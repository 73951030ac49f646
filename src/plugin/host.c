/* The functions of heaptop that a plugin calls, in the plugin's process. */
#include "plugin/runner.h"

#include <string.h>
#include <unistd.h>

#include "plugin/message.h"

static struct runner *runner_of(const struct heaptop_host *host)
{
    return host->own;
}

/* Room for an item of so many bytes, or the answer ends here. */
static bool has_room(struct runner *runner, size_t bytes)
{
    if (!runner->is_full && runner->answer.length + bytes + 2 > PLUGIN_ANSWER_MAX) {
        strbuf_add_char(&runner->answer, '!');
        runner->is_full = true;
    }
    return !runner->is_full;
}

static void put_long(struct runner *runner, const char *text, size_t most)
{
    size_t length = text ? strnlen(text, most) : 0;

    strbuf_add(&runner->answer, text ? text : "", length);
    strbuf_add_char(&runner->answer, '\0');
}

static void put_text(struct runner *runner, const char *text)
{
    put_long(runner, text, PLUGIN_TEXT_MAX);
}

static const char *host_setting(const struct heaptop_host *host, const char *key)
{
    const struct runner_order *order = runner_of(host)->order;

    return key ? plugin_setting(order->settings, order->file->name, key) : NULL;
}

static void host_say(const struct heaptop_host *host, const char *sentence)
{
    struct runner *runner = runner_of(host);

    if (runner->n_words == PLUGIN_WORDS_MAX || !has_room(runner, PLUGIN_TEXT_MAX))
        return;
    runner->n_words++;
    strbuf_add_char(&runner->answer, 'S');
    put_text(runner, sentence);
}

static int host_read(const struct heaptop_host *host, uint64_t address, void *buffer,
                     size_t bytes)
{
    int fd = runner_of(host)->order->mem_fd;
    size_t done = 0;

    if (fd < 0 || address > INT64_MAX || bytes > INT64_MAX - address)
        return -1;
    while (done < bytes) {
        ssize_t got =
            pread(fd, (char *)buffer + done, bytes - done, (off_t)(address + done));

        if (got <= 0)
            return -1;
        done += (size_t)got;
    }
    return 0;
}

static uint64_t access_of(const struct mapping *mapping)
{
    return (mapping->is_readable ? HEAPTOP_READABLE : 0u) |
           (mapping->is_writable ? HEAPTOP_WRITABLE : 0u) |
           (mapping->is_executable ? HEAPTOP_EXECUTABLE : 0u) |
           (mapping->is_shared ? HEAPTOP_SHARED : 0u);
}

static int host_mapping(const struct heaptop_host *host, size_t index,
                        struct heaptop_mapping *mapping)
{
    struct runner *runner = runner_of(host);
    const struct mapping *found;
    struct err err = ERR_INIT;

    if (!runner->has_maps && (runner->order->maps_fd < 0 ||
                              maps_read(&runner->maps, runner->order->maps_fd, &err)))
        return -1;
    runner->has_maps = true;
    if (index >= runner->maps.count)
        return -1;
    found = &runner->maps.mappings[index];
    *mapping = (struct heaptop_mapping){found->start, found->end, found->offset,
                                        access_of(found), found->path};
    return 0;
}

static void host_column(const struct heaptop_host *host, const char *name,
                        enum heaptop_unit unit, const char *help)
{
    struct runner *runner = runner_of(host);

    if (!has_room(runner, 2 * PLUGIN_TEXT_MAX))
        return;
    strbuf_add_char(&runner->answer, 'C');
    strbuf_add_char(&runner->answer, (char)('0' + (unsigned)unit % 64));
    put_text(runner, name);
    put_text(runner, help);
}

static void put_letter(const struct heaptop_host *host, char letter)
{
    struct runner *runner = runner_of(host);

    if (has_room(runner, 1))
        strbuf_add_char(&runner->answer, letter);
}

static void host_row(const struct heaptop_host *host)
{
    put_letter(host, 'R');
}

static void host_unknown(const struct heaptop_host *host)
{
    put_letter(host, 'U');
}

static void host_number(const struct heaptop_host *host, int64_t value)
{
    struct runner *runner = runner_of(host);

    if (!has_room(runner, sizeof(value)))
        return;
    strbuf_add_char(&runner->answer, 'N');
    strbuf_add(&runner->answer, &value, sizeof(value));
}

static void host_text(const struct heaptop_host *host, const char *text)
{
    struct runner *runner = runner_of(host);

    if (!text) {
        host_unknown(host);
    } else if (has_room(runner, PLUGIN_TEXT_MAX)) {
        strbuf_add_char(&runner->answer, 'T');
        put_text(runner, text);
    }
}

static void put_line(const struct heaptop_host *host, char letter, const char *text)
{
    struct runner *runner = runner_of(host);

    if (!has_room(runner, PLUGIN_TEXT_MAX))
        return;
    strbuf_add_char(&runner->answer, letter);
    put_text(runner, text);
}

static void host_title(const struct heaptop_host *host, const char *title)
{
    put_line(host, 'H', title);
}

static void host_line(const struct heaptop_host *host, const char *text)
{
    put_line(host, 'L', text);
}

static void host_depth(const struct heaptop_host *host, unsigned depth)
{
    struct runner *runner = runner_of(host);

    if (!has_room(runner, 1))
        return;
    strbuf_add_char(&runner->answer, 'D');
    strbuf_add_char(&runner->answer, (char)('0' + (depth < 64 ? depth : 64)));
}

static void host_action(const struct heaptop_host *host, const char *name,
                        const char *call, const char *words)
{
    struct runner *runner = runner_of(host);

    if (!has_room(runner, 2 * PLUGIN_TEXT_MAX + PLUGIN_OFFER_MAX))
        return;
    strbuf_add_char(&runner->answer, 'A');
    put_text(runner, name);
    put_text(runner, call);
    put_long(runner, words, PLUGIN_OFFER_MAX);
}

/* Heaptop answers, or has gone. */
static int64_t host_probe(const struct heaptop_host *host, enum heaptop_probe probe,
                          const char *question, char *text, size_t bytes)
{
    struct runner *runner = runner_of(host);
    struct plugin_probe asked = {.probe = (uint32_t)probe};

    if (!bytes)
        return -1;
    text[0] = '\0';
    if (!runner->may_probe) {
        strncat(text, "it can only be asked within sample()", bytes - 1);
        return -1;
    }
    if (question && strlen(question) >= sizeof(asked.question)) {
        strncat(text, "the question is longer than 255 bytes", bytes - 1);
        return -1;
    }
    if (question)
        memcpy(asked.question, question, strlen(question));
    return runner_probe(runner, &asked, text, bytes);
}

void host_begin(struct runner *runner)
{
    strbuf_reset(&runner->answer);
    runner->is_full = false;
    runner->n_words = 0;
    if (runner->has_maps)
        maps_release(&runner->maps);
    runner->has_maps = false;
}

void host_init(struct runner *runner)
{
    runner->host = (struct heaptop_host){
        .struct_size = sizeof(runner->host),
        .pid = runner->order->pid,
        .own = runner,
        .setting = host_setting,
        .say = host_say,
        .read = host_read,
        .mapping = host_mapping,
        .column = host_column,
        .row = host_row,
        .number = host_number,
        .text = host_text,
        .unknown = host_unknown,
        .probe = host_probe,
        .title = host_title,
        .line = host_line,
        .depth = host_depth,
        .action = host_action,
    };
}
