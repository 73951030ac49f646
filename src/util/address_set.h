/*
 * address_set.h - a set of addresses with a bound: what was met already.
 *
 * Addresses come from a target that may want to fill heaptop's memory: beyond
 * ADDRESS_SET_MAX, or without memory, further ones are left out, and is_full says so.
 * One thread.
 */
#ifndef HEAPTOP_UTIL_ADDRESS_SET_H
#define HEAPTOP_UTIL_ADDRESS_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ADDRESS_SET_MAX ((size_t)1 << 22)

struct address_set {
    uint64_t *slots; /* 0 = empty */
    size_t n_slots, count;
    bool is_full;
};

/* True when the address was not there yet, and is now. Never for 0. */
bool address_set_add(struct address_set *set, uint64_t address);
bool address_set_has(const struct address_set *set, uint64_t address);
void address_set_release(struct address_set *set);

#endif
