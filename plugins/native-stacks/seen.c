#include "plugins/native-stacks/seen.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define EVALUATES "_PyEval_EvalFrameDefault" /* runs Python's frames, Python/ceval.c */

int64_t seen_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* The next line, whose end becomes the end of the text; NULL behind the last one. */
static char *next_line(char **at)
{
    char *line = *at, *end = strchr(line, '\n');

    if (!*line)
        return NULL;
    if (end)
        *end = '\0';
    *at = end ? end + 1 : line + strlen(line);
    return line;
}

/* The word up to the next tab; "" where there is none. */
static char *next_word(char **at)
{
    char *word = *at, *tab = strchr(word, '\t');

    if (tab)
        *tab = '\0';
    *at = tab ? tab + 1 : word + strlen(word);
    return word;
}

static int64_t next_number(char **at)
{
    return strtoll(next_word(at), NULL, 10);
}

static struct thread *add_thread(struct seen *seen, int64_t number)
{
    struct thread *thread;

    if (seen->n_threads == THREADS_MAX)
        return NULL;
    thread = &seen->threads[seen->n_threads++];
    *thread = (struct thread){.number = number, .name = ""};
    return thread;
}

static struct thread *find_thread(struct seen *seen, int64_t number)
{
    for (size_t i = 0; i < seen->n_threads && number; i++)
        if (seen->threads[i].number == number)
            return &seen->threads[i];
    return NULL;
}

const struct thread *seen_thread(const struct seen *seen, int64_t number)
{
    return find_thread((struct seen *)(uintptr_t)seen, number);
}

static struct frame *add_frame(struct seen *seen)
{
    return seen->n_frames < FRAMES_MAX ? &seen->frames[seen->n_frames++] : NULL;
}

static void take_native_frame(struct seen *seen, struct thread *thread, char *words)
{
    struct frame *frame = thread ? add_frame(seen) : NULL;

    if (!frame)
        return;
    if (!thread->n_native++)
        thread->native = frame;
    next_word(&words); /* the address */
    frame->file = next_word(&words);
    frame->line = next_number(&words);
    frame->function = next_word(&words);
}

static void take_look(struct seen *seen, char *words)
{
    next_word(&words); /* how many threads */
    seen->n_stopped = next_number(&words);
    seen->longest_stop_ns = next_number(&words);
    seen->took_ns = next_number(&words);
}

static struct thread *take_native_thread(struct seen *seen, char *words)
{
    struct thread *thread = add_thread(seen, next_number(&words));

    if (!thread)
        return NULL;
    thread->state = *next_word(&words);
    thread->stopped_ns = next_number(&words);
    thread->name = words;
    return thread;
}

static void read_native(struct seen *seen)
{
    struct thread *thread = NULL;
    char *at = seen->native, *line;

    while ((line = next_line(&at))) {
        char *words = line + (line[0] && line[1] ? 2 : 0);

        if (*line == 'A') {
            seen->action = next_number(&words);
            seen->age_ns = next_number(&words);
        } else if (*line == 'L') {
            take_look(seen, words);
        } else if (*line == 'T') {
            thread = take_native_thread(seen, words);
        } else if (*line == 'N') {
            take_native_frame(seen, thread, words);
        } else if (*line == 'E' && thread) {
            thread->why = words;
        }
    }
}

static void take_python_frame(struct seen *seen, struct thread *thread, char *words)
{
    struct frame *frame = thread ? add_frame(seen) : NULL;

    if (!frame)
        return;
    if (!thread->n_python++)
        thread->python = frame;
    frame->line = next_number(&words);
    frame->function = next_word(&words);
    frame->file = words;
}

/* The thread that Python gives this number. A process that was forked has kept that of
 * its parent for the main thread, which comes first. */
static struct thread *take_python_thread(struct seen *seen, char *words)
{
    int64_t number = next_number(&words);
    struct thread *thread = find_thread(seen, number);

    if (!thread && !strcmp(words, "MainThread") && seen->n_threads &&
        seen->threads[0].state) {
        thread = &seen->threads[0];
        if (seen->gil == number)
            seen->gil = thread->number;
    }
    if (!thread)
        thread = add_thread(seen, number);
    if (thread && *words)
        thread->name = words;
    return thread;
}

static void read_python(struct seen *seen)
{
    struct thread *thread = NULL;
    char *at = seen->python, *line;

    while ((line = next_line(&at))) {
        char *words = line + (line[0] && line[1] ? 2 : 0);

        if (*line == 'G') {
            seen->gil = next_number(&words);
        } else if (*line == 'T') {
            thread = take_python_thread(seen, words);
        } else if (*line == 'F') {
            take_python_frame(seen, thread, words);
        }
    }
}

static void ask(const struct heaptop_host *host, enum heaptop_probe probe,
                const char *question, char *text, size_t bytes, char *why)
{
    why[0] = '\0';
    if (host->probe(host, probe, question, text, bytes) >= 0)
        return;
    snprintf(why, WHY_BYTES, "%.239s", text);
    text[0] = '\0';
}

bool seen_take(const struct heaptop_host *host, struct seen *seen, const char *question)
{
    static char native[NATIVE_BYTES];
    char why[WHY_BYTES];

    ask(host, HEAPTOP_NATIVE_STACKS, question, native, sizeof(native), why);
    if (question && *why)
        return false;
    seen->n_frames = seen->n_threads = 0;
    seen->gil = -1;
    seen->n_stopped = seen->longest_stop_ns = seen->took_ns = seen->age_ns = 0;
    seen->action = 0;
    memcpy(seen->native, native, sizeof(native));
    memcpy(seen->why_native, why, sizeof(why));
    seen->at_ns = seen_now_ns();
    ask(host, HEAPTOP_PYTHON_STACKS, NULL, seen->python, sizeof(seen->python),
        seen->why_python);
    read_native(seen);
    read_python(seen);
    return true;
}

/* The last words of a path: "app/data.py". */
static const char *short_path(const char *path, int words)
{
    const char *at = path + strlen(path);

    while (at > path && (at[-1] != '/' || --words))
        at--;
    return at;
}

void seen_python_text(const struct frame *frame, char text[ROW_BYTES])
{
    snprintf(text, ROW_BYTES, "%.90s  %.100s", frame->function,
             short_path(frame->file, 2));
}

static void native_text(const struct frame *frame, char text[ROW_BYTES])
{
    const char *file = short_path(frame->file, 1);

    if (*frame->function)
        snprintf(text, ROW_BYTES, "%.90s  [%.90s]", frame->function, file);
    else if (*file)
        snprintf(text, ROW_BYTES, "[%.90s+0x%" PRIx64 "]", file, frame->line);
    else
        snprintf(text, ROW_BYTES, "[generated code]");
}

struct rows {
    struct row *rows;
    size_t count, max;
};

static struct row *add_row(struct rows *rows, unsigned depth)
{
    static struct row spare;
    struct row *row = rows->count < rows->max ? &rows->rows[rows->count++] : &spare;

    *row = (struct row){.depth = depth, .thread = -1, .line = -1, .stopped_ns = -1};
    return row;
}

static void add_python(struct rows *rows, const struct frame *frame)
{
    struct row *row = add_row(rows, 1);

    seen_python_text(frame, row->text);
    row->line = frame->line > 0 ? frame->line : -1;
}

static bool evaluates(const struct frame *frame)
{
    return !strncmp(frame->function, EVALUATES, strlen(EVALUATES));
}

/* Native and Python frames as one stack. Each call of the function that evaluates stands
 * for one of Python's frames, or where it is the only one for all of them (3.11+). Where
 * that is not so, all of Python's come where the innermost one is evaluated. */
static void add_frames(struct rows *rows, const struct thread *thread)
{
    size_t n_evaluated = 0, next = 0;

    for (size_t i = 0; i < thread->n_native; i++)
        n_evaluated += evaluates(&thread->native[i]);
    for (size_t i = 0; i < thread->n_native; i++) {
        const struct frame *frame = &thread->native[i];
        bool is_evaluated = evaluates(frame) && thread->n_python;
        size_t end = next + 1;

        if (is_evaluated && (n_evaluated != thread->n_python))
            end = next ? next : thread->n_python;
        if (is_evaluated)
            for (; next < end && next < thread->n_python; next++)
                add_python(rows, &thread->python[next]);
        if (!is_evaluated || (n_evaluated != thread->n_python && n_evaluated > 1))
            native_text(frame, add_row(rows, 1)->text);
    }
    for (; next < thread->n_python; next++)
        add_python(rows, &thread->python[next]);
}

static const char *state_words(const struct thread *thread)
{
    switch (thread->state) {
    case 0:
        return "";
    case 'R':
        return ", runs";
    case 'S':
        return ", waits";
    case 'D':
        return ", waits uninterruptibly";
    case 'T':
    case 't':
        return ", is stopped";
    default:
        return ", rests";
    }
}

size_t seen_rows(const struct seen *seen, const struct thread *thread, struct row *rows,
                 size_t max)
{
    struct rows all = {rows, 0, max};
    struct row *row = add_row(&all, 0);

    snprintf(row->text, sizeof(row->text), "%.90s%s%s",
             *thread->name ? thread->name : "(a thread)", state_words(thread),
             seen->gil > 0 && seen->gil == thread->number ? ", holds the GIL" : "");
    row->thread = thread->number ? thread->number : -1;
    row->stopped_ns = thread->state ? thread->stopped_ns : -1;
    add_frames(&all, thread);
    if (thread->why)
        snprintf(add_row(&all, 1)->text, ROW_BYTES, "- %.190s", thread->why);
    return all.count;
}
