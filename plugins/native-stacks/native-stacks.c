/*
 * native-stacks - what all threads are doing, in Python and below it, when it is asked
 * for, and when RES rose.
 */
#include "heaptop/plugin.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "plugins/native-stacks/rises.h"
#include "plugins/native-stacks/seen.h"

#define RISE_BYTES     (INT64_C(32) << 20)
#define ROWS_MAX       1900
#define ROWS_A_THREAD  300
#define LOOKS_AT_START 5
#define NS_PER_S       INT64_C(1000000000)

struct native_stacks {
    struct seen seen; /* what is shown */
    struct rises rises;
    int64_t every_ns; /* 0: only when it is asked for */
    unsigned n_looks;
};

static int64_t setting(const struct heaptop_host *host, const char *key, int64_t standard)
{
    const char *text = host->setting(host, key);

    return text ? strtoll(text, NULL, 10) : standard;
}

static int native_stacks_open(const struct heaptop_host *host, void **state)
{
    struct native_stacks *all = calloc(1, sizeof(*all));

    if (!all) {
        host->say(host, "there is no memory");
        return -1;
    }
    tzset();
    all->every_ns = setting(host, "every", 0) * NS_PER_S;
    rises_open(&all->rises, host->pid, setting(host, "rise", RISE_BYTES));
    *state = all;
    return 0;
}

/* A look that nobody asked for is made once, at the start, where the agent may still be
 * on its way, and as often as the configuration says. */
static bool is_due(const struct native_stacks *all)
{
    if (all->n_looks < LOOKS_AT_START && !all->seen.action)
        return !all->n_looks || all->seen.why_python[0];
    return all->every_ns && seen_now_ns() - all->seen.at_ns >= all->every_ns;
}

/* The number of the action's last look; 0: there was none. */
static int64_t action_number(const struct heaptop_host *host)
{
    char text[64];

    if (host->probe(host, HEAPTOP_NATIVE_STACKS, "action", text, sizeof(text)) < 0 ||
        text[0] != 'A')
        return 0;
    return strtoll(text + 1, NULL, 10);
}

static void look(const struct heaptop_host *host, struct native_stacks *all)
{
    int64_t interval_ns, bytes = rises_look(&all->rises, &interval_ns);
    int64_t known = all->seen.action;

    if (bytes || is_due(all)) {
        seen_take(host, &all->seen, NULL);
        all->n_looks++;
        all->seen.action = known; /* it is no new one */
    }
    if (bytes)
        rises_add(host, &all->rises, &all->seen, bytes, interval_ns);
    if (action_number(host) > known)
        seen_take(host, &all->seen, "action");
}

static void number(const struct heaptop_host *host, int64_t value)
{
    if (value < 0)
        host->unknown(host);
    else
        host->number(host, value);
}

static void put_row(const struct heaptop_host *host, const struct row *row)
{
    host->row(host);
    host->depth(host, row->depth);
    host->text(host, row->text);
    number(host, row->line);
    number(host, row->thread);
    number(host, row->stopped_ns);
}

static size_t put_threads(const struct heaptop_host *host, const struct seen *seen)
{
    static struct row rows[ROWS_A_THREAD];
    size_t n_rows = 0;

    for (size_t i = 0; i < seen->n_threads && n_rows < ROWS_MAX; i++) {
        size_t room = ROWS_MAX - n_rows;
        size_t n = seen_rows(seen, &seen->threads[i], rows,
                             room < ROWS_A_THREAD ? room : ROWS_A_THREAD);

        for (size_t k = 0; k < n; k++)
            put_row(host, &rows[k]);
        n_rows += n;
    }
    return n_rows;
}

static void put_rise(const struct heaptop_host *host, const struct rise *rise)
{
    struct row head = {.thread = -1, .line = -1, .stopped_ns = -1};
    char when[16], bytes[24];
    struct tm time;

    localtime_r(&rise->when, &time);
    strftime(when, sizeof(when), "%H:%M:%S", &time);
    snprintf(head.text, sizeof(head.text), "%s RES rose by %s within %.1fs: %.120s", when,
             rises_bytes(bytes, rise->bytes), (double)rise->interval_ns / 1e9, rise->who);
    put_row(host, &head);
    for (size_t i = 0; i < rise->n_rows; i++)
        put_row(host, &rise->rows[i]);
}

/* The newest one first. */
static void put_rises(const struct heaptop_host *host, const struct rises *rises,
                      size_t n_rows)
{
    for (size_t i = rises->count; i-- && n_rows < ROWS_MAX;) {
        n_rows += 1 + rises->all[i].n_rows;
        if (n_rows < ROWS_MAX)
            put_rise(host, &rises->all[i]);
    }
}

static void say_look(const struct heaptop_host *host, const struct seen *seen)
{
    int64_t ago_ns = seen_now_ns() - seen->at_ns + seen->age_ns;
    char line[200];

    if (seen->why_native[0]) {
        snprintf(line, sizeof(line), "native: %.180s", seen->why_native);
        host->line(host, line);
    } else {
        snprintf(line, sizeof(line),
                 "%zu threads, seen %.1fs ago in %.1fms; %" PRId64
                 " stopped, for at most %.2fms",
                 seen->n_threads, (double)ago_ns / 1e9, (double)seen->took_ns / 1e6,
                 seen->n_stopped, (double)seen->longest_stop_ns / 1e6);
        host->line(host, line);
    }
    if (seen->why_python[0]) {
        snprintf(line, sizeof(line), "Python: %.180s", seen->why_python);
        host->line(host, line);
    } else if (seen->age_ns > 0) {
        snprintf(line, sizeof(line),
                 "Python's frames are %.1fms younger than the native ones",
                 (double)seen->age_ns / 1e6);
        host->line(host, line);
    }
}

static void say_rises(const struct heaptop_host *host, const struct rises *rises)
{
    char line[200], bytes[24];

    if (rises->res_bytes < 0) {
        host->line(host, "RES cannot be read: no rise of it is noticed");
        return;
    }
    snprintf(line, sizeof(line),
             "RES rose %" PRIu64 " times by %s or more within %d minutes%s",
             rises->n_ever, rises_bytes(bytes, rises->least_bytes), RISE_MINUTES,
             rises->count ? ":" : "");
    host->line(host, line);
    if (rises->count)
        host->line(host,
                   "see below; stacks are of the sample after it, not of the allocation");
}

static void offer(const struct heaptop_host *host)
{
    host->line(host, "C looks again: look stops no thread, stop those that run");
    host->action(
        host, "look", "stacks(0)",
        "Sees what the threads are doing now. None is stopped: one that runs shows "
        "only its Python frames.");
    host->action(
        host, "stop", "stacks(1)",
        "Sees what the threads are doing now. Those that run are stopped, one after "
        "the other, for a fraction of a millisecond each.");
}

static int native_stacks_sample(const struct heaptop_host *host, void *state)
{
    struct native_stacks *all = state;
    size_t n_rows;

    host->title(host, "Stacks");
    look(host, all);
    say_look(host, &all->seen);
    say_rises(host, &all->rises);
    offer(host);
    host->column(host, "where", HEAPTOP_TEXT,
                 "a thread, and below it its frames: of Python, and [native]");
    host->column(host, "line", HEAPTOP_COUNT, "the line of Python that it runs");
    host->column(host, "thread", HEAPTOP_COUNT, "the number of the thread");
    host->column(host, "stopped", HEAPTOP_NANOSECONDS, "for how long it was stopped");
    n_rows = put_threads(host, &all->seen);
    put_rises(host, &all->rises, n_rows);
    return 0;
}

static void native_stacks_close(const struct heaptop_host *host, void *state)
{
    struct native_stacks *all = state;

    (void)host;
    rises_close(&all->rises);
    free(all);
}

static const char *const settings[] = {"rise", "every", NULL};

const struct heaptop_plugin heaptop_plugin_1 = {
    .struct_size = HEAPTOP_PLUGIN_SIZE,
    .name = "native-stacks",
    .version = "1",
    .license = "MIT",
    .summary = "what all threads do, in Python and below it; who ran when RES rose",
    .open = native_stacks_open,
    .sample = native_stacks_sample,
    .close = native_stacks_close,
    .settings = settings,
};
