#include "source/objects_walk.h"

#include <string.h>

static struct later_memory *later_remembered(struct walk *walk,
                                             const struct size_more *more)
{
    return &walk->later->memory[type_hash(more->address) % LATER_MEMORY];
}

/* Adds what the bytes say, and remembers it when other objects share it. */
static void later_resolve(struct walk *walk, struct type_entry *entry,
                          const struct size_more *more, const uint8_t *bytes)
{
    bool is_shared;
    uint64_t size = object_size_more(&walk->layout.object, more, bytes, &is_shared);

    entry->size_bytes += size;
    if (is_shared)
        *later_remembered(walk, more) =
            (struct later_memory){more->address, size, more->what};
}

void walk_later(struct walk *walk, struct type_entry *entry, const struct size_more *more)
{
    const struct later_memory *memory = later_remembered(walk, more);
    uint64_t offset = more->address - walk->window_address;

    if (offset < walk->window_bytes && walk->window_bytes - offset >= SIZE_MORE_BYTES) {
        later_resolve(walk, entry, more, walk->window + offset);
        return;
    }
    if (memory->address == more->address && memory->what == more->what) {
        entry->size_bytes += memory->bytes;
        return;
    }
    walk->later->items[walk->later->count++] = (struct later_item){entry, *more};
    if (walk->later->count == LATER_MAX)
        walk_later_flush(walk);
}

void walk_later_flush(struct walk *walk)
{
    struct later *later = walk->later;
    size_t count = later->count;

    if (!count)
        return;
    for (size_t i = 0; i < count; i++)
        later->pieces[i] = (struct piece){raddr_of(later->items[i].more.address),
                                          later->bytes[i], SIZE_MORE_BYTES, false};
    reader_readv(walk->reader, later->pieces, count);
    for (size_t i = 0; i < count; i++) {
        if (later->pieces[i].done)
            later_resolve(walk, later->items[i].entry, &later->items[i].more,
                          later->bytes[i]);
    }
    later->count = 0;
}
