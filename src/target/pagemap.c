#include "target/pagemap.h"

#include <string.h>
#include <unistd.h>

#include "target/pagemap_scan.h"

#define READS_MOST 64

void pagemap_init(struct pagemap *pagemap, int fd)
{
    pagemap->fd = fd;
    pagemap->has_no_scan = false;
    pagemap_forget(pagemap);
}

void pagemap_forget(struct pagemap *pagemap)
{
    pagemap->first_page = 0;
    pagemap->count = 0;
}

bool pagemap_word_is_present(uint64_t word)
{
    return (word & PAGEMAP_PRESENT) && !(word & PAGEMAP_SWAPPED);
}

bool pagemap_word_is_swapped(uint64_t word)
{
    return (word & PAGEMAP_SWAPPED) && !(word & PAGEMAP_GUARD);
}

bool pagemap_word_is_anonymous(uint64_t word)
{
    return pagemap_word_is_present(word) && !(word & PAGEMAP_FILE);
}

size_t pagemap_same(const uint64_t *words, size_t from, size_t count)
{
    size_t at = from;

    while (at < count &&
           pagemap_word_is_present(words[at]) == pagemap_word_is_present(words[from]))
        at++;
    return at - from;
}

/* Makes the page one of those kept; false when the kernel does not say. */
static bool pagemap_keep(struct pagemap *pagemap, uint64_t page)
{
    ssize_t bytes;

    if (page - pagemap->first_page < pagemap->count)
        return true;
    if (pagemap->fd < 0)
        return false;
    bytes = pread(pagemap->fd, pagemap->words, sizeof(pagemap->words), (off_t)(page * 8));
    if (bytes < 8) {
        pagemap->fd = bytes < 0 ? -1 : pagemap->fd;
        pagemap_forget(pagemap);
        return false;
    }
    pagemap->first_page = page;
    pagemap->count = (size_t)bytes / 8;
    return true;
}

bool pagemap_is_present(struct pagemap *pagemap, uint64_t address)
{
    uint64_t page = address / PAGEMAP_PAGE_BYTES;

    return !pagemap_keep(pagemap, page) ||
           pagemap_word_is_present(pagemap->words[page - pagemap->first_page]);
}

bool pagemap_is_swapped(struct pagemap *pagemap, uint64_t address)
{
    uint64_t page = address / PAGEMAP_PAGE_BYTES;

    return pagemap_keep(pagemap, page) &&
           pagemap_word_is_swapped(pagemap->words[page - pagemap->first_page]);
}

/* For the first page of [start, end) that the kernel counts among these. */
static struct scan_request request_first(uint64_t start, uint64_t end, uint64_t kinds,
                                         struct scan_region *region)
{
    return (struct scan_request){
        .size = sizeof(struct scan_request),
        .start = start & ~(PAGEMAP_PAGE_BYTES - 1),
        .end = (end + PAGEMAP_PAGE_BYTES - 1) & ~(PAGEMAP_PAGE_BYTES - 1),
        .vec = (uint64_t)(uintptr_t)region,
        .vec_len = 1,
        .max_pages = 1,
        .kinds_mask = kinds,
        .return_mask = kinds,
    };
}

bool pagemap_all_present(struct pagemap *pagemap, uint64_t start, uint64_t end)
{
    struct scan_region region;
    struct scan_request request = request_first(start, end, SCAN_IS_PRESENT, &region);
    int found;

    if (pagemap->fd < 0 || pagemap->has_no_scan || start >= end)
        return true;
    request.kinds_inverted = SCAN_IS_PRESENT;
    found = ioctl(pagemap->fd, SCAN_REQUEST, &request);
    pagemap->has_no_scan = found < 0;
    return found <= 0;
}

bool pagemap_one_is_present(struct pagemap *pagemap, uint64_t address)
{
    bool is_present;

    if (address / PAGEMAP_PAGE_BYTES - pagemap->first_page < pagemap->count)
        return pagemap_is_present(pagemap, address);
    is_present = pagemap_all_present(pagemap, address, address + 1);
    return pagemap->has_no_scan ? pagemap_is_present(pagemap, address) : is_present;
}

uint64_t pagemap_run(struct pagemap *pagemap, uint64_t address, uint64_t length,
                     bool *is_present)
{
    uint64_t done = 0;

    *is_present = pagemap_is_present(pagemap, address);
    while (done < length) {
        uint64_t at = address + done, page = at / PAGEMAP_PAGE_BYTES;
        size_t same;

        if (!pagemap_keep(pagemap, page))
            return *is_present ? length : done;
        if (pagemap_is_present(pagemap, at) != *is_present)
            return done;
        same = pagemap_same(pagemap->words, (size_t)(page - pagemap->first_page),
                            pagemap->count);
        done += same * PAGEMAP_PAGE_BYTES - at % PAGEMAP_PAGE_BYTES;
    }
    return length;
}

/* That page; `end`: none. False where the kernel cannot be asked so. */
static bool pagemap_first(struct pagemap *pagemap, uint64_t start, uint64_t end,
                          uint64_t kinds, uint64_t *first)
{
    struct scan_region region;
    struct scan_request request = request_first(start, end, kinds, &region);
    int found;

    if (pagemap->has_no_scan || start >= end) {
        *first = end;
        return !pagemap->has_no_scan;
    }
    found = pagemap_scan_ask(pagemap->fd, &request);
    pagemap->has_no_scan = found < 0;
    *first = found > 0 && region.start < end ? region.start : end;
    if (*first < start)
        *first = start;
    return found >= 0;
}

uint64_t pagemap_next_present(struct pagemap *pagemap, uint64_t address, uint64_t end)
{
    uint64_t at = address, first;

    for (int reads = 0; at < end && !pagemap_is_present(pagemap, at);) {
        uint64_t next = (at / PAGEMAP_PAGE_BYTES + 1) * PAGEMAP_PAGE_BYTES;
        bool is_kept = next / PAGEMAP_PAGE_BYTES - pagemap->first_page < pagemap->count;

        if (!is_kept && pagemap_first(pagemap, next, end, SCAN_IS_PRESENT, &first))
            return first;
        at = next;
        if (!is_kept && ++reads == READS_MOST)
            break;
    }
    return at < end ? at : end;
}

bool pagemap_has_swapped(struct pagemap *pagemap, uint64_t start, uint64_t end)
{
    uint64_t first;

    if (start >= end || pagemap->fd < 0)
        return false;
    if (pagemap_first(pagemap, start, end, SCAN_IS_SWAPPED, &first))
        return first < end;
    for (first = start; first < end && !pagemap_is_swapped(pagemap, first);)
        first += PAGEMAP_PAGE_BYTES;
    return first < end;
}

static bool pagemap_is_written(struct pagemap *pagemap, uint64_t page)
{
    return !pagemap_keep(pagemap, page) ||
           pagemap_word_is_anonymous(pagemap->words[page - pagemap->first_page]);
}

uint64_t pagemap_run_written(struct pagemap *pagemap, uint64_t address, uint64_t length,
                             bool *is_written)
{
    uint64_t page = address / PAGEMAP_PAGE_BYTES, end;

    *is_written = pagemap_is_written(pagemap, page);
    for (end = address; end - address < length; end = page * PAGEMAP_PAGE_BYTES) {
        if (pagemap_is_written(pagemap, page) != *is_written)
            return end - address;
        page++;
    }
    return length;
}

int pagemap_read_touched(struct pagemap *pagemap, struct reader *reader, uint64_t address,
                         void *buffer, uint64_t length)
{
    uint8_t *bytes = buffer;
    uint64_t done = 0;

    while (done < length) {
        bool is_present;
        uint64_t run = pagemap_run(pagemap, address + done, length - done, &is_present);

        if (!is_present &&
            run > PAGEMAP_PAGE_BYTES - (address + done) % PAGEMAP_PAGE_BYTES)
            run = PAGEMAP_PAGE_BYTES - (address + done) % PAGEMAP_PAGE_BYTES;
        if (!is_present && !pagemap_is_swapped(pagemap, address + done))
            memset(bytes + done, 0, (size_t)run);
        else if (reader_read(reader, raddr_of(address + done), bytes + done, (size_t)run))
            return -1;
        done += run;
    }
    return 0;
}

int pagemap_read(struct pagemap *pagemap, struct reader *reader, uint64_t address,
                 void *buffer, uint64_t length, uint64_t *absent_bytes)
{
    uint8_t *bytes = buffer;
    uint64_t done = 0;

    /* One answer costs less than one for each page; of a hole it says nothing. */
    if (pagemap_all_present(pagemap, address, address + length) &&
        !pagemap->has_no_scan && !reader_read(reader, raddr_of(address), buffer, length))
        return 0;
    while (done < length) {
        bool is_present;
        uint64_t run = pagemap_run(pagemap, address + done, length - done, &is_present);

        if (!is_present) {
            memset(bytes + done, 0, (size_t)run);
            *absent_bytes += run;
        } else if (reader_read(reader, raddr_of(address + done), bytes + done,
                               (size_t)run)) {
            return -1;
        }
        done += run;
    }
    return 0;
}
