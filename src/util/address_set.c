#include "util/address_set.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS_FIRST 4096

static size_t slot_of(const struct address_set *set, uint64_t address)
{
    size_t mask = set->n_slots - 1;
    size_t at = (size_t)((address >> 3) * UINT64_C(0x9e3779b97f4a7c15) >> 24) & mask;

    while (set->slots[at] && set->slots[at] != address)
        at = (at + 1) & mask;
    return at;
}

static bool grow(struct address_set *set)
{
    struct address_set larger = {.n_slots =
                                     set->n_slots ? set->n_slots * 2 : SLOTS_FIRST};

    if (set->count >= ADDRESS_SET_MAX)
        return false;
    larger.slots = calloc(larger.n_slots, sizeof(*larger.slots));
    if (!larger.slots)
        return false;
    for (size_t i = 0; i < set->n_slots; i++)
        if (set->slots[i])
            larger.slots[slot_of(&larger, set->slots[i])] = set->slots[i];
    free(set->slots);
    set->slots = larger.slots;
    set->n_slots = larger.n_slots;
    return true;
}

bool address_set_add(struct address_set *set, uint64_t address)
{
    size_t at;

    if (!address)
        return false;
    if (set->count * 2 >= set->n_slots && !grow(set)) {
        set->is_full = true;
        return false;
    }
    at = slot_of(set, address);
    if (set->slots[at])
        return false;
    set->slots[at] = address;
    set->count++;
    return true;
}

bool address_set_has(const struct address_set *set, uint64_t address)
{
    return set->n_slots && address && set->slots[slot_of(set, address)] == address;
}

void address_set_release(struct address_set *set)
{
    free(set->slots);
    memset(set, 0, sizeof(*set));
}
