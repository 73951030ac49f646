#include "model/inspection.h"

#include <stdlib.h>
#include <string.h>

void inspection_free(struct inspection *inspection)
{
    if (!inspection)
        return;
    for (size_t i = 0; i < inspection->n_pools; i++)
        free(inspection->pools[i].blocks);
    free(inspection);
}

uint16_t inspection_count(struct inspection *inspection, const struct kind *kind,
                          uint32_t block_bytes)
{
    size_t at = 0;

    while (at < inspection->n_kinds && inspection->kinds[at].kind != kind)
        at++;
    if (at == INSPECTION_KINDS)
        return BLOCK_OTHER_KIND;
    if (at == inspection->n_kinds)
        inspection->kinds[inspection->n_kinds++] = (struct inspected_kind){kind, 0, 0};
    inspection->kinds[at].blocks++;
    inspection->kinds[at].bytes += block_bytes;
    return (uint16_t)(BLOCK_KIND + at);
}

/* The greatest of the counts, taken out of them; 0 when none is left. */
static uint32_t take_most(uint32_t *counts, size_t n_counts, uint16_t *at)
{
    uint32_t most = 0;

    for (size_t i = 0; i < n_counts; i++)
        if (counts[i] > most) {
            most = counts[i];
            *at = (uint16_t)i;
        }
    if (most)
        counts[*at] = 0;
    return most;
}

size_t inspection_pool_kinds(const struct inspection *inspection, size_t pool,
                             uint16_t *kinds, uint32_t *blocks, size_t most)
{
    const struct inspected_pool *what = &inspection->pools[pool];
    uint32_t counts[INSPECTION_KINDS];
    size_t found = 0;

    memset(counts, 0, sizeof(counts));
    for (uint32_t i = 0; i < what->n_blocks; i++)
        if (what->blocks[i] >= BLOCK_KIND)
            counts[what->blocks[i] - BLOCK_KIND]++;
    while (found < most &&
           (blocks[found] = take_most(counts, inspection->n_kinds, &kinds[found])) != 0)
        found++;
    return found;
}
