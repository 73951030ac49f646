/*
 * slots.h - which slot of a plane a row has: the same one for as long as it is there.
 *
 * Rows are told apart by a key (the kind's id, an arena's address). In each sample all
 * keys are asked for between slots_begin() and slots_end(); a slot whose key was not is
 * free for another row. Belongs to one encoder.
 */
#ifndef HEAPTOP_RECORDING_SLOTS_H
#define HEAPTOP_RECORDING_SLOTS_H

#include <stddef.h>
#include <stdint.h>

struct slot_entry;

struct slots {
    struct slot_entry *entries; /* hash table by key */
    size_t count;               /* slots that were ever in use */
    size_t *vacant, n_vacant, vacant_capacity;
    uint64_t turn;
};

void slots_release(struct slots *slots);
void slots_begin(struct slots *slots);
size_t slots_of(struct slots *slots, uint64_t key);
void slots_end(struct slots *slots);

#endif
