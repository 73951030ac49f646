#include "recording/slots.h"

#include <stdlib.h>
#include <string.h>

#include "util/xalloc.h"

#define NO_KEY UINT64_MAX

/* The map spreads addresses, of which the lowest bits say nothing, and has no 0. */
static uint64_t address_of(uint64_t key)
{
    return (key + 1) << 4;
}

void slots_release(struct slots *slots)
{
    address_map_release(&slots->by_key);
    free(slots->rows);
    free(slots->vacant);
    memset(slots, 0, sizeof(*slots));
}

void slots_begin(struct slots *slots)
{
    slots->turn++;
    slots->n_asked = 0;
}

static void add_room(struct slots *slots)
{
    if (slots->count < slots->capacity)
        return;
    slots->capacity = slots->capacity ? 2 * slots->capacity : 64;
    slots->rows = xreallocarray(slots->rows, slots->capacity, sizeof(*slots->rows));
    slots->vacant = xreallocarray(slots->vacant, slots->capacity, sizeof(*slots->vacant));
}

static uint32_t add_row(struct slots *slots, uint64_t key)
{
    uint32_t slot;

    add_room(slots);
    slot = slots->n_vacant ? slots->vacant[--slots->n_vacant] : slots->count++;
    slots->rows[slot] = (struct slot_row){.key = key};
    address_map_add(&slots->by_key, address_of(key), slot);
    return slot;
}

size_t slots_search(struct slots *slots, uint64_t key)
{
    uint32_t slot = address_map_get(&slots->by_key, address_of(key));

    if (slot == ADDRESS_MAP_NONE)
        slot = add_row(slots, key);
    slots_ask(slots, slot);
    slots->rows[slots->last].next = slot;
    slots->last = slot;
    return slot;
}

bool slots_is_asked(const struct slots *slots, uint64_t key)
{
    uint32_t slot = address_map_get(&slots->by_key, address_of(key));

    return slot != ADDRESS_MAP_NONE && slots->rows[slot].turn == slots->turn;
}

/* Rows seldom go: then the map is made anew. */
bool slots_end(struct slots *slots)
{
    if (slots->n_asked + slots->n_vacant == slots->count)
        return false;
    address_map_release(&slots->by_key);
    slots->n_vacant = 0;
    for (uint32_t slot = 0; slot < slots->count; slot++) {
        struct slot_row *row = &slots->rows[slot];

        if (row->turn == slots->turn) {
            address_map_add(&slots->by_key, address_of(row->key), slot);
        } else {
            row->key = NO_KEY;
            slots->vacant[slots->n_vacant++] = slot;
        }
    }
    return true;
}

bool slots_is_vacant(const struct slots *slots, size_t slot)
{
    return slots->rows[slot].key == NO_KEY;
}
