#include "plugins/native-stacks/rises.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TOLD_EVERY_NS INT64_C(10000000000)
#define ROWS_A_THREAD 25
#define TROUGH_NS     (RISE_MINUTES * INT64_C(60000000000) / TROUGHS)

const char *rises_bytes(char text[24], int64_t bytes)
{
    snprintf(text, 24, "%.1fM", (double)bytes / (1 << 20));
    return text;
}

void rises_open(struct rises *rises, int pid, int64_t least_bytes)
{
    char path[40];

    snprintf(path, sizeof(path), "/proc/%d/statm", pid);
    rises->statm_fd = open(path, O_RDONLY | O_CLOEXEC);
    rises->least_bytes = least_bytes;
    rises->res_bytes = -1;
}

void rises_close(struct rises *rises)
{
    if (rises->statm_fd >= 0)
        close(rises->statm_fd);
}

/* The second number of the line; -1: it cannot be read. */
static int64_t read_res(const struct rises *rises)
{
    char text[160], *resident;
    ssize_t got = pread(rises->statm_fd, text, sizeof(text) - 1, 0);

    if (got <= 0)
        return -1;
    text[got] = '\0';
    resident = strchr(text, ' ');
    return resident ? strtoll(resident, NULL, 10) * sysconf(_SC_PAGESIZE) : -1;
}

static void add_trough(struct rises *rises, int64_t now_ns)
{
    struct trough *newest = rises->troughs + rises->n_troughs - 1;

    if (rises->n_troughs && now_ns - newest->began_ns < TROUGH_NS) {
        if (rises->res_bytes <= newest->res_bytes) {
            newest->res_bytes = rises->res_bytes;
            newest->at_ns = now_ns;
        }
        return;
    }
    if (rises->n_troughs == TROUGHS)
        memmove(rises->troughs, rises->troughs + 1,
                --rises->n_troughs * sizeof(rises->troughs[0]));
    rises->troughs[rises->n_troughs++] =
        (struct trough){now_ns, now_ns, rises->res_bytes};
}

static const struct trough *lowest_trough(const struct rises *rises)
{
    const struct trough *lowest = rises->troughs;

    for (size_t i = 1; i < rises->n_troughs; i++)
        if (rises->troughs[i].res_bytes <= lowest->res_bytes)
            lowest = &rises->troughs[i];
    return lowest;
}

int64_t rises_look(struct rises *rises, int64_t *interval_ns)
{
    int64_t now_ns = seen_now_ns(), rise_bytes;

    *interval_ns = 0;
    rises->res_bytes = read_res(rises);
    if (rises->res_bytes < 0)
        return 0;
    add_trough(rises, now_ns);
    rise_bytes = rises->res_bytes - lowest_trough(rises)->res_bytes;
    if (rise_bytes < rises->least_bytes)
        return 0;
    *interval_ns = now_ns - lowest_trough(rises)->at_ns;
    rises->n_troughs = 0;
    add_trough(rises, now_ns);
    return rise_bytes;
}

/* Who held the GIL, and where; else who ran Python, as far as that was seen. */
static const struct thread *find_suspect(const struct seen *seen)
{
    const struct thread *thread = seen_thread(seen, seen->gil);

    for (size_t i = 0; !thread && i < seen->n_threads; i++)
        if (seen->threads[i].state == 'R' &&
            (seen->threads[i].n_python || seen->why_python[0]))
            thread = &seen->threads[i];
    return thread;
}

static void name_suspect(const struct seen *seen, const struct thread *thread,
                         char who[ROW_BYTES])
{
    char text[ROW_BYTES], where[ROW_BYTES] = "";

    if (!thread) {
        snprintf(who, ROW_BYTES, "%s",
                 seen->why_python[0] ? "Python's frames were not seen"
                                     : "no thread ran Python then");
        return;
    }
    if (thread->n_python) {
        seen_python_text(thread->python, text);
        snprintf(where, sizeof(where), " in %.100s:%" PRId64, text, thread->python->line);
    }
    snprintf(who, ROW_BYTES, "%.40s %s%.120s", thread->name,
             thread->number == seen->gil ? "held the GIL" : "ran", where);
}

static void keep_thread(struct rise *rise, const struct seen *seen,
                        const struct thread *thread)
{
    size_t room = RISE_ROWS_MAX - rise->n_rows;
    size_t most = room < ROWS_A_THREAD ? room : ROWS_A_THREAD;
    struct row *rows = rise->rows + rise->n_rows;
    size_t n = most > 1 ? seen_rows(seen, thread, rows, most) : 0;

    for (size_t i = 0; i < n; i++)
        rows[i].depth++;
    rise->n_rows += n;
}

/* One line at most every ten seconds. */
static void tell(const struct heaptop_host *host, struct rises *rises,
                 const struct rise *rise)
{
    char line[240], bytes[24], more[60] = "";
    int64_t now_ns = seen_now_ns();

    if (rises->told_ns && now_ns - rises->told_ns < TOLD_EVERY_NS) {
        rises->n_untold++;
        return;
    }
    if (rises->n_untold)
        snprintf(more, sizeof(more), "; %" PRIu64 " more rises since the last line",
                 rises->n_untold);
    snprintf(line, sizeof(line),
             "RES rose by %s within %.1fs; at the sample after it %.120s%s",
             rises_bytes(bytes, rise->bytes), (double)rise->interval_ns / 1e9, rise->who,
             more);
    host->say(host, line);
    rises->told_ns = now_ns;
    rises->n_untold = 0;
}

void rises_add(const struct heaptop_host *host, struct rises *rises,
               const struct seen *seen, int64_t bytes, int64_t interval_ns)
{
    const struct thread *suspect = find_suspect(seen);
    struct rise *rise;

    if (rises->count == RISES_MAX)
        memmove(rises->all, rises->all + 1, --rises->count * sizeof(rises->all[0]));
    rise = &rises->all[rises->count++];
    rises->n_ever++;
    memset(rise, 0, sizeof(*rise));
    rise->when = time(NULL);
    rise->bytes = bytes;
    rise->interval_ns = interval_ns;
    name_suspect(seen, suspect, rise->who);
    if (suspect)
        keep_thread(rise, seen, suspect);
    for (size_t i = 0; i < seen->n_threads; i++)
        if (&seen->threads[i] != suspect && seen->threads[i].n_python)
            keep_thread(rise, seen, &seen->threads[i]);
    tell(host, rises, rise);
}
