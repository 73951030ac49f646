#include "target/residency.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "target/pagemap.h"
#include "target/pagemap_scan.h"
#include "target/raddr.h"

#define REGIONS 1024 /* answers of one request */
#define WORDS   4096 /* pages of one read, without PAGEMAP_SCAN */

#define WORDS_LEAST   (UINT64_C(1) << 16)
#define WORDS_UNKNOWN (UINT64_C(1) << 30) /* when not all of it is known */

void residency_release(struct residency *residency)
{
    free(residency->runs);
    memset(residency, 0, sizeof(*residency));
}

static bool runs_grow(struct residency *residency)
{
    size_t capacity = residency->capacity ? residency->capacity * 2 : 1024;
    struct residency_run *runs;

    if (residency->count < residency->capacity)
        return true;
    if (residency->capacity >= RESIDENCY_RUNS_MAX)
        return false;
    runs = reallocarray(residency->runs, capacity, sizeof(*runs));
    if (!runs)
        return false;
    residency->runs = runs;
    residency->capacity = capacity;
    return true;
}

bool residency_add(struct residency *residency, uint64_t start, uint64_t end,
                   bool is_swapped, bool is_file)
{
    struct residency_run *last =
        residency->count ? &residency->runs[residency->count - 1] : NULL;
    bool is_next = last && last->end == start && last->is_swapped == is_swapped &&
                   last->is_file == is_file;

    if (start >= end || (last && start < last->end))
        return true;
    if (is_next) {
        last->end = end;
    } else if (runs_grow(residency)) {
        residency->runs[residency->count++] = (struct residency_run){
            start,
            end,
            residency->resident_bytes,
            residency->swapped_bytes,
            residency->file_bytes,
            is_swapped,
            is_file,
        };
    } else {
        residency->is_cut = true;
        return false;
    }
    if (is_swapped)
        residency->swapped_bytes += end - start;
    else
        residency->resident_bytes += end - start;
    if (is_file && !is_swapped)
        residency->file_bytes += end - start;
    return true;
}

/* False where the kernel does not have the request, errno ENOTTY. */
static bool scan_mapping(struct residency *residency, int fd,
                         const struct mapping *mapping, struct scan_region *regions)
{
    uint64_t at = mapping->start;

    while (at < mapping->end) {
        struct scan_request request = {
            .size = sizeof(request),
            .start = at,
            .end = mapping->end,
            .vec = (uint64_t)(uintptr_t)regions,
            .vec_len = REGIONS,
            .kinds_any_mask = SCAN_IS_PRESENT | SCAN_IS_SWAPPED,
            .return_mask =
                SCAN_IS_FILE | SCAN_IS_PRESENT | SCAN_IS_SWAPPED | SCAN_IS_ZERO,
        };
        int found = pagemap_scan_ask(fd, &request);

        if (found < 0)
            return errno != ENOTTY && errno != EINVAL;
        for (int i = 0; i < found && i < REGIONS; i++)
            if (!(regions[i].categories & SCAN_IS_ZERO) &&
                !residency_add(residency, regions[i].start, regions[i].end,
                               regions[i].categories & SCAN_IS_SWAPPED,
                               regions[i].categories & SCAN_IS_FILE))
                return true;
        if (request.walk_end <= at)
            return true;
        at = request.walk_end;
    }
    return true;
}

/* False when pagemap cannot be read. */
static bool read_mapping(struct residency *residency, int fd,
                         const struct mapping *mapping, uint64_t *words)
{
    uint64_t page = mapping->start / PAGEMAP_PAGE_BYTES;
    uint64_t end = mapping->end / PAGEMAP_PAGE_BYTES;

    while (page < end) {
        size_t want = end - page < WORDS ? (size_t)(end - page) : WORDS;
        ssize_t got = pread(fd, words, want * sizeof(*words), (off_t)(page * 8));

        if (got < (ssize_t)sizeof(*words))
            return got >= 0;
        for (size_t i = 0; i < (size_t)got / sizeof(*words); i++, page++)
            if ((pagemap_word_is_present(words[i]) ||
                 pagemap_word_is_swapped(words[i])) &&
                !residency_add(
                    residency, page * PAGEMAP_PAGE_BYTES, (page + 1) * PAGEMAP_PAGE_BYTES,
                    pagemap_word_is_swapped(words[i]), words[i] & PAGEMAP_FILE))
                return true;
    }
    return true;
}

int residency_scan(struct residency *residency, int pagemap_fd, const struct maps *maps,
                   struct err *err)
{
    union {
        struct scan_region regions[REGIONS];
        uint64_t words[WORDS];
    } *buffer = malloc(sizeof(*buffer));
    bool has_scan = true, is_good = true;

    residency->count = residency->hint = 0;
    residency->is_cut = false;
    residency->resident_bytes = residency->swapped_bytes = residency->file_bytes = 0;
    if (!buffer)
        return err_set(err, ERR_FAILED, "out of memory for the pages of the target");
    for (size_t i = 0; i < maps->count && is_good && !residency->is_cut; i++) {
        const struct mapping *mapping = &maps->mappings[i];

        if (mapping->start >= RADDR_END || !strncmp(mapping->path, "[vvar", 5))
            continue;
        if (has_scan)
            has_scan = scan_mapping(residency, pagemap_fd, mapping, buffer->regions);
        if (!has_scan)
            is_good = read_mapping(residency, pagemap_fd, mapping, buffer->words);
    }
    free(buffer);
    if (pagemap_fd < 0 || !is_good)
        return err_set(err, ERR_DENIED,
                       "which of the target's pages are in memory is not known: "
                       "/proc/PID/pagemap cannot be read");
    return 0;
}

/* The last run that begins at or before the address; NULL when there is none. */
static const struct residency_run *run_before(struct residency *residency,
                                              uint64_t address)
{
    size_t low = 0, high = residency->count;

    if (residency->hint < residency->count &&
        residency->runs[residency->hint].start <= address) {
        low = residency->hint;
        if (low + 1 == high || residency->runs[low + 1].start > address)
            return &residency->runs[low];
        if (low + 2 >= high || residency->runs[low + 2].start > address)
            return &residency->runs[residency->hint = low + 1];
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (residency->runs[middle].start <= address)
            low = middle + 1;
        else
            high = middle;
    }
    if (!low)
        return NULL;
    residency->hint = low - 1;
    return &residency->runs[low - 1];
}

/* All bytes in front of the address. */
static struct residency_bytes bytes_before(struct residency *residency, uint64_t address)
{
    const struct residency_run *run = run_before(residency, address);
    struct residency_bytes bytes = {0, 0, 0};
    uint64_t length;

    if (!run)
        return bytes;
    length = (address < run->end ? address : run->end) - run->start;
    bytes = (struct residency_bytes){run->resident_before, run->swapped_before,
                                     run->file_before};
    if (run->is_swapped)
        bytes.swapped += length;
    else
        bytes.resident += length;
    if (run->is_file && !run->is_swapped)
        bytes.file += length;
    return bytes;
}

struct residency_bytes residency_of(struct residency *residency, uint64_t start,
                                    uint64_t end)
{
    struct residency_bytes from, to;

    if (start >= end)
        return (struct residency_bytes){0, 0, 0};
    from = bytes_before(residency, start);
    to = bytes_before(residency, end);
    return (struct residency_bytes){to.resident - from.resident,
                                    to.swapped - from.swapped, to.file - from.file};
}

uint64_t residency_stretch(struct residency *residency, uint64_t address, uint64_t length,
                           bool *is_resident)
{
    const struct residency_run *run = run_before(residency, address);
    const struct residency_run *end = residency->runs + residency->count;
    uint64_t next;

    *is_resident = run && address < run->end && !run->is_swapped;
    if (run && address < run->end) {
        next = run->end;
        while (++run < end && run->start == next && run->is_swapped == !*is_resident)
            next = run->end;
    } else {
        run = run ? run + 1 : residency->runs;
        while (run < end && run->is_swapped)
            run++;
        next = run < end ? run->start : UINT64_MAX;
    }
    return next - address < length ? next - address : length;
}

uint64_t residency_words(const struct residency *residency)
{
    if (residency->is_cut)
        return WORDS_UNKNOWN;
    return (residency->resident_bytes + residency->swapped_bytes) / 4 + WORDS_LEAST;
}
