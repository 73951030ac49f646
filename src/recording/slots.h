/*
 * slots.h - which slot of a plane a row has: the same one for as long as it is there.
 *
 * Rows are told apart by a key (the kind's id, an arena's address). In each sample all
 * keys are asked for between slots_begin() and slots_end(); a slot whose key was not is
 * free for another row. Belongs to one encoder.
 */
#ifndef HEAPTOP_RECORDING_SLOTS_H
#define HEAPTOP_RECORDING_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/address_map.h"

struct slot_row {
    uint64_t key;
    uint64_t turn; /* in which it was asked for last */
    uint32_t next; /* the slot that was asked for after it */
};

struct slots {
    struct address_map by_key;
    struct slot_row *rows; /* by slot */
    uint32_t *vacant;
    uint32_t count; /* slots that were ever in use */
    uint32_t n_vacant, n_asked, capacity, last;
    uint64_t turn;
};

void slots_release(struct slots *slots);
void slots_begin(struct slots *slots);
/* Of a row that does not come where it came before. */
size_t slots_search(struct slots *slots, uint64_t key);
/* As if its key had been asked for. */
static inline void slots_ask(struct slots *slots, size_t slot)
{
    slots->n_asked += slots->rows[slot].turn != slots->turn;
    slots->rows[slot].turn = slots->turn;
}
/* Was it asked for in this sample? */
bool slots_is_asked(const struct slots *slots, uint64_t key);
/* True: there are rows that were not asked for. */
bool slots_end(struct slots *slots);
bool slots_is_vacant(const struct slots *slots, size_t slot);

static inline size_t slots_of(struct slots *slots, uint64_t key)
{
    uint32_t guess = slots->count ? slots->rows[slots->last].next : 0;

    if (guess >= slots->count || slots->rows[guess].key != key)
        return slots_search(slots, key);
    slots_ask(slots, guess);
    slots->last = guess;
    return guess;
}

#endif
