/*
 * tracemalloc - where Python's tracemalloc saw memory being asked for, line by line, when
 * it is on in the target, and how that grew. Starting it is an action.
 */
#include "heaptop/plugin.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/tracemalloc/memory.h"
#include "plugins/tracemalloc/traces.h"

#define LINES      65536 /* a power of two */
#define ROWS       1000
#define LIMIT_NS   INT64_C(2000000000) /* of one reading */
#define SHARE      20                  /* one part of the time is spent on reading */
#define NAME_BYTES 4200

struct line {
    uint64_t file; /* 0: a free place */
    uint32_t number;
    int64_t bytes, count, first_bytes;
};

struct tracemalloc {
    struct traces traces;
    struct line lines[LINES];
    size_t n_lines;
    uint64_t n_traces;
    int64_t searched_ns, search_ns; /* when it was looked for, and how long that took */
    int64_t read_ns, reading_ns;    /* when it was read, and how long that took */
    bool is_read, is_first, is_cut;
};

static int tracemalloc_open(const struct heaptop_host *host, void **state)
{
    struct tracemalloc *all = calloc(1, sizeof(*all));

    if (!all) {
        host->say(host, "there is no memory");
        return -1;
    }
    *state = all;
    return 0;
}

static struct line *line_of(struct tracemalloc *all, uint64_t file, uint32_t number)
{
    uint64_t hash =
        (file / 16 + number * UINT64_C(2654435761)) * UINT64_C(0x9e3779b97f4a7c15) >> 48;

    for (size_t at = hash % LINES;; at = (at + 1) % LINES) {
        struct line *line = &all->lines[at];

        if (line->file == file && line->number == number)
            return line;
        if (line->file)
            continue;
        if (all->n_lines >= LINES / 2)
            return NULL;
        all->n_lines++;
        *line = (struct line){.file = file, .number = number};
        return line;
    }
}

static void add(void *context, uint64_t bytes, uint64_t file, uint32_t number)
{
    struct line *line = line_of(context, file, number);

    if (!line)
        return;
    line->bytes += (int64_t)bytes;
    line->count++;
}

static void forget(struct tracemalloc *all)
{
    memset(all->lines, 0, sizeof(all->lines));
    all->n_lines = 0;
    all->is_first = true;
    all->is_read = false;
}

static void keep_first(struct tracemalloc *all)
{
    for (size_t i = 0; all->is_first && i < LINES; i++)
        all->lines[i].first_bytes = all->lines[i].bytes;
    all->is_first = false;
}

/* Reading takes its time again only when twenty times as much has gone by. */
static void read_traces(struct tracemalloc *all)
{
    int64_t began = traces_now_ns();

    if (all->is_read && began - all->read_ns < all->reading_ns * SHARE)
        return;
    for (size_t i = 0; i < LINES; i++)
        all->lines[i].bytes = all->lines[i].count = 0;
    all->n_traces = traces_visit_all(&all->traces, began + LIMIT_NS, add, all);
    all->read_ns = traces_now_ns();
    all->reading_ns = all->read_ns - began;
    all->is_cut = all->reading_ns > LIMIT_NS;
    all->is_read = true;
    keep_first(all);
}

static bool find(const struct heaptop_host *host, struct tracemalloc *all)
{
    int64_t began = traces_now_ns();

    if (traces_look(&all->traces))
        return true;
    if (all->traces.slot)
        forget(all);
    if (all->searched_ns && began - all->searched_ns < all->search_ns * SHARE)
        return false;
    all->is_first = true;
    traces_find(host, &all->traces);
    all->searched_ns = traces_now_ns();
    all->search_ns = all->searched_ns - began;
    return all->traces.slot != 0;
}

static int by_bytes(const void *left, const void *right)
{
    const struct line *const *a = left, *const *b = right;

    return ((*a)->bytes < (*b)->bytes) - ((*a)->bytes > (*b)->bytes);
}

static void row(const struct heaptop_host *host, const struct traces *traces,
                const struct line *line)
{
    static char name[NAME_BYTES];
    char text[240];
    size_t length;

    if (!traces_file(traces, line->file, name, sizeof(name)))
        snprintf(name, sizeof(name), "(a file whose name cannot be read)");
    length = strlen(name);
    snprintf(text, sizeof(text), "%s%.200s:%" PRIu32, length > 200 ? "..." : "",
             name + (length > 200 ? length - 200 : 0), line->number);
    host->row(host);
    host->text(host, text);
    host->number(host, line->bytes);
    host->number(host, line->bytes - line->first_bytes);
    host->number(host, line->count);
    if (line->count)
        host->number(host, line->bytes / line->count);
    else
        host->unknown(host);
}

static void rows(const struct heaptop_host *host, const struct tracemalloc *all)
{
    static const struct line *sorted[LINES];
    size_t count = 0;

    for (size_t i = 0; i < LINES; i++)
        if (all->lines[i].file && (all->lines[i].bytes || all->lines[i].first_bytes))
            sorted[count++] = &all->lines[i];
    qsort(sorted, count, sizeof(sorted[0]), by_bytes);
    host->column(host, "line", HEAPTOP_TEXT, "the line of Python that asked for memory");
    host->column(host, "bytes", HEAPTOP_BYTES, "what it holds of it");
    host->column(host, "growth_bytes", HEAPTOP_BYTES, "more than at the first look");
    host->column(host, "blocks", HEAPTOP_COUNT, "pieces of memory");
    host->column(host, "mean_bytes", HEAPTOP_BYTES, "the mean size of one");
    for (size_t i = 0; i < count && i < ROWS; i++)
        row(host, &all->traces, sorted[i]);
}

static void say_reading(const struct heaptop_host *host, const struct tracemalloc *all)
{
    char line[200];

    snprintf(line, sizeof(line),
             "tracemalloc is on: %" PRIu64 " of %" PRIu64 " traces read from outside in "
             "%" PRId64 " ms%s",
             all->n_traces, all->traces.entries, all->reading_ns / 1000000,
             all->is_cut ? "; the rest took too long" : "");
    host->line(host, line);
}

static void offer_start(const struct heaptop_host *host)
{
    host->line(host,
               "no traces are found: tracemalloc is not on, has traced nothing yet,");
    host->line(host, "or keeps them as this plugin does not know (it knows 3.8 to 3.15)");
    host->line(host, "C opens the actions: _tracemalloc.start(1) begins to trace");
    host->action(host, "start", "_tracemalloc.start(1)",
                 "From then on each block of memory that Python asks for is traced with "
                 "one frame: what the target allocates takes about twice as long, and "
                 "each block costs about 100 bytes more. What it has allocated before is "
                 "not traced. _tracemalloc.stop() puts it back and forgets the traces.");
}

static int tracemalloc_sample(const struct heaptop_host *host, void *state)
{
    struct tracemalloc *all = state;

    memory_begin(host);
    host->title(host, "tracemalloc");
    if (!find(host, all)) {
        offer_start(host);
        return 0;
    }
    read_traces(all);
    say_reading(host, all);
    rows(host, all);
    host->action(
        host, "stop", "_tracemalloc.stop()",
        "Ends tracing in the target, and forgets all traces: also those that the "
        "program itself may want.");
    return 0;
}

static void tracemalloc_close(const struct heaptop_host *host, void *state)
{
    (void)host;
    free(state);
}

static const char *const settings[] = {NULL};

const struct heaptop_plugin heaptop_plugin_1 = {
    .struct_size = HEAPTOP_PLUGIN_SIZE,
    .name = "tracemalloc",
    .version = "1",
    .license = "MIT",
    .summary = "which lines asked for memory, when Python's tracemalloc is on",
    .open = tracemalloc_open,
    .sample = tracemalloc_sample,
    .close = tracemalloc_close,
    .settings = settings,
};
