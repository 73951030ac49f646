/*
 * address_map.h - numbers by address, with a bound.
 *
 * Addresses come from a target that may want to fill heaptop's memory: beyond
 * ADDRESS_MAP_MAX, or without memory, further ones are left out, and is_full says so.
 * Address 0 is never in it. One thread.
 */
#ifndef HEAPTOP_UTIL_ADDRESS_MAP_H
#define HEAPTOP_UTIL_ADDRESS_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ADDRESS_MAP_MAX  ((size_t)1 << 21)
#define ADDRESS_MAP_NONE UINT32_MAX

struct address_map {
    uint64_t *addresses; /* 0 = empty */
    uint32_t *numbers;
    size_t n_slots, count;
    bool is_full;
};

/* The first number that an address is given stays; true when it was new. */
bool address_map_add(struct address_map *map, uint64_t address, uint32_t number);
/* ADDRESS_MAP_NONE: it is not there. */
uint32_t address_map_get(const struct address_map *map, uint64_t address);
/* Changes the number of an address that is there. */
void address_map_set(struct address_map *map, uint64_t address, uint32_t number);
void address_map_release(struct address_map *map);

#endif
