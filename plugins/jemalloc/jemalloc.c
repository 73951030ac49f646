/* jemalloc - what jemalloc counts in a target that uses it: mallctl(), arena by arena. */
#include "heaptop/plugin.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENAS_MAX  256
#define NUMBERS_MAX 10

/* Of each arena what was told last: where too much was asked, the rest is asked at the
 * next sample. */
static struct {
    int64_t numbers[NUMBERS_MAX];
    bool is_known;
} arenas[ARENAS_MAX];
static int next_arena;

/* The numbers that a question is answered with; -1: there is no such number, or the
 * question was refused, which a line says. */
static int ask(const struct heaptop_host *host, const char *question,
               int64_t numbers[NUMBERS_MAX])
{
    char text[1000], *at = text;

    if (host->probe(host, HEAPTOP_MALLCTL, question, text, sizeof(text)) < 0) {
        host->line(host, text);
        return -1;
    }
    for (size_t i = 0; i < NUMBERS_MAX; i++) {
        char *end = strchr(at, '\n');

        numbers[i] = end && *at != '-' ? strtoll(at, NULL, 10) : -1;
        if (end)
            at = end + 1;
    }
    return 0;
}

static void number(const struct heaptop_host *host, int64_t value)
{
    if (value < 0)
        host->unknown(host);
    else
        host->number(host, value);
}

static int64_t product(int64_t pages, int64_t page_bytes)
{
    return pages >= 0 && page_bytes > 0 && pages < INT64_MAX / page_bytes
               ? pages * page_bytes
               : -1;
}

static int64_t sum(int64_t left, int64_t right)
{
    return left >= 0 && right >= 0 && left < INT64_MAX - right ? left + right : -1;
}

static void columns(const struct heaptop_host *host)
{
    host->column(host, "arena", HEAPTOP_TEXT, "an arena, or all of jemalloc");
    host->column(host, "threads", HEAPTOP_COUNT, "threads that allocate from it");
    host->column(host, "used_bytes", HEAPTOP_BYTES, "allocated by the program");
    host->column(host, "active_bytes", HEAPTOP_BYTES, "pages that have something in use");
    host->column(host, "dirty_bytes", HEAPTOP_BYTES, "free pages that are kept resident");
    host->column(host, "mapped_bytes", HEAPTOP_BYTES, "address space in use");
    host->column(host, "retained_bytes", HEAPTOP_BYTES, "address space kept for later");
    host->column(host, "resident_bytes", HEAPTOP_BYTES, "physical memory");
}

static void total_row(const struct heaptop_host *host, const int64_t *total)
{
    host->row(host);
    host->text(host, "all of jemalloc");
    host->unknown(host);
    number(host, total[1]);
    number(host, total[2]);
    host->unknown(host);
    number(host, total[3]);
    number(host, total[4]);
    number(host, total[5]);
}

static int ask_arena(const struct heaptop_host *host, int index)
{
    char question[256];

    snprintf(question, sizeof(question),
             "stats.arenas.%d.nthreads stats.arenas.%d.small.allocated "
             "stats.arenas.%d.large.allocated stats.arenas.%d.pactive "
             "stats.arenas.%d.pdirty stats.arenas.%d.mapped "
             "stats.arenas.%d.retained",
             index, index, index, index, index, index, index);
    if (ask(host, question, arenas[index].numbers))
        return -1;
    arenas[index].is_known = true;
    return 0;
}

static void ask_arenas(const struct heaptop_host *host, int count)
{
    for (int i = 0; i < count; i++) {
        int index = (next_arena + i) % count;

        if (ask_arena(host, index) == 0)
            continue;
        host->line(host, "some arenas are as they were when they were asked last");
        next_arena = index;
        return;
    }
    next_arena = 0;
}

/* One that was never used has no row. */
static void arena_row(const struct heaptop_host *host, int index, int64_t page_bytes)
{
    const int64_t *n = arenas[index].numbers;
    char name[32];

    if (!arenas[index].is_known || (n[5] <= 0 && n[6] <= 0))
        return;
    snprintf(name, sizeof(name), "arena %d", index);
    host->row(host);
    host->text(host, name);
    number(host, n[0]);
    number(host, sum(n[1], n[2]));
    number(host, product(n[3], page_bytes));
    number(host, product(n[4], page_bytes));
    number(host, n[5]);
    number(host, n[6]);
    host->unknown(host);
}

static int jemalloc_sample(const struct heaptop_host *host, void *state)
{
    static int64_t total[NUMBERS_MAX]; /* as it was told last; [6] is 0 before that */
    int count, refused;

    (void)state;
    host->title(host, "jemalloc");
    refused = ask(host,
                  "epoch stats.allocated stats.active stats.mapped stats.retained "
                  "stats.resident arenas.narenas arenas.page stats.metadata",
                  total);
    if (refused && total[6] <= 0)
        return 0;
    if (total[1] < 0) {
        host->line(host, "this jemalloc was built without statistics");
        return 0;
    }
    count = total[6] < 0 ? 0 : total[6] < ARENAS_MAX ? (int)total[6] : ARENAS_MAX;
    if (!refused)
        ask_arenas(host, count);
    columns(host);
    total_row(host, total);
    for (int i = 0; i < count; i++)
        arena_row(host, i, total[7]);
    return 0;
}

static const char *const settings[] = {NULL};

const struct heaptop_plugin heaptop_plugin_1 = {
    .struct_size = HEAPTOP_PLUGIN_SIZE,
    .name = "jemalloc",
    .version = "1",
    .license = "MIT",
    .summary = "what jemalloc counts, arena by arena, in a target that uses it",
    .sample = jemalloc_sample,
    .settings = settings,
};
