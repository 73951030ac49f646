/*
 * What the target's allocator counts, by its own functions and without the GIL. They take
 * the allocator's locks: a thread that allocates may wait while its arena is counted.
 */
#include "agent/agent.h"

/* struct mallinfo2, malloc.h of glibc 2.33 and later. */
struct mallinfo {
    size_t arena, ordblks, smblks, hblks, hblkhd, usmblks, fsmblks, uordblks, fordblks,
        keepcost;
};

/* Where a stream says what it holds. It lies in malloc: a child that is forked meanwhile
 * has the stream, and may write here when it exits. */
struct stream_end {
    char *bytes;
    size_t length;
};

static void add_field(const char *name, size_t value)
{
    agent_text_words(name);
    agent_text_words(" ");
    agent_text_number(value);
    agent_text_words("\n");
}

void agent_mallinfo(const int64_t *arguments, struct agent_answer *answer)
{
    struct mallinfo (*mallinfo2)(void) = (struct mallinfo(*)(
        void))(uintptr_t)agent_place.allocator[AGENT_ALLOCATOR_mallinfo2];
    int64_t began = agent_now_ns();
    struct mallinfo info;

    (void)arguments;
    if (!mallinfo2 || !agent_text_begin()) {
        answer->status = AGENT_STATUS_UNAVAILABLE;
        return;
    }
    info = mallinfo2();
    answer->elapsed_ns = agent_now_ns() - began;
    add_field("arena", info.arena);
    add_field("ordblks", info.ordblks);
    add_field("smblks", info.smblks);
    add_field("hblks", info.hblks);
    add_field("hblkhd", info.hblkhd);
    add_field("fsmblks", info.fsmblks);
    add_field("uordblks", info.uordblks);
    add_field("fordblks", info.fordblks);
    add_field("keepcost", info.keepcost);
    agent_text_end(answer);
}

/* False when there is no memory for it. */
static bool write_info(struct stream_end *end)
{
    const uint64_t *place = agent_place.allocator;
    void *(*open)(char **bytes, size_t *length) =
        (void *(*)(char **, size_t *))(uintptr_t)place[AGENT_ALLOCATOR_open_memstream];
    int (*info)(int options, void *stream) =
        (int (*)(int, void *))(uintptr_t)place[AGENT_ALLOCATOR_malloc_info];
    int (*close)(void *stream) =
        (int (*)(void *))(uintptr_t)place[AGENT_ALLOCATOR_fclose];
    void *stream = open(&end->bytes, &end->length);
    bool is_written;

    if (!stream)
        return false;
    is_written = info(0, stream) == 0;
    return close(stream) == 0 && is_written && end->bytes;
}

void agent_malloc_info(const int64_t *arguments, struct agent_answer *answer)
{
    const uint64_t *place = agent_place.allocator;
    void *(*allocate)(size_t count, size_t bytes) =
        (void *(*)(size_t, size_t))(uintptr_t)place[AGENT_ALLOCATOR_calloc];
    void (*release)(void *bytes) =
        (void (*)(void *))(uintptr_t)place[AGENT_ALLOCATOR_free];
    int64_t began = agent_now_ns();
    struct stream_end *end;

    (void)arguments;
    answer->status = AGENT_STATUS_UNAVAILABLE;
    if (!place[AGENT_ALLOCATOR_malloc_info] || !place[AGENT_ALLOCATOR_open_memstream] ||
        !place[AGENT_ALLOCATOR_fclose] || !allocate || !release || !agent_text_begin())
        return;
    end = allocate(1, sizeof(*end));
    if (!end)
        return;
    if (write_info(end)) {
        agent_text_add(end->bytes, end->length);
        answer->status = AGENT_STATUS_OK;
    }
    answer->elapsed_ns = agent_now_ns() - began;
    release(end->bytes);
    release(end);
    agent_text_end(answer);
}

/* mallctl(3) of one name, whose value has 8, 4 or 1 bytes: another number of them is
 * refused. Writing to "epoch" is what makes jemalloc count anew; it changes nothing else.
 */
static void read_name(const char *name)
{
    int (*mallctl)(const char *name, void *old, size_t *old_bytes, void *new,
                   size_t new_bytes) =
        (int (*)(const char *, void *, size_t *, void *, size_t))(
            uintptr_t)agent_place.allocator[AGENT_ALLOCATOR_mallctl];
    static const size_t sizes[] = {8, 4, 1};
    bool is_epoch = name[0] == 'e';
    uint64_t epoch = 1;

    for (size_t i = 0; i < 3; i++) {
        uint64_t value = 0;
        size_t bytes = sizes[i];

        if (mallctl(name, &value, &bytes, is_epoch ? &epoch : NULL,
                    is_epoch ? sizeof(epoch) : 0) != 0 ||
            bytes != sizes[i])
            continue;
        agent_text_number(value);
        agent_text_words("\n");
        return;
    }
    agent_text_words("-\n");
}

/* The numbers of the names, which end with a blank each, in their order; "-" for one that
 * there is not. heaptop has looked at the names. */
void agent_mallctl(const int64_t *arguments, struct agent_answer *answer)
{
    int64_t began = agent_now_ns();
    char name[AGENT_QUESTION_BYTES];
    size_t length = 0;

    (void)arguments;
    if (!agent_place.allocator[AGENT_ALLOCATOR_mallctl] || !agent_text_begin()) {
        answer->status = AGENT_STATUS_UNAVAILABLE;
        return;
    }
    for (const char *at = agent.question; *at; at++) {
        name[length++] = *at;
        if (*at != ' ')
            continue;
        name[length - 1] = '\0';
        length = 0;
        read_name(name);
    }
    answer->elapsed_ns = agent_now_ns() - began;
    agent_text_end(answer);
}
