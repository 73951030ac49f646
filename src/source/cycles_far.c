#include "source/cycles_far.h"

#include <stdlib.h>
#include <string.h>

#include "util/rising.h"

#define REGION_SHIFT  18
#define REGIONS_FIRST 64
#define OBJECTS_FIRST 16
#define OBJECTS_MAX   ((size_t)1 << 28)

_Static_assert(sizeof(struct cycles_mark) == 4, "four bytes an object");

void cycles_far_release(struct cycles_far *far)
{
    for (size_t i = 0; i < far->count; i++) {
        free(far->regions[i].units);
        free(far->regions[i].marks);
    }
    free(far->regions);
    free(far->slots);
    memset(far, 0, sizeof(*far));
}

/* ---- regions ---- */

/* Where the region stands, or would. */
static uint32_t *slot_of(const struct cycles_far *far, uint64_t number)
{
    size_t mask = far->n_slots - 1;
    size_t at = (size_t)(number * UINT64_C(0x9e3779b97f4a7c15) >> 24) & mask;

    while (far->slots[at] && far->regions[far->slots[at] - 1].number != number)
        at = (at + 1) & mask;
    return &far->slots[at];
}

static void slots_fill(struct cycles_far *far)
{
    memset(far->slots, 0, far->n_slots * sizeof(*far->slots));
    for (size_t i = 0; i < far->count; i++)
        *slot_of(far, far->regions[i].number) = (uint32_t)i + 1;
}

static bool regions_grow(struct cycles_far *far)
{
    size_t capacity = far->capacity ? far->capacity * 2 : REGIONS_FIRST;
    struct far_region *regions = reallocarray(far->regions, capacity, sizeof(*regions));
    uint32_t *slots = regions ? calloc(capacity * 2, sizeof(*slots)) : NULL;

    if (regions)
        far->regions = regions;
    if (!slots)
        return false;
    free(far->slots);
    far->slots = slots;
    far->n_slots = capacity * 2;
    far->capacity = capacity;
    slots_fill(far);
    return true;
}

/* NULL when there is no room for a new one. */
static struct far_region *region_of(struct cycles_far *far, uint64_t number)
{
    uint32_t *slot = far->slots ? slot_of(far, number) : NULL;

    if (slot && *slot)
        return &far->regions[*slot - 1];
    if (far->count == far->capacity) {
        if (!regions_grow(far))
            return NULL;
        slot = slot_of(far, number);
    }
    far->regions[far->count] = (struct far_region){.number = number};
    *slot = (uint32_t)far->count + 1;
    return &far->regions[far->count++];
}

/* ---- objects ---- */

static uint16_t unit_of(uint64_t address)
{
    return (uint16_t)((address & ((1u << REGION_SHIFT) - 1)) >> CYCLES_GRANULE_SHIFT);
}

static bool region_grow(struct far_region *region)
{
    uint32_t capacity =
        region->capacity ? region->capacity + region->capacity / 4 : OBJECTS_FIRST;
    uint16_t *units = reallocarray(region->units, capacity, sizeof(*units));
    struct cycles_mark *marks;

    if (!units)
        return false;
    region->units = units;
    marks = reallocarray(region->marks, capacity, sizeof(*marks));
    if (!marks)
        return false;
    region->marks = marks;
    region->capacity = capacity;
    return true;
}

bool cycles_far_add(struct cycles_far *far, uint64_t address, struct cycles_mark mark)
{
    struct far_region *region = region_of(far, address >> REGION_SHIFT);
    uint16_t unit = unit_of(address);
    uint32_t at, behind;

    if (!region || far->n_objects >= OBJECTS_MAX)
        return false;
    at = rising_from(region->units, region->count, unit);
    if (at < region->count && region->units[at] == unit)
        return true;
    if (region->count == region->capacity && !region_grow(region))
        return false;
    behind = region->count++ - at;
    memmove(region->units + at + 1, region->units + at, behind * sizeof(*region->units));
    memmove(region->marks + at + 1, region->marks + at, behind * sizeof(*region->marks));
    region->units[at] = unit;
    region->marks[at] = mark;
    far->n_objects++;
    return true;
}

struct cycles_mark *cycles_far_find(const struct cycles_far *far, uint64_t address)
{
    const struct far_region *region;
    uint32_t slot, at;

    if (!far->slots || address & ((1u << CYCLES_GRANULE_SHIFT) - 1))
        return NULL;
    slot = *slot_of(far, address >> REGION_SHIFT);
    if (!slot)
        return NULL;
    region = &far->regions[slot - 1];
    at = rising_from(region->units, region->count, unit_of(address));
    return at < region->count && region->units[at] == unit_of(address)
               ? &region->marks[at]
               : NULL;
}

static int region_compare(const void *left, const void *right)
{
    const struct far_region *a = left, *b = right;

    return (a->number > b->number) - (a->number < b->number);
}

void cycles_far_sort(struct cycles_far *far)
{
    if (!far->count)
        return;
    qsort(far->regions, far->count, sizeof(*far->regions), region_compare);
    slots_fill(far);
}

uint64_t cycles_far_address(const struct cycles_far *far, size_t region, size_t index)
{
    return (far->regions[region].number << REGION_SHIFT) +
           ((uint64_t)far->regions[region].units[index] << CYCLES_GRANULE_SHIFT);
}
