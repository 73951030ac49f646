#include "util/address_map.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS_FIRST 1024

/* Where the address is, or would be. */
static size_t slot_of(const struct address_map *map, uint64_t address)
{
    size_t mask = map->n_slots - 1;
    size_t at = (size_t)((address >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 22) & mask;

    while (map->addresses[at] && map->addresses[at] != address)
        at = (at + 1) & mask;
    return at;
}

static bool grow(struct address_map *map)
{
    struct address_map larger = {.n_slots = map->n_slots ? map->n_slots * 2 : SLOTS_FIRST,
                                 .count = map->count};

    larger.addresses = calloc(larger.n_slots, sizeof(*larger.addresses));
    larger.numbers = calloc(larger.n_slots, sizeof(*larger.numbers));
    if (!larger.addresses || !larger.numbers) {
        address_map_release(&larger);
        return false;
    }
    for (size_t i = 0; i < map->n_slots; i++) {
        size_t at;

        if (!map->addresses[i])
            continue;
        at = slot_of(&larger, map->addresses[i]);
        larger.addresses[at] = map->addresses[i];
        larger.numbers[at] = map->numbers[i];
    }
    address_map_release(map);
    *map = larger;
    return true;
}

bool address_map_add(struct address_map *map, uint64_t address, uint32_t number)
{
    size_t at;

    if (!address || map->is_full)
        return false;
    if (map->count * 2 >= map->n_slots && (map->count >= ADDRESS_MAP_MAX || !grow(map))) {
        map->is_full = true;
        return false;
    }
    at = slot_of(map, address);
    if (map->addresses[at])
        return false;
    map->addresses[at] = address;
    map->numbers[at] = number;
    map->count++;
    return true;
}

uint32_t address_map_get(const struct address_map *map, uint64_t address)
{
    size_t at;

    if (!map->count || !address)
        return ADDRESS_MAP_NONE;
    at = slot_of(map, address);
    return map->addresses[at] ? map->numbers[at] : ADDRESS_MAP_NONE;
}

void address_map_set(struct address_map *map, uint64_t address, uint32_t number)
{
    size_t at = map->count && address ? slot_of(map, address) : 0;

    if (map->count && map->addresses[at] == address)
        map->numbers[at] = number;
}

void address_map_release(struct address_map *map)
{
    free(map->addresses);
    free(map->numbers);
    memset(map, 0, sizeof(*map));
}
