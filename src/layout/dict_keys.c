#include "layout/dict_keys.h"

#include "util/bytes.h"

#define LOG2_LEAST    3  /* dictobject.c PyDict_LOG_MINSIZE; PyDict_MINSIZE is 8 */
#define LOG2_MOST     40 /* no table is larger */
#define PAIR_BYTES    16 /* 3.11+ PyDictUnicodeEntry: key, value */
#define GENERAL_BYTES 24 /* PyDictKeyEntry: hash, key, value */

/* How many entries a table with so many slots has room for: USABLE_FRACTION. */
static uint64_t usable_of(uint64_t slots)
{
    return slots * 2 / 3;
}

static uint64_t index_bytes_of(uint64_t slots)
{
    return slots * (slots <= 0xff         ? 1
                    : slots <= 0xffff     ? 2
                    : slots <= UINT32_MAX ? 4
                                          : 8);
}

static uint64_t bytes_of(const struct object_layout *layout, uint64_t slots,
                         uint32_t entry_bytes)
{
    return layout->keys_header_bytes + index_bytes_of(slots) +
           usable_of(slots) * entry_bytes;
}

/* 3.11+: logarithms in bytes; the empty table's index is longer than its one slot needs.
 */
static bool decode_log2(const struct object_layout *layout, const uint8_t *header,
                        struct dict_keys *keys, uint64_t *index_bytes)
{
    uint8_t log2_slots = header[layout->keys_size];
    uint8_t log2_index = header[layout->keys_log2_index];

    if (log2_slots > LOG2_MOST || log2_index > LOG2_MOST + 3)
        return false;
    *index_bytes = UINT64_C(1) << log2_index;
    keys->entry_bytes = header[layout->keys_kind] ? PAIR_BYTES : GENERAL_BYTES;
    keys->bytes = usable_of(UINT64_C(1) << log2_slots) * keys->entry_bytes;
    keys->n_values = u64_at(header, layout->keys_usable) + keys->n_entries;
    return true;
}

static bool decode_slots(const struct object_layout *layout, const uint8_t *header,
                         struct dict_keys *keys, uint64_t *index_bytes)
{
    uint64_t slots = u64_at(header, layout->keys_size);

    if (slots > UINT64_C(1) << LOG2_MOST)
        return false;
    *index_bytes = index_bytes_of(slots);
    keys->entry_bytes = GENERAL_BYTES;
    keys->n_values = usable_of(slots);
    keys->bytes = keys->n_values * GENERAL_BYTES;
    return true;
}

bool dict_keys_decode(const struct object_layout *layout, const uint8_t *header,
                      uint64_t address, struct dict_keys *keys)
{
    uint64_t index_bytes;

    keys->n_entries = u64_at(header, layout->keys_nentries);
    if (layout->keys_is_log2 ? !decode_log2(layout, header, keys, &index_bytes)
                             : !decode_slots(layout, header, keys, &index_bytes))
        return false;
    index_bytes += layout->keys_header_bytes;
    keys->entries = address + index_bytes;
    keys->bytes += index_bytes;
    return true;
}

uint64_t dict_keys_key(const struct dict_keys *keys, uint64_t index)
{
    return keys->entries + (index + 1) * keys->entry_bytes - PAIR_BYTES;
}

uint64_t dict_keys_of_room(const struct object_layout *layout, uint64_t room,
                           uint64_t slack)
{
    for (uint32_t log2 = LOG2_LEAST; log2 < LOG2_MOST; log2++) {
        uint64_t general = bytes_of(layout, UINT64_C(1) << log2, GENERAL_BYTES);
        uint64_t pairs = layout->keys_is_log2
                             ? bytes_of(layout, UINT64_C(1) << log2, PAIR_BYTES)
                             : general;

        if (pairs > room)
            break;
        if (room - pairs <= slack)
            return pairs;
        if (general <= room && room - general <= slack)
            return general;
    }
    return 0;
}

uint64_t dict_values_of_room(const struct object_layout *layout, uint64_t room)
{
    uint64_t bytes = 0;

    if (layout->keys_is_log2)
        return 0;
    for (uint32_t log2 = LOG2_LEAST; log2 < LOG2_MOST; log2++) {
        uint64_t values_bytes = usable_of(UINT64_C(1) << log2) * 8;

        if (values_bytes > room)
            break;
        bytes = values_bytes;
    }
    return bytes;
}
