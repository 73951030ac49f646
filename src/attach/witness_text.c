/* Of each thread that was seen: its frames, with the names that its images have. */
#include "attach/witness_private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "attach/witness.h"
#include "target/image_names.h"
#include "util/clock.h"
#include "util/xalloc.h"

#define FRAMES_MAX 128   /* of one thread */
#define ALL_MAX    16384 /* of all threads */
#define ROOM_BYTES 2048  /* for what is still said when the text is full */
#define TOO_MUCH   "there is no room for more"

struct written_frame {
    uint64_t ip;
    const struct image *image; /* NULL: it lies in none */
    struct image_name name;    /* of the call, not of what it returns to */
};

struct writing {
    struct witness *witness;
    struct written_frame *frames; /* of all threads, one after the other */
    size_t n_frames;
    size_t ends[THREADS_MAX];
    const char *why[THREADS_MAX]; /* the frames end there */
};

static const char *why_it_ends(enum unwinder_step last)
{
    switch (last) {
    case UNWINDER_OUTERMOST:
        return NULL;
    case UNWINDER_LOST:
        return "further out there are no unwind tables";
    case UNWINDER_FAILED:
        return "further out a register is needed that is not known without a stop";
    default:
        return "there are more frames";
    }
}

static void add_frame(struct writing *writing, const struct unwinder_frame *frame,
                      bool is_first)
{
    struct written_frame *written = &writing->frames[writing->n_frames++];
    uint64_t address =
        is_first || frame->is_signal_handler_return ? frame->ip : frame->ip - 1;

    memset(written, 0, sizeof(*written));
    written->ip = frame->ip;
    written->image = scene_image_at(&writing->witness->scene, address);
    written->name.address = address;
}

static const char *unwind(struct writing *writing, struct unwinder *unwinder,
                          const struct seen_thread *thread)
{
    enum unwinder_step next = UNWINDER_FRAME;
    size_t first = writing->n_frames;
    struct unwinder_frame frame;
    uint64_t from, to;

    if (!thread->stack.bytes)
        return thread->why;
    if (!unwinder_begin(unwinder, &thread->registers, &thread->stack))
        return "it cannot be unwound";
    while (next == UNWINDER_FRAME && writing->n_frames - first < FRAMES_MAX &&
           writing->n_frames < ALL_MAX) {
        if (!unwinder_frame(unwinder, &frame))
            return why_it_ends(UNWINDER_FAILED);
        add_frame(writing, &frame, writing->n_frames == first);
        next = unwinder_step(unwinder, &from, &to);
    }
    return why_it_ends(next);
}

static int by_address(const void *left, const void *right)
{
    const struct written_frame *const *a = left, *const *b = right;
    uint64_t first = (*a)->name.address, second = (*b)->name.address;

    return (first > second) - (first < second);
}

/* Those that lie in one image are next to each other, as images do not overlap. */
static void name_frames(struct writing *writing)
{
    size_t n = writing->n_frames;
    struct written_frame **sorted = xcalloc(n + 1, sizeof(*sorted));
    struct image_name *names = xcalloc(n + 1, sizeof(*names));

    for (size_t i = 0; i < n; i++)
        sorted[i] = &writing->frames[i];
    qsort(sorted, n, sizeof(sorted[0]), by_address);
    for (size_t i = 0; i < n; i++)
        names[i] = sorted[i]->name;
    for (size_t i = 0, end; i < n; i = end) {
        const struct image *image = sorted[i]->image;

        for (end = i + 1; end < n && sorted[end]->image == image;)
            end++;
        if (image)
            image_names_find(image, writing->witness->scene.kept, names + i, end - i);
    }
    for (size_t i = 0; i < n; i++)
        sorted[i]->name = names[i];
    free(names);
    free(sorted);
}

/* One word of a line: what would end it is a blank. */
static void add_word(struct strbuf *text, const char *word)
{
    for (; *word; word++)
        strbuf_add_char(text, *word == '\t' || *word == '\n' ? ' ' : *word);
}

static void add_line(struct strbuf *text, const struct written_frame *frame)
{
    const struct image_name *name = &frame->name;

    strbuf_addf(text, "N %" PRIu64 "\t", frame->ip);
    if (frame->image)
        add_word(text, frame->image->path[0] ? frame->image->path : "[vdso]");
    strbuf_addf(text, "\t%" PRIu64 "\t",
                frame->image ? frame->ip - frame->image->base : 0);
    add_word(text, name->text);
    strbuf_addf(text, "\t%" PRIu64 "\n", name->text[0] ? frame->ip - name->start : 0);
}

static void add_thread(struct strbuf *text, const struct writing *writing, size_t i)
{
    const struct seen_thread *thread = &writing->witness->threads[i];
    const char *why = writing->why[i];
    size_t at = i ? writing->ends[i - 1] : 0;

    if (text->length > WITNESS_TEXT_MAX - ROOM_BYTES)
        return;
    strbuf_addf(text, "T %" PRId64 "\t%c\t%" PRId64 "\t", thread->own_number,
                thread->state, thread->stopped_ns);
    add_word(text, thread->name);
    strbuf_add_char(text, '\n');
    for (; at < writing->ends[i]; at++) {
        if (text->length > WITNESS_TEXT_MAX - ROOM_BYTES) {
            why = TOO_MUCH;
            break;
        }
        add_line(text, &writing->frames[at]);
    }
    if (why)
        strbuf_addf(text, "E %s\n", why);
}

void witness_write(struct witness *witness, struct strbuf *text)
{
    struct writing writing = {.witness = witness};
    struct unwinder *unwinder = unwinder_new(&witness->scene);

    writing.frames = xcalloc(ALL_MAX, sizeof(writing.frames[0]));
    for (size_t i = 0; i < witness->n_threads; i++) {
        writing.why[i] = unwind(&writing, unwinder, &witness->threads[i]);
        writing.ends[i] = writing.n_frames;
    }
    name_frames(&writing);
    strbuf_addf(text, "L %zu\t%zu\t%" PRId64 "\t%" PRId64 "\n", witness->n_threads,
                witness->n_stopped, witness->longest_stop_ns,
                clock_monotonic_ns() - witness->began_ns);
    for (size_t i = 0; i < witness->n_threads; i++)
        add_thread(text, &writing, i);
    free(writing.frames);
    unwinder_free(unwinder);
}
