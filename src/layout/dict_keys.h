/*
 * The table of keys of a dict: a header, an index of slots, and the entries. It may
 * belong to one dict or be shared by those of a class's instances, which then have their
 * values elsewhere. Pure functions: nothing is read here.
 *
 * The header comes from a target and is hostile: what is decoded is within bounds no real
 * table has, and whoever reads the entries bounds their number by what he can hold.
 *
 * Sources: struct _dictkeysobject (3.8 - 3.10 Objects/dict-common.h, 3.11+
 * Include/internal/pycore_dict.h); Objects/dictobject.c new_keys_object,
 * _PyDict_KeysSize, USABLE_FRACTION.
 */
#ifndef HEAPTOP_LAYOUT_DICT_KEYS_H
#define HEAPTOP_LAYOUT_DICT_KEYS_H

#include "layout/object_layout.h"

#define DICT_KEYS_HEADER_MAX 40

struct dict_keys {
    uint64_t entries;     /* the address of the first */
    uint64_t n_entries;   /* in use, and holes among them */
    uint64_t n_values;    /* how many the values of a split dict have room for */
    uint64_t bytes;       /* of the whole table */
    uint32_t entry_bytes; /* key and value; with the key's hash in front unless all keys
                             are strings */
};

/* Of the table at the address, by its first keys_header_bytes; false when its sizes make
 * no sense. */
bool dict_keys_decode(const struct object_layout *layout, const uint8_t *header,
                      uint64_t address, struct dict_keys *keys);

/* The address of the key of an entry; its value stands right behind. */
uint64_t dict_keys_key(const struct dict_keys *keys, uint64_t index);

/* The size of the table in a block with so much room, of which up to `slack` bytes may be
 * unused; 0 when no table fits. */
uint64_t dict_keys_of_room(const struct object_layout *layout, uint64_t room,
                           uint64_t slack);

/* The same for the values of a split dict, where the room alone tells (3.8 - 3.10). */
uint64_t dict_values_of_room(const struct object_layout *layout, uint64_t room);

#endif
