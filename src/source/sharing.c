#include "source/sharing.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "layout/object_layout.h"
#include "source/sharing_page.h"
#include "target/pagemap.h"
#include "target/residency.h"
#include "util/clock.h"

#define WORDS_AT_ONCE 512
#define RUN_PAGES     64              /* that are read at once */
#define REST_NS       (NS_PER_MS / 2) /* after WORDS_AT_ONCE pages */
#define CPU_MOST_NS   (3 * NS_PER_S)  /* then the rest is not known */
#define SAMPLE_OF     16              /* of so many shared pages one is looked at */
#define COLLECTED     0.9 /* of the pages with heads are private: it has collected */

/* In pages. */
struct tally {
    uint64_t shared, own, unknown;
    uint64_t found[PAGE_DATA + 1];
    uint64_t same_with_heads; /* of found[PAGE_SAME] */
    uint64_t private_with_heads, sampled_with_heads;
};

struct comparison {
    struct target *worker, *parent;
    struct object_layout layout;
    struct types types;
    struct tally tally;
    const bool *is_unwanted;
    int64_t deadline_cpu_ns;
    uint64_t run_address; /* of pages that wait to be compared */
    size_t run_pages;
    uint64_t worker_words[WORDS_AT_ONCE], parent_words[WORDS_AT_ONCE];
    uint8_t worker_bytes[RUN_PAGES * PAGEMAP_PAGE_BYTES];
    uint8_t parent_bytes[RUN_PAGES * PAGEMAP_PAGE_BYTES];
};

static void compare_page(struct comparison *comparison, const struct page_pair *pair)
{
    struct tally *tally = &comparison->tally;
    enum page_difference found = page_compare(&comparison->types, pair);
    bool has_heads = page_has_heads(&comparison->types, pair);

    tally->found[found]++;
    tally->private_with_heads += has_heads;
    tally->same_with_heads += has_heads && found == PAGE_SAME;
}

/* Compares the pages that wait. */
static void compare_run(struct comparison *comparison)
{
    size_t bytes = comparison->run_pages * PAGEMAP_PAGE_BYTES;
    struct raddr address = raddr_of(comparison->run_address);

    if (!bytes)
        return;
    if (clock_thread_cpu_ns() > comparison->deadline_cpu_ns ||
        reader_read(comparison->worker->reader, address, comparison->worker_bytes,
                    bytes) ||
        reader_read(comparison->parent->reader, address, comparison->parent_bytes,
                    bytes)) {
        comparison->tally.unknown += comparison->run_pages;
        comparison->run_pages = 0;
        return;
    }
    for (size_t at = 0; at < bytes; at += PAGEMAP_PAGE_BYTES) {
        size_t left = bytes - at, most = PAGEMAP_PAGE_BYTES + PAGE_PAIR_MORE;

        compare_page(comparison, &(struct page_pair){comparison->worker_bytes + at,
                                                     comparison->parent_bytes + at,
                                                     left < most ? left : most});
    }
    comparison->run_pages = 0;
}

static void add_to_run(struct comparison *comparison, uint64_t address)
{
    uint64_t end = comparison->run_address + comparison->run_pages * PAGEMAP_PAGE_BYTES;

    if (comparison->run_pages && (address != end || comparison->run_pages == RUN_PAGES))
        compare_run(comparison);
    if (!comparison->run_pages)
        comparison->run_address = address;
    comparison->run_pages++;
}

/* Pools are made of four pages: those that are looked at must not be always the first. */
static bool is_sampled(uint64_t address)
{
    uint64_t page = address / PAGEMAP_PAGE_BYTES * UINT64_C(0x9e3779b97f4a7c15);

    return (page >> 32) % SAMPLE_OF == 0;
}

static void look_at_shared(struct comparison *comparison, uint64_t address)
{
    uint8_t bytes[PAGEMAP_PAGE_BYTES];
    struct page_pair pair = {bytes, bytes, sizeof(bytes)};

    comparison->tally.shared++;
    if (is_sampled(address) &&
        !reader_read(comparison->parent->reader, raddr_of(address), bytes, sizeof(bytes)))
        comparison->tally.sampled_with_heads += page_has_heads(&comparison->types, &pair);
}

static void take_page(struct comparison *comparison, uint64_t address, uint64_t worker,
                      uint64_t parent)
{
    bool is_private = worker & PAGEMAP_EXCLUSIVE;

    if (!pagemap_word_is_anonymous(worker))
        return;
    if (is_private && pagemap_word_is_anonymous(parent))
        add_to_run(comparison, address);
    else if (is_private && pagemap_word_is_swapped(parent))
        comparison->tally.unknown++;
    else if (is_private)
        comparison->tally.own++;
    else if (pagemap_word_is_anonymous(parent))
        look_at_shared(comparison, address);
}

static int read_words(const struct target *target, uint64_t address, uint64_t *words,
                      size_t count)
{
    size_t bytes = count * sizeof(*words);
    off_t at = (off_t)(address / PAGEMAP_PAGE_BYTES * sizeof(*words));

    return pread(target->fds.pagemap, words, bytes, at) == (ssize_t)bytes ? 0 : -1;
}

/* Neighbouring pages of the worker, all in memory. */
static int take_pages(struct comparison *comparison, const struct residency_run *run,
                      struct err *err)
{
    const struct timespec rest = {.tv_nsec = REST_NS};

    for (uint64_t at = run->start; at < run->end;) {
        uint64_t left = (run->end - at) / PAGEMAP_PAGE_BYTES;
        size_t count = left < WORDS_AT_ONCE ? (size_t)left : WORDS_AT_ONCE;

        if (__atomic_load_n(comparison->is_unwanted, __ATOMIC_RELAXED))
            return err_set(err, ERR_FAILED, "it was given up");
        if (read_words(comparison->worker, at, comparison->worker_words, count) ||
            read_words(comparison->parent, at, comparison->parent_words, count))
            return err_set(err, ERR_DENIED, "/proc/%d/pagemap cannot be read",
                           (int)comparison->worker->pid);
        for (size_t i = 0; i < count; i++, at += PAGEMAP_PAGE_BYTES)
            take_page(comparison, at, comparison->worker_words[i],
                      comparison->parent_words[i]);
        compare_run(comparison);
        if (count == WORDS_AT_ONCE)
            nanosleep(&rest, NULL);
    }
    return 0;
}

static int take_all(struct comparison *comparison, struct err *err)
{
    struct residency residency = {0};
    int result = residency_scan(&residency, comparison->worker->fds.pagemap,
                                &comparison->worker->maps, err);

    for (size_t i = 0; i < residency.count && !result; i++) {
        const struct residency_run *run = &residency.runs[i];

        if (!run->is_swapped && !run->is_file)
            result = take_pages(comparison, run, err);
    }
    residency_release(&residency);
    return result;
}

static uint64_t place_of(const struct maps *maps, const char *path)
{
    for (size_t i = 0; i < maps->count; i++)
        if (!strcmp(maps->mappings[i].path, path))
            return maps->mappings[i].end;
    return 0;
}

/* A fork keeps the places of all that the kernel has put somewhere at random. */
static int check_is_fork(const struct target *worker, const struct target *parent,
                         struct err *err)
{
    static const char *const paths[] = {"[stack]", "[vdso]"};

    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        if (place_of(&worker->maps, paths[i]) != place_of(&parent->maps, paths[i]))
            return err_set(err, ERR_UNSUPPORTED,
                           "it shares nothing with %d: it was started anew, not forked",
                           (int)parent->pid);
    return 0;
}

static int check_can_compare(const struct target *worker, const struct target *parent,
                             struct object_layout *layout, struct err *err)
{
    if (!worker->reader || !parent->reader) {
        *err = worker->reader ? parent->access_why : worker->access_why;
        return -1;
    }
    if (worker->is_free_threaded)
        return err_set(err, ERR_UNSUPPORTED,
                       "free-threaded Python has no GC heads, and other refcounts");
    if (!object_layout_for(worker->version.major, worker->version.minor, layout))
        return err_set(err, ERR_UNSUPPORTED, "no layout is known for Python %u.%u",
                       worker->version.major, worker->version.minor);
    return check_is_fork(worker, parent, err);
}

/* Alike, but private: who wrote there? */
static uint64_t same_by_heads(const struct tally *tally, enum has_collected has_collected)
{
    double shared = (double)tally->sampled_with_heads * SAMPLE_OF;
    double all = (double)tally->private_with_heads + shared;

    if (has_collected == HAS_COLLECTED_UNKNOWN &&
        (double)tally->private_with_heads >= COLLECTED * all)
        has_collected = HAS_COLLECTED;
    return has_collected == HAS_COLLECTED ? tally->same_with_heads : 0;
}

static int64_t bytes_of(uint64_t pages)
{
    return (int64_t)(pages * PAGEMAP_PAGE_BYTES);
}

static void judge(const struct tally *tally, enum has_collected has_collected,
                  struct sharing *sharing)
{
    uint64_t by_heads = same_by_heads(tally, has_collected);
    uint64_t same = tally->found[PAGE_SAME];
    int64_t *bytes = sharing->unshared_bytes;

    sharing->shared_bytes = bytes_of(tally->shared);
    sharing->own_bytes = bytes_of(tally->own);
    bytes[UNSHARED_GC_HEADS] = bytes_of(tally->found[PAGE_HEADS] + by_heads);
    bytes[UNSHARED_REFCOUNTS] = bytes_of(tally->found[PAGE_REFCOUNTS] + same - by_heads);
    bytes[UNSHARED_NEW_DATA] = bytes_of(tally->found[PAGE_DATA]);
    bytes[UNSHARED_UNKNOWN] = bytes_of(tally->unknown);
}

static uint64_t read_so_far(const struct comparison *comparison)
{
    return comparison->worker->reader->read_bytes +
           comparison->parent->reader->read_bytes;
}

int sharing_compare(struct target *worker, struct target *parent,
                    enum has_collected has_collected, const bool *is_unwanted,
                    struct sharing *sharing, struct err *err)
{
    struct comparison *comparison = calloc(1, sizeof(*comparison));
    int64_t began_cpu_ns = clock_thread_cpu_ns();
    int result;

    *sharing = (struct sharing){.parent = parent->pid};
    if (!comparison)
        return err_set(err, ERR_FAILED, "out of memory to compare pages");
    comparison->worker = worker;
    comparison->parent = parent;
    comparison->is_unwanted = is_unwanted;
    comparison->deadline_cpu_ns = began_cpu_ns + CPU_MOST_NS;
    result = check_can_compare(worker, parent, &comparison->layout, err);
    if (!result) {
        types_init(&comparison->types, worker->reader, &comparison->layout,
                   worker->type_type.value, 0);
        result = take_all(comparison, err);
        types_release(&comparison->types);
        sharing->read_bytes = read_so_far(comparison);
    }
    if (!result) {
        judge(&comparison->tally, has_collected, sharing);
        sharing->wall_ns = clock_wall_ns();
    }
    sharing->cpu_ns = clock_thread_cpu_ns() - began_cpu_ns;
    free(comparison);
    return result;
}
