#include "source/malloc_threshold.h"

#include <stdlib.h>

#include "layout/malloc_layout.h"
#include "util/bytes.h"

#define DATA_READ_MAX  (UINT64_C(2) << 20)
#define TOP_PAD_MOST   (UINT64_C(1) << 30)
#define ARENAS_MOST    4096
#define SIDE_BY_SIDE   4
#define TOLERANCE_PART 10 /* a tenth */

/* n_mmaps, n_mmaps_max, max_n_mmaps, no_dyn_threshold */
static bool are_mmap_counts(const uint8_t *bytes)
{
    uint64_t counts = u64_at(bytes, 0), rest = u64_at(bytes, 8);
    uint32_t now = (uint32_t)counts, most = (uint32_t)(counts >> 32);
    uint32_t highest = (uint32_t)rest, is_fixed = (uint32_t)(rest >> 32);

    return most == MMAPS_MOST && now <= most && now <= highest && highest <= most &&
           is_fixed <= 1;
}

static bool are_parameters(const uint8_t *bytes)
{
    uint64_t threshold = u64_at(bytes, PAR_MMAP_THRESHOLD);
    uint64_t arenas = u64_at(bytes, PAR_ARENA_TEST);

    return threshold >= MMAP_THRESHOLD_LEAST / 32 &&
           threshold <= MMAP_THRESHOLD_HIGHEST * 2 &&
           u64_at(bytes, PAR_TOP_PAD) <= TOP_PAD_MOST && arenas &&
           arenas <= ARENAS_MOST &&
           (are_mmap_counts(bytes + PAR_N_MMAPS) ||
            are_mmap_counts(bytes + PAR_N_MMAPS_35));
}

uint64_t malloc_threshold_find(struct reader *reader, uint64_t start, uint64_t end)
{
    uint64_t length = end - start, found = 0;
    uint8_t *bytes;

    if (end <= start || length > DATA_READ_MAX)
        return 0;
    bytes = malloc((size_t)length);
    if (bytes && !reader_read(reader, raddr_of(start), bytes, (size_t)length))
        for (uint64_t at = 0; at + PAR_BYTES <= length && !found; at += 8)
            if (are_parameters(bytes + at))
                found = u64_at(bytes, at + PAR_MMAP_THRESHOLD);
    free(bytes);
    return found;
}

bool malloc_is_about_threshold(uint64_t chunk_bytes, uint64_t threshold)
{
    if (threshold <= MMAP_THRESHOLD_LEAST)
        return false;
    for (uint64_t times = 1; times <= SIDE_BY_SIDE; times++) {
        uint64_t whole = times * threshold;
        uint64_t off = chunk_bytes > whole ? chunk_bytes - whole : whole - chunk_bytes;

        if (off <= threshold / TOLERANCE_PART)
            return true;
    }
    return false;
}
