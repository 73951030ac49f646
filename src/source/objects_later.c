#include "source/objects_walk.h"

#include <string.h>

static struct later_memory *later_remembered(struct later *later,
                                             const struct size_more *more)
{
    return &later->memory[type_hash(more->address) % LATER_MEMORY];
}

static void later_add(struct walk_worker *worker, const struct type_entry *entry,
                      bool is_dict_of, uint64_t bytes)
{
    struct tally *tally = tally_of(worker, entry);

    if (is_dict_of)
        tally->dict_size_bytes += bytes;
    else
        tally->size_bytes += bytes;
}

static void later_lead(struct walk_worker *worker, const struct later_item *item,
                       const struct size_more *more);

/* Adds what the bytes say, and remembers it when other objects share it. */
static void later_resolve(struct walk_worker *worker, const struct later_item *item,
                          const uint8_t *bytes)
{
    const struct object_layout *layout = &worker->walk->layout.object;
    struct size_more more = item->more;
    bool is_shared;
    uint64_t size;

    if (object_size_leads(layout, &more, bytes)) {
        later_lead(worker, item, &more);
        return;
    }
    size = object_size_more(layout, &more, bytes, &is_shared);
    later_add(worker, item->entry, item->is_dict_of, size);
    if (is_shared)
        *later_remembered(worker->later, &more) =
            (struct later_memory){more.address, size, more.what};
}

/* One more place to look at: rare, so it is read alone. */
static void later_lead(struct walk_worker *worker, const struct later_item *item,
                       const struct size_more *more)
{
    struct later_item next = {item->entry, item->is_dict_of, *more};
    uint8_t bytes[SIZE_MORE_BYTES];

    if (!reader_read(worker->walk->reader, raddr_of(more->address), bytes, sizeof(bytes)))
        later_resolve(worker, &next, bytes);
}

void walk_later(struct walk_worker *worker, struct type_entry *entry, bool is_dict_of,
                const struct size_more *more)
{
    struct later *later = worker->later;
    const struct later_memory *memory = later_remembered(later, more);
    uint64_t offset = more->address - worker->window_address;
    struct later_item item = {entry, is_dict_of, *more};

    if (memory->address == more->address && memory->what == more->what) {
        later_add(worker, entry, is_dict_of, memory->bytes);
        return;
    }
    if (offset < worker->window_bytes &&
        worker->window_bytes - offset >= SIZE_MORE_BYTES) {
        later_resolve(worker, &item, worker->window + offset);
        return;
    }
    later->items[later->count++] = item;
    if (later->count == LATER_MAX)
        walk_later_flush(worker);
}

void walk_more(struct walk_worker *worker, struct type_entry *entry,
               const struct size_more more[SIZE_MORE_MAX])
{
    for (size_t i = 0; i < SIZE_MORE_MAX; i++)
        if (more[i].what != MORE_NOTHING && more[i].what != MORE_KEYS)
            walk_later(worker, entry, false, &more[i]);
}

void walk_later_flush(struct walk_worker *worker)
{
    struct later *later = worker->later;
    size_t count = later->count;

    if (!count)
        return;
    for (size_t i = 0; i < count; i++)
        later->pieces[i] = (struct piece){raddr_of(later->items[i].more.address),
                                          later->bytes[i], SIZE_MORE_BYTES, false};
    reader_readv(worker->walk->reader, later->pieces, count);
    for (size_t i = 0; i < count; i++) {
        if (later->pieces[i].done)
            later_resolve(worker, &later->items[i], later->bytes[i]);
    }
    later->count = 0;
}
