#include "source/objects_walk.h"

#include <string.h>

#include "source/objects_quick.h"
#include "util/bytes.h"

/*
 * From the bytes of an object to edges. Where the target of an edge lies decides its
 * form; nothing is read, but links of chains that are in the window.
 */

static bool is_static(const struct walk *walk, uint64_t address)
{
    return address - walk->statics_start < walk->statics_bytes;
}

void walk_part(struct walk_worker *worker, const struct type_entry *entry,
               uint64_t address, uint64_t bytes, enum edge_what what)
{
    struct walk *walk = worker->walk;
    uint64_t units = bytes >> EDGE_UNIT_SHIFT;

    /* Of chunks, too, there is a window. What is learned comes after what is known. */
    if (worker->is_in_arena && (what == EDGE_PART || what == EDGE_DICT) &&
        address - worker->window_address < worker->window_bytes) {
        EDGES_ADD_WORD(&worker->edges, local, edge_pack(address, entry->id, what));
        return;
    }
    if (arena_map_has(&walk->map, address)) {
        EDGES_ADD_WORD(&worker->edges, near, edge_pack(address, entry->id, what));
        return;
    }
    if (address < 4096 || address >= RADDR_END || is_static(walk, address))
        return;
    EDGES_ADD(&worker->edges, far,
              ((struct far_edge){.address = address,
                                 .owner = entry->id & ((1u << EDGE_OWNER_BITS) - 1),
                                 .what = (uint32_t)what & 7u,
                                 .units = units < UINT32_MAX ? (uint32_t)units : 0}));
}

/* Links that are in the window cost nothing; the rest is followed later, and so are those
 * of more blocks than fit into the window: they go in a circle. */
static void add_chain(struct walk_worker *worker, const struct type_entry *entry,
                      const struct object_part *part)
{
    uint64_t address = part->address, left = part->count;
    uint64_t most = worker->window_bytes / (part->bytes + 1);
    struct chain chain;

    while (left && address) {
        uint64_t offset = address - worker->window_address;

        walk_part(worker, entry, address, part->bytes, EDGE_PART);
        if (--left == 0 || !most-- || offset >= worker->window_bytes ||
            worker->window_bytes - offset < part->link_at + 8u)
            break;
        address = u64_at(worker->window, offset + part->link_at);
    }
    if (!left || !address)
        return;
    chain = (struct chain){address, entry->id, part->link_at,
                           left < UINT32_MAX ? (uint32_t)left : UINT32_MAX,
                           (uint32_t)part->bytes};
    EDGES_ADD(&worker->edges, chains, chain);
}

void walk_part_leads_on(struct walk_worker *worker, const struct type_entry *entry,
                        uint64_t address, uint32_t link_at)
{
    struct linked_part linked = {address, entry->id, link_at};

    if (address >= 4096 && address < RADDR_END && !(address & 15) &&
        !is_static(worker->walk, address))
        EDGES_ADD(&worker->edges, linked, linked);
}

/* What a learned part leads to in turn is looked for when all else is charged. */
static void add_linked(struct walk_worker *worker, const struct type_entry *entry,
                       const struct object_view *view)
{
    for (uint32_t i = 0; i < entry->shape.n_linked; i++) {
        uint64_t field = entry->shape.linked[i].field;

        if (field <= view->length && view->length - field >= 8)
            walk_part_leads_on(worker, entry, u64_at(view->bytes, field),
                               entry->shape.linked[i].link_at);
    }
}

void walk_parts(struct walk_worker *worker, const struct type_entry *entry,
                const struct object_view *view)
{
    struct object_part parts[OBJECT_PARTS_MAX];
    size_t count = object_parts(&worker->walk->layout.object, &entry->shape, view, parts);

    for (size_t i = 0; i < count; i++) {
        const struct object_part *part = &parts[i];

        switch (part->what) {
        case OBJECT_PART_BLOCK:
            walk_part(worker, entry, part->address, part->bytes, EDGE_PART);
            break;
        case OBJECT_PART_START:
            if (!(part->address & 15))
                walk_part(worker, entry, part->address, part->bytes, EDGE_START);
            if (entry->shape.rule == OBJECT_MODULE)
                walk_part_leads_on(worker, entry, part->address, LINK_EVERY);
            break;
        case OBJECT_PART_KEYS:
            walk_part(worker, entry, part->address, 0, EDGE_KEYS);
            break;
        case OBJECT_PART_SIZED:
            walk_part(worker, entry, part->address, part->bytes, EDGE_SIZED);
            break;
        case OBJECT_PART_DICT:
            walk_part(worker, entry, part->address, 0, EDGE_DICT);
            break;
        case OBJECT_PART_CHAIN:
            add_chain(worker, entry, part);
            break;
        }
    }
    add_linked(worker, entry, view);
}

uint64_t walk_dict_record(const struct walk *walk, const struct object_view *view,
                          bool is_tracked)
{
    bool is_split;
    uint64_t table = object_dict_table(&walk->layout.object, view, &is_split);

    if (is_static(walk, table) || table >= RADDR_END)
        table = 0;
    return edge_pack(table, 0,
                     (is_split ? RECORD_IS_SPLIT : 0u) |
                         (is_tracked ? RECORD_IS_TRACKED : 0u));
}

void walk_far_dict(struct walk_worker *worker, const struct object_view *view,
                   uint64_t chunk_bytes, bool is_tracked)
{
    struct far_dict dict = {
        view->address, walk_dict_record(worker->walk, view, is_tracked), chunk_bytes};

    if (!walk_stretch_dict(worker->walk, dict.address, chunk_bytes, dict.record))
        EDGES_ADD(&worker->edges, far_dicts, dict);
}

/* The commonest are sized, and have their parts found, with a few instructions. */
static void far_size(struct walk_worker *worker, struct type_entry *entry,
                     const struct object_view *view, struct tally *tally)
{
    const struct object_layout *layout = &worker->walk->layout.object;
    struct size_more more[SIZE_MORE_MAX];

    if (entry->size_is_constant) {
        tally->size_bytes += entry->constant_size;
        return;
    }
    tally->size_bytes += object_size(layout, &entry->shape, view, more);
    if (!entry->is_plain_dict)
        walk_more(worker, entry, more);
}

static void far_parts(struct walk_worker *worker, const struct type_entry *entry,
                      const struct object_view *view)
{
    uint64_t values, dict;

    if (!entry->is_just_managed) {
        walk_parts(worker, entry, view);
        return;
    }
    object_managed(&worker->walk->layout.object, view->bytes, &values, &dict);
    if (values)
        walk_part(worker, entry, values, 0, EDGE_PART);
    if (dict)
        walk_part(worker, entry, dict, 0, EDGE_DICT);
}

void walk_count_far(struct walk *walk, struct type_entry *entry,
                    const struct object_view *view, bool is_tracked, uint64_t bytes)
{
    struct walk_worker *worker = &walk->workers[0];
    const struct object_layout *layout = &walk->layout.object;
    struct tally *tally = tally_of(worker, entry);
    uint64_t quick;

    if (walk->visit) {
        walk->visit(walk->visit_with,
                    &(struct met_object){entry, *view, bytes, is_tracked, true});
        return;
    }
    tally->count++;
    tally->tracked += is_tracked;
    tally->immortal += (u64_at(view->bytes, 0) & layout->refcnt_immortal) != 0;
    if (entry->shape.rule == OBJECT_STR)
        tally->interned += object_str_is_interned(layout, view);
    tally->memory_bytes += bytes;
    tally->malloc_bytes += bytes;
    quick = quick_object(layout, entry, view);
    tally->size_bytes += quick;
    if (!quick)
        far_size(worker, entry, view, tally);
    if (entry->is_plain_dict) {
        worker->plain_dict = entry;
        walk_far_dict(worker, view, bytes, is_tracked);
    } else if (entry->shape.has_parts && !quick) {
        far_parts(worker, entry, view);
    }
    if (entry->may_learn)
        walk_learn_sample(worker, entry, view->address);
    if (entry->shape.rule == OBJECT_TYPE)
        walk_count_class(walk, entry, view->address);
}
