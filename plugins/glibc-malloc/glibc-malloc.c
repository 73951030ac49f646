/*
 * glibc-malloc - glibc's malloc by its own account: malloc_info() and mallinfo2() of the
 * target, a row for each arena, with the threads that are attached to it.
 */
#include "heaptop/plugin.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_BYTES 262144
#define ARENAS_MAX 512

/* malloc/arena.c of glibc: the memory of an arena that is not the main one begins at a
 * multiple of HEAP_MAX_SIZE with a struct heap_info, whose first member is its arena. */
#define HEAP_BYTES (UINT64_C(64) << 20)
/* malloc/malloc.c, struct malloc_state of 2.27 - 2.43 on x86_64. */
#define STATE_NEXT       2160
#define STATE_ATTACHED   2176
#define STATE_SYSTEM_MEM 2184
#define STATE_BYTES      2192

struct arena {
    uint64_t address; /* 0: not found from outside */
    uint64_t attached, system_mem;
};

struct arenas {
    struct arena all[ARENAS_MAX]; /* the main one first, as malloc_info() has them */
    size_t count;
};

static char text[TEXT_BYTES]; /* one process, one thread */

static uint64_t word_at(const unsigned char *bytes, size_t offset)
{
    uint64_t word;

    memcpy(&word, bytes + offset, sizeof(word));
    return word;
}

static int read_arena(const struct heaptop_host *host, uint64_t address,
                      struct arena *arena, uint64_t *next)
{
    unsigned char state[STATE_BYTES];

    if (host->read(host, address, state, sizeof(state)))
        return -1;
    arena->address = address;
    arena->attached = word_at(state, STATE_ATTACHED);
    arena->system_mem = word_at(state, STATE_SYSTEM_MEM);
    *next = word_at(state, STATE_NEXT);
    return 0;
}

/* An arena that lies in a heap of its own; 0: there is none. */
static uint64_t find_one(const struct heaptop_host *host)
{
    struct heaptop_mapping mapping;
    uint64_t arena;

    for (size_t i = 0; host->mapping(host, i, &mapping) == 0; i++)
        if (mapping.begin % HEAP_BYTES == 0 && (mapping.access & HEAPTOP_WRITABLE) &&
            !*mapping.path &&
            host->read(host, mapping.begin, &arena, sizeof(arena)) == 0 &&
            arena > mapping.begin && arena < mapping.begin + 4096)
            return arena;
    return 0;
}

/* The ring of all arenas, from the main one on, which lies in no heap. */
static void find_arenas(const struct heaptop_host *host, struct arenas *arenas)
{
    uint64_t first = find_one(host), at = first, next = 0;
    struct arenas ring = {.count = 0};
    size_t main = ARENAS_MAX;

    arenas->count = 0;
    while (at && ring.count < ARENAS_MAX) {
        if (read_arena(host, at, &ring.all[ring.count], &next))
            return;
        if (at % HEAP_BYTES >= 4096)
            main = ring.count;
        ring.count++;
        at = next == first ? 0 : next;
    }
    if (main == ARENAS_MAX || (at && next != first))
        return; /* no ring: another layout */
    for (size_t i = 0; i < ring.count; i++)
        arenas->all[arenas->count++] = ring.all[(main + i) % ring.count];
}

/* The value of an attribute of the first such element before `end`; -1: there is none. */
static int64_t attribute(const char *from, const char *end, const char *element,
                         const char *name)
{
    char wanted[32];
    const char *at = strstr(from, element);

    snprintf(wanted, sizeof(wanted), " %s=\"", name);
    at = at && at < end ? strstr(at, wanted) : NULL;
    return at && at < end ? strtoll(at + strlen(wanted), NULL, 10) : -1;
}

static void number(const struct heaptop_host *host, int64_t value)
{
    if (value < 0)
        host->unknown(host);
    else
        host->number(host, value);
}

/* Told only where both ways agree on what the arena has from the system, but for what it
 * may have got between the two. */
static void threads(const struct heaptop_host *host, const struct arena *arena,
                    int64_t system)
{
    if (arena && system > 0 && arena->attached < 100000 &&
        arena->system_mem / 2 <= (uint64_t)system &&
        (uint64_t)system / 2 <= arena->system_mem)
        host->number(host, (int64_t)arena->attached);
    else
        host->unknown(host);
}

static void arena_row(const struct heaptop_host *host, size_t index, const char *from,
                      const char *end, const struct arena *arena)
{
    int64_t system = attribute(from, end, "<system type=\"current\"", "size");
    int64_t most = attribute(from, end, "<system type=\"max\"", "size");
    int64_t fast = attribute(from, end, "<total type=\"fast\"", "size");
    int64_t rest = attribute(from, end, "<total type=\"rest\"", "size");
    int64_t fasts = attribute(from, end, "<total type=\"fast\"", "count");
    int64_t rests = attribute(from, end, "<total type=\"rest\"", "count");
    bool is_known = fast >= 0 && rest >= 0;
    char name[32];

    snprintf(name, sizeof(name), index ? "arena %zu" : "main arena", index);
    host->row(host);
    host->text(host, name);
    threads(host, arena, system);
    number(host, system);
    number(host, is_known && system >= fast + rest ? system - fast - rest : -1);
    number(host, is_known ? fast + rest : -1);
    number(host, fasts >= 0 && rests >= 0 ? fasts + rests : -1);
    number(host, most);
}

static void mapped_row(const struct heaptop_host *host, const char *from)
{
    const char *end = from + strlen(from);
    int64_t bytes = attribute(from, end, "<total type=\"mmap\"", "size");

    host->row(host);
    host->text(host, "mapped alone");
    host->unknown(host);
    number(host, bytes);
    number(host, bytes);
    host->number(host, 0);
    host->number(host, 0);
    host->unknown(host);
}

static void columns(const struct heaptop_host *host)
{
    host->column(host, "arena", HEAPTOP_TEXT, "an arena of malloc");
    host->column(host, "threads", HEAPTOP_COUNT, "threads that are attached to it");
    host->column(host, "system_bytes", HEAPTOP_BYTES, "what it has from the system");
    host->column(host, "used_bytes", HEAPTOP_BYTES, "in use, thread caches among it");
    host->column(host, "free_bytes", HEAPTOP_BYTES, "free in its bins and at its top");
    host->column(host, "free_chunks", HEAPTOP_COUNT, "pieces that this is in");
    host->column(host, "most_bytes", HEAPTOP_BYTES, "the most it ever had");
}

static void arena_rows(const struct heaptop_host *host)
{
    const char *at = strstr(text, "<heap "), *last = text;
    struct arenas arenas;

    find_arenas(host, &arenas);
    for (size_t i = 0; at && i < ARENAS_MAX; i++) {
        const char *end = strstr(at, "</heap>");

        if (!end)
            break;
        arena_row(host, i, at, end, i < arenas.count ? &arenas.all[i] : NULL);
        last = end;
        at = strstr(end, "<heap ");
    }
    mapped_row(host, last);
}

/* As heaptop shows bytes: "44.2K". */
static const char *in_units(char words[32], int64_t bytes)
{
    static const char units[] = " KMGT";
    double value = (double)bytes;
    size_t unit = 0;

    for (; value >= 1024 && unit < 4; unit++)
        value /= 1024;
    snprintf(words, 32, unit ? "%.1f%c" : "%.0f", value, units[unit]);
    return words;
}

/* mallinfo2() says what is free at the top of the main arena. */
static void say_top(const struct heaptop_host *host)
{
    char info[1000], line[120], units[32];
    const char *keep;

    if (host->probe(host, HEAPTOP_MALLINFO2, NULL, info, sizeof(info)) < 0)
        return;
    keep = strstr(info, "keepcost ");
    if (!keep)
        return;
    snprintf(line, sizeof(line), "mallinfo2(): %s is free at the top of the main arena",
             in_units(units, (int64_t)strtoll(keep + 9, NULL, 10)));
    host->line(host, line);
}

/* malloc/arena.c of glibc, arena_get2(): a thread takes an arena of its own while there
 * are few. Which one it is, malloc_info() does not say. */
static void say_agent(const struct heaptop_host *host)
{
    host->line(host,
               "The agent that was asked is a thread, too: a small arena of one thread "
               "may be its own.");
}

static int glibc_malloc_sample(const struct heaptop_host *host, void *state)
{
    (void)state;
    host->title(host, "glibc malloc");
    if (host->probe(host, HEAPTOP_MALLOC_INFO, NULL, text, sizeof(text)) < 0) {
        host->line(host, text);
        return 0;
    }
    say_top(host);
    say_agent(host);
    columns(host);
    arena_rows(host);
    host->action(host, "trim", "malloc_trim(0)",
                 "Here it is offered because the arenas' free memory stands above.");
    return 0;
}

static const char *const settings[] = {NULL};

const struct heaptop_plugin heaptop_plugin_1 = {
    .struct_size = HEAPTOP_PLUGIN_SIZE,
    .name = "glibc-malloc",
    .version = "1",
    .license = "MIT",
    .summary = "glibc's malloc by its own account: malloc_info, arena by arena",
    .sample = glibc_malloc_sample,
    .settings = settings,
};
