#include "recording/slots.h"

#include <stdlib.h>
#include <string.h>
/* The usual one has a switch of which clang warns. */
#define HASH_FUNCTION HASH_FNV
#include <uthash.h>

#include "util/xalloc.h"

struct slot_entry {
    uint64_t key;
    size_t slot;
    uint64_t turn; /* in which it was asked for last */
    UT_hash_handle hh;
};

void slots_release(struct slots *slots)
{
    struct slot_entry *entry, *next;

    HASH_ITER (hh, slots->entries, entry, next) {
        HASH_DEL(slots->entries, entry);
        free(entry);
    }
    free(slots->vacant);
    memset(slots, 0, sizeof(*slots));
}

void slots_begin(struct slots *slots)
{
    slots->turn++;
}

static struct slot_entry *add_entry(struct slots *slots, uint64_t key)
{
    struct slot_entry *entry = xcalloc(1, sizeof(*entry));

    entry->key = key;
    entry->slot = slots->n_vacant ? slots->vacant[--slots->n_vacant] : slots->count++;
    HASH_ADD(hh, slots->entries, key, sizeof(entry->key), entry);
    return entry;
}

size_t slots_of(struct slots *slots, uint64_t key)
{
    struct slot_entry *entry;

    HASH_FIND(hh, slots->entries, &key, sizeof(key), entry);
    if (!entry)
        entry = add_entry(slots, key);
    entry->turn = slots->turn;
    return entry->slot;
}

static void vacate(struct slots *slots, size_t slot)
{
    if (slots->n_vacant == slots->vacant_capacity) {
        slots->vacant_capacity = slots->vacant_capacity ? 2 * slots->vacant_capacity : 64;
        slots->vacant =
            xreallocarray(slots->vacant, slots->vacant_capacity, sizeof(*slots->vacant));
    }
    slots->vacant[slots->n_vacant++] = slot;
}

void slots_end(struct slots *slots)
{
    struct slot_entry *entry, *next;

    HASH_ITER (hh, slots->entries, entry, next) {
        if (entry->turn == slots->turn)
            continue;
        vacate(slots, entry->slot);
        HASH_DEL(slots->entries, entry);
        free(entry);
    }
}
