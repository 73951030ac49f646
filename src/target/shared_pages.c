#include "target/shared_pages.h"

#include <unistd.h>

#include "target/pagemap.h"
#include "target/pagemap_scan.h"

#define SAMPLES 512
#define WORDS   512 /* pages of one read */

static uint64_t anonymous_bytes(const struct maps *maps)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < maps->count; i++)
        if (mapping_is_anonymous(&maps->mappings[i]))
            bytes += maps->mappings[i].end - maps->mappings[i].start;
    return bytes;
}

/* The page's word, or 0. */
static uint64_t word_of(int pagemap_fd, uint64_t address)
{
    uint64_t word;

    if (pread(pagemap_fd, &word, sizeof(word),
              (off_t)(address / PAGEMAP_PAGE_BYTES * sizeof(word))) != sizeof(word))
        return 0;
    return pagemap_word_is_anonymous(word) ? word : 0;
}

/* What was read and never written is the kernel's page of zeros, of which reading makes
 * no copy (gup_must_unshare() asks for anonymous pages only). False where the kernel does
 * not say. */
static bool is_page_of_zeros(int pagemap_fd, uint64_t address)
{
    struct scan_region region;
    struct scan_request request = {
        .size = sizeof(request),
        .start = address & ~(PAGEMAP_PAGE_BYTES - 1),
        .end = (address & ~(PAGEMAP_PAGE_BYTES - 1)) + PAGEMAP_PAGE_BYTES,
        .vec = (uint64_t)(uintptr_t)&region,
        .vec_len = 1,
        .max_pages = 1,
        .kinds_mask = SCAN_IS_ZERO,
        .return_mask = SCAN_IS_ZERO,
    };

    return ioctl(pagemap_fd, SCAN_REQUEST, &request) == 1;
}

bool shared_pages_any(int pagemap_fd, const struct maps *maps)
{
    uint64_t step = anonymous_bytes(maps) / SAMPLES + PAGEMAP_PAGE_BYTES, skip = step / 2;
    bool has_private = false;

    for (size_t i = 0; i < maps->count && pagemap_fd >= 0; i++) {
        const struct mapping *mapping = &maps->mappings[i];
        uint64_t bytes = mapping->end - mapping->start;

        if (!mapping_is_anonymous(mapping))
            continue;
        for (; skip < bytes; skip += step) {
            uint64_t word = word_of(pagemap_fd, mapping->start + skip);

            if (word & PAGEMAP_EXCLUSIVE)
                has_private = true;
            else if (word && !is_page_of_zeros(pagemap_fd, mapping->start + skip))
                return true;
        }
        skip -= bytes;
    }
    return !has_private;
}

static bool is_targets_own(uint64_t word)
{
    return pagemap_word_is_anonymous(word) && word & PAGEMAP_EXCLUSIVE;
}

bool shared_pages_none(int pagemap_fd, uint64_t address, size_t length)
{
    uint64_t words[WORDS], page = address / PAGEMAP_PAGE_BYTES, end;

    if (pagemap_fd < 0 || !length || length > UINT64_MAX - address - PAGEMAP_PAGE_BYTES)
        return false;
    end = (address + length + PAGEMAP_PAGE_BYTES - 1) / PAGEMAP_PAGE_BYTES;
    while (page < end) {
        size_t count = end - page < WORDS ? (size_t)(end - page) : WORDS;

        if (pread(pagemap_fd, words, count * sizeof(*words),
                  (off_t)(page * sizeof(*words))) != (ssize_t)(count * sizeof(*words)))
            return false;
        for (size_t i = 0; i < count; i++) {
            if (!is_targets_own(words[i]))
                return false;
        }
        page += count;
    }
    return true;
}
