#include <stdlib.h>
#include <string.h>

#include "layout/dict_keys.h"
#include "source/objects_charge.h"
#include "source/objects_walk.h"

/*
 * When all blocks are known, edges are followed: first those that say whose a dict is,
 * then what dicts have, then everything else. A block is charged to whoever claims it
 * first; a second claim means that something moved while it was read.
 */
#define LINKS_PER_READ  256
#define FAR_TABLES_MOST 2048 /* that wait until so many are charged at once */
#define DICTS_PER_PIECE 4096
#define MOVED_MOST      65536 /* blocks of a chain that a whole walk may lack */

static struct type_entry *plain_dict(const struct walk *walk)
{
    for (size_t i = 0; i < walk->types.n_entries; i++) {
        if (walk->types.entries[i]->is_plain_dict)
            return walk->types.entries[i];
    }
    return NULL;
}

/* ---- whose dict ---- */

void walk_dict_take(struct walk_worker *worker, const struct type_entry *dict,
                    uint32_t owner, uint64_t record, uint64_t block_bytes, bool is_malloc)
{
    struct tally *from = tally_of(worker, dict), *to;
    uint64_t size = dict->shape.prefix + dict->shape.basicsize;
    uint64_t is_tracked = (edge_flags(record) & RECORD_IS_TRACKED) != 0;

    from->count--;
    from->tracked -= is_tracked;
    from->size_bytes -= size;
    from->memory_bytes -= block_bytes;
    from->malloc_bytes -= is_malloc ? block_bytes : 0;
    to = tally_at(worker, owner);
    to->dict_count++;
    to->dict_tracked += is_tracked;
    to->dict_size_bytes += size;
    to->dict_memory_bytes += block_bytes;
    to->dict_malloc_bytes += is_malloc ? block_bytes : 0;
}

/* True when the record had no owner yet. */
static bool record_set_owner(uint64_t *record, uint32_t owner)
{
    uint64_t was = __atomic_load_n(record, __ATOMIC_RELAXED);

    do {
        if (edge_owner(was))
            return false;
    } while (!__atomic_compare_exchange_n(record, &was, edge_with_owner(was, owner), true,
                                          __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    return true;
}

static void near_dict_owner(struct walk_worker *worker, const struct type_entry *dict,
                            uint64_t address, const struct type_entry *owner)
{
    struct walk *walk = worker->walk;
    struct noted_block block;
    struct edges *edges;
    uint64_t record;

    if (!arena_notes_find(&walk->notes, address, &block))
        return;
    record = noted_dict(&block);
    edges = &walk->workers[block.arena->worker].edges;
    if (record >= edges->dicts.count ||
        !record_set_owner(word_list_at(&edges->dicts, record), owner->id))
        return;
    walk_dict_take(worker, dict, owner->id, *word_list_at(&edges->dicts, record),
                   block.pool->block_bytes, false);
}

static int far_dict_compare(const void *left, const void *right)
{
    const struct far_dict *a = left, *b = right;

    return (a->address > b->address) - (a->address < b->address);
}

static void far_dict_owner(struct walk *walk, const struct type_entry *dict,
                           uint64_t address, const struct type_entry *owner)
{
    struct edges *edges = &walk->workers[0].edges;
    struct far_dict key = {address, 0, 0};
    uint64_t bytes, *record = walk_stretches_dict(walk, address, &bytes);
    struct far_dict *found = !record && edges->n_far_dicts
                                 ? bsearch(&key, edges->far_dicts, edges->n_far_dicts,
                                           sizeof(key), far_dict_compare)
                                 : NULL;

    if (found) {
        record = &found->record;
        bytes = found->bytes;
    }
    if (record && record_set_owner(record, owner->id))
        walk_dict_take(&walk->workers[0], dict, owner->id, *record, bytes, true);
}

/* The next piece of all workers' edges into other arenas; false when none is left. */
static bool near_take(struct walk *walk, const uint64_t **words, size_t *count)
{
    size_t number = owners_take(walk);

    for (size_t w = 0; w < walk->n_workers; w++) {
        const struct edges *edges = &walk->workers[w].edges;

        if (edges_near_piece(edges, number, words, count))
            return true;
        number -= edges_near_pieces(edges);
    }
    return false;
}

static void owners_of_near_dicts(struct walk_worker *worker, void *with)
{
    const struct type_entry *dict = with;
    const uint64_t *words;
    size_t count;

    while (dict && near_take(worker->walk, &words, &count))
        for (size_t i = 0; i < count; i++)
            if (edge_flags(words[i]) == EDGE_DICT)
                near_dict_owner(worker, dict, edge_address(words[i]),
                                entry_of(worker->walk, edge_owner(words[i])));
}

/* What one worker knows of owners in chunks, and in arenas. */
static void far_dict_owners(struct walk *walk, const struct type_entry *dict,
                            const struct edges *edges)
{
    const uint64_t *words;
    size_t count;

    for (size_t i = 0; i < edges->n_far; i++)
        if (edges->far[i].what == EDGE_DICT)
            far_dict_owner(walk, dict, edges->far[i].address,
                           entry_of(walk, edges->far[i].owner));
    for (size_t i = 0; i < edges->n_runs; i++) {
        struct pack_reader reader = pack_read_far(&edges->runs[i].pack);

        while (pack_next_far(&reader))
            if (reader.edge.what == EDGE_DICT)
                far_dict_owner(walk, dict, reader.edge.address,
                               entry_of(walk, reader.edge.owner));
    }
    for (size_t n = 0; edges_near_piece(edges, n, &words, &count); n++)
        for (size_t i = 0; i < count; i++)
            if (edge_flags(words[i]) == EDGE_DICT)
                far_dict_owner(walk, dict, edge_address(words[i]),
                               entry_of(walk, edge_owner(words[i])));
}

static void owners_of_far_dicts(struct walk *walk, const struct type_entry *dict)
{
    struct edges *own = &walk->workers[0].edges;

    if (!dict || (!own->n_far_dicts && !walk_stretches_count_dicts(walk)))
        return;
    if (own->n_far_dicts)
        qsort(own->far_dicts, own->n_far_dicts, sizeof(*own->far_dicts),
              far_dict_compare);
    for (size_t w = 0; w < walk->n_workers; w++)
        far_dict_owners(walk, dict, &walk->workers[w].edges);
}

/* ---- parts in arenas ---- */

void charge_keys(struct walk_worker *worker, const struct charge *charge,
                 uint64_t address, uint64_t size)
{
    struct size_more more = {MORE_KEYS, address, 0};

    if (size)
        charge_size(worker, charge, size);
    else
        walk_later(worker, charge->entry, charge->is_dict_of, &more);
}

bool charge_near(struct walk_worker *worker, const struct charge *charge,
                 uint64_t address, enum edge_what what)
{
    const struct walk *walk = worker->walk;
    struct noted_block block;

    if (!arena_notes_find(&walk->notes, address, &block))
        return false;
    if (what == EDGE_START && block.offset != walk->layout.pymalloc.debug_prefix_bytes)
        return true;
    if (!noted_is_part(&block) || !noted_claim(&block))
        return true;
    charge_bytes(worker, charge, block.pool->block_bytes, false);
    if (what == EDGE_SIZED)
        charge_size(worker, charge, walk_sized_room(walk, block.pool->block_bytes));
    if (what == EDGE_KEYS)
        charge_keys(
            worker, charge, address,
            walk->keys_of_class[block.pool->block_bytes / PYMALLOC_ALIGNMENT - 1]);
    return true;
}

static void parts_near(struct walk_worker *worker, void *with)
{
    const uint64_t *words;
    size_t count;

    (void)with;
    while (near_take(worker->walk, &words, &count)) {
        for (size_t i = 0; i < count; i++) {
            struct charge charge = {entry_of(worker->walk, edge_owner(words[i])), false};

            if (edge_flags(words[i]) != EDGE_DICT && charge.entry)
                charge_near(worker, &charge, edge_address(words[i]),
                            (enum edge_what)edge_flags(words[i]));
        }
    }
    walk_later_flush(worker);
}

/* ---- what dicts have ---- */

/*
 * dictobject.c _PyDict_SizeOf: a dict with values counts one word for each that its keys
 * have room for. 3.8 - 3.10: the block tells how many. Later: the keys that the
 * instances of a class share.
 */
static void charge_values_size(struct walk_worker *worker, const struct charge *charge,
                               uint64_t room)
{
    const struct object_layout *layout = &worker->walk->layout.object;
    struct size_more more = {MORE_VALUES, charge->entry->cached_keys, 0};

    if (!layout->keys_is_log2)
        charge_size(worker, charge, dict_values_of_room(layout, room));
    else if (more.address)
        walk_later(worker, charge->entry, charge->is_dict_of, &more);
}

static void dict_far_table(struct walk_worker *worker, const struct charge *charge,
                           uint64_t address, bool is_split)
{
    struct far_edge edge =
        far_edge_of(address, charge->entry->id, is_split ? EDGE_PART : EDGE_KEYS);

    edge.is_dict_of = charge->is_dict_of;
    edge.is_split = is_split;
    if (address >= 4096)
        EDGES_ADD(&worker->edges, far, edge);
}

/* A table that was claimed already: of so many bytes, of which the size is known. */
static void charge_claimed(struct walk_worker *worker, const struct charge *charge,
                           uint64_t bytes, bool is_split, bool is_malloc)
{
    const struct walk *walk = worker->walk;
    uint32_t overhead = walk->layout.pymalloc.debug_prefix_bytes ? OBJECT_DEBUG_BYTES : 0;

    charge_bytes(worker, charge, bytes, is_malloc);
    if (is_split)
        charge_values_size(worker, charge,
                           is_malloc ? walk_chunk_room(walk, bytes) : bytes - overhead);
    else
        charge_size(worker, charge,
                    is_malloc ? walk_keys_of_chunk(walk, bytes)
                              : walk->keys_of_class[bytes / PYMALLOC_ALIGNMENT - 1]);
}

/* `dict` is charged when it is nobody's. is_malloc: it is in a chunk. */
static void dict_parts(struct walk_worker *worker, struct type_entry *dict,
                       uint64_t record, bool is_malloc)
{
    const struct walk *walk = worker->walk;
    struct type_entry *owner = entry_of(walk, edge_owner(record));
    struct charge charge = {owner ? owner : dict, owner != NULL};
    uint64_t address = edge_address(record);
    bool is_split = edge_flags(record) & RECORD_IS_SPLIT;
    struct noted_block block;

    if (!address)
        return;
    if (edge_flags(record) & RECORD_IS_CLAIMED) {
        charge_claimed(worker, &charge, address, is_split, is_malloc);
        return;
    }
    if (!charge_near(worker, &charge, address, is_split ? EDGE_PART : EDGE_KEYS)) {
        if (is_split && walk->layout.object.keys_is_log2)
            charge_values_size(worker, &charge, 0);
        dict_far_table(worker, &charge, address, is_split);
    } else if (is_split && arena_notes_find(&walk->notes, address, &block)) {
        charge_values_size(worker, &charge,
                           block.pool->block_bytes - dict->shape.overhead);
    }
}

/* *first: the far edges from there on are tables that wait to be charged. */
static void dict_settle(struct walk_worker *worker, size_t *first)
{
    if (worker->edges.n_far - *first < FAR_TABLES_MOST)
        return;
    walk_far_settle(worker, *first);
    *first = worker->edges.n_far;
}

/* Dicts in chunks: the first worker's. */
static void parts_of_far_dicts(struct walk_worker *worker, struct type_entry *dict)
{
    const struct edges *edges = &worker->edges;
    size_t first = edges->n_far, count;
    const uint64_t *records;

    for (size_t i = 0; i < edges->n_far_dicts; i++) {
        dict_parts(worker, dict, edges->far_dicts[i].record, true);
        dict_settle(worker, &first);
    }
    for (size_t n = 0;
         worker->index == 0 && walk_stretches_records(worker->walk, n, &records, &count);
         n++)
        for (size_t i = 0; i < count; i++) {
            dict_parts(worker, dict, records[i], true);
            dict_settle(worker, &first);
        }
}

/* The next of all workers' records, `from` the one to that before `to`; NULL: none. */
static const struct word_list *dicts_take(struct walk *walk, size_t *from, size_t *to)
{
    size_t number = owners_take(walk);

    for (size_t w = 0; w < walk->n_workers; w++) {
        const struct word_list *dicts = &walk->workers[w].edges.dicts;
        size_t pieces = (dicts->count + DICTS_PER_PIECE - 1) / DICTS_PER_PIECE;

        if (number < pieces) {
            *from = number * DICTS_PER_PIECE;
            *to = dicts->count - *from < DICTS_PER_PIECE ? dicts->count
                                                         : *from + DICTS_PER_PIECE;
            return dicts;
        }
        number -= pieces;
    }
    return NULL;
}

/* Dicts in arenas, piece by piece, whoever's they are. */
static void parts_of_near_dicts(struct walk_worker *worker, struct type_entry *dict)
{
    size_t first = worker->edges.n_far, from, to;
    const struct word_list *dicts;

    while ((dicts = dicts_take(worker->walk, &from, &to)))
        for (size_t i = from; i < to; i++) {
            dict_parts(worker, dict, *word_list_at(dicts, i), false);
            dict_settle(worker, &first);
        }
}

static void parts_of_dicts(struct walk_worker *worker, void *with)
{
    struct type_entry *dict = with;

    if (dict) {
        parts_of_far_dicts(worker, dict);
        parts_of_near_dicts(worker, dict);
    }
    walk_later_flush(worker);
}

/* ---- chains: blocks that link to each other ---- */

static void charge_anywhere(struct walk *walk, const struct charge *charge,
                            uint64_t address, uint64_t bytes)
{
    struct far_edge edge = far_edge_of(address, charge->entry->id, EDGE_PART);

    edge.units = (uint32_t)(bytes >> EDGE_UNIT_SHIFT);
    if (!charge_near(&walk->workers[0], charge, address, EDGE_PART) && address >= 4096)
        EDGES_ADD(&walk->workers[0].edges, far, edge);
}

/* Charges a block that a chain leads to; false when it was met: it has moved meanwhile,
 * or the chain goes in a circle. A block in an arena says itself whether it is
 * somebody's; others are remembered. */
static bool link_charge(struct walk *walk, const struct charge *charge, uint64_t address,
                        uint64_t bytes)
{
    struct noted_block block;

    if (arena_notes_find(&walk->notes, address, &block)
            ? !noted_is_part(&block)
            : !address_set_add(&walk->owners.links, address))
        return false;
    charge_anywhere(walk, charge, address, bytes);
    return true;
}

/* One link of each of some chains; those that go on are put together at the front. */
static size_t chains_advance(struct walk *walk, struct chain *chains, size_t count)
{
    struct piece pieces[LINKS_PER_READ];
    uint64_t links[LINKS_PER_READ];
    size_t kept = 0;

    for (size_t i = 0; i < count; i++)
        pieces[i] = (struct piece){raddr_of(chains[i].address + chains[i].link_at),
                                   &links[i], sizeof(links[i]), false};
    reader_readv(walk->reader, pieces, count);
    for (size_t i = 0; i < count; i++) {
        struct chain chain = chains[i];
        struct charge charge = {entry_of(walk, chain.owner), false};

        if (!pieces[i].done || !links[i] || links[i] & 7 || !charge.entry)
            continue;
        if (!link_charge(walk, &charge, links[i], chain.bytes)) {
            walk->workers[0].counts.is_cut |=
                chain.left > MOVED_MOST || walk->owners.links.is_full;
            continue;
        }
        chain.address = links[i];
        if (--chain.left)
            chains[kept++] = chain;
    }
    return kept;
}

/* False when all chains of all workers are at their end. */
static bool chains_step(struct walk *walk)
{
    for (size_t w = 0; w < walk->n_workers; w++) {
        struct edges *edges = &walk->workers[w].edges;
        size_t count = edges->n_chains, first, kept;

        if (!count)
            continue;
        first = count > LINKS_PER_READ ? count - LINKS_PER_READ : 0;
        kept = chains_advance(walk, edges->chains + first, count - first);
        edges->n_chains = first + kept;
        return true;
    }
    return false;
}

/* ---- parts of learned parts ---- */

static void charge_linked(struct walk *walk, const struct linked_part *linked,
                          uint64_t address)
{
    struct charge charge = {entry_of(walk, linked->owner), false};
    struct far_edge edge = far_edge_of(address, linked->owner, EDGE_START);

    if (address >= 4096 && address < RADDR_END && !(address & 15))
        charge_noted(&walk->workers[0], &charge, &edge);
}

/* What is looked through for more: all of a part, or a type in its chunk. */
static uint64_t linked_room(struct walk *walk, const struct linked_part *linked)
{
    const struct type_entry *owner = entry_of(walk, linked->owner);

    return linked->link_at == LINK_EVERY && owner && owner->shape.rule == OBJECT_TYPE
               ? owner->shape.basicsize
               : walk_part_room(walk, linked->address);
}

/* The last of them; a link behind its part's end is another's. */
static void linked_settle(struct walk *walk, struct edges *edges)
{
    struct piece pieces[LINKS_PER_READ];
    uint64_t links[LINKS_PER_READ];
    size_t count = edges->n_linked < LINKS_PER_READ ? edges->n_linked : LINKS_PER_READ;
    const struct linked_part *linked = edges->linked + edges->n_linked - count;

    for (size_t i = 0; i < count; i++) {
        uint32_t link_at = linked[i].link_at == LINK_EVERY ? 0 : linked[i].link_at;

        pieces[i] = (struct piece){raddr_of(linked[i].address + link_at), &links[i],
                                   sizeof(links[i]), false};
    }
    reader_readv(walk->reader, pieces, count);
    for (size_t i = 0; i < count; i++) {
        uint64_t room = linked_room(walk, &linked[i]);

        if (linked[i].link_at == LINK_EVERY)
            walk_rest_add(walk, linked[i].address, room, linked[i].owner);
        else if (pieces[i].done && room >= linked[i].link_at + 8u)
            charge_linked(walk, &linked[i], links[i]);
    }
    edges->n_linked -= count;
}

/* False when none is left. */
static bool linked_step(struct walk *walk)
{
    for (size_t w = 0; w < walk->n_workers; w++) {
        if (!walk->workers[w].edges.n_linked)
            continue;
        linked_settle(walk, &walk->workers[w].edges);
        return true;
    }
    return false;
}

/* ---- in this order ---- */

void walk_owners_init(struct walk *walk)
{
    uint32_t overhead = walk->layout.pymalloc.debug_prefix_bytes ? OBJECT_DEBUG_BYTES : 0;

    for (uint32_t class = 0; class < PYMALLOC_SIZE_CLASSES; class ++) {
        uint32_t room = pymalloc_block_bytes(class);

        walk->keys_of_class[class] =
            room <= overhead
                ? 0
                : (uint16_t)dict_keys_of_room(&walk->layout.object, room - overhead, 15);
    }
}

void walk_owners_release(struct walk *walk)
{
    address_set_release(&walk->owners.links);
    memset(&walk->owners, 0, sizeof(walk->owners));
}

void walk_owners_begin(struct walk *walk)
{
    walk_owners_release(walk);
    walk_stretches_sort(walk);
    chunk_notes_sort(&walk->chunk_notes);
}

static size_t count_near(const struct walk *walk)
{
    size_t count = 0;

    for (size_t i = 0; i < walk->n_workers; i++)
        count += edges_count_near(&walk->workers[i].edges);
    return count;
}

static size_t count_far(const struct walk *walk)
{
    size_t count = 0;

    for (size_t i = 0; i < walk->n_workers; i++)
        count += edges_count_far(&walk->workers[i].edges);
    return count;
}

static size_t count_dicts(const struct walk *walk)
{
    size_t count = 0;

    for (size_t i = 0; i < walk->n_workers; i++)
        count += walk->workers[i].edges.dicts.count + walk->workers[i].edges.n_far_dicts;
    return count + walk_stretches_count_dicts(walk);
}

bool walk_owners_step(struct walk *walk)
{
    struct type_entry *dict = plain_dict(walk);

    walk->owners.next = 0;
    switch (walk->owners.phase) {
    case 0:
        walk_parallel_over(walk, count_near(walk), owners_of_near_dicts, dict);
        owners_of_far_dicts(walk, dict);
        break;
    case 1:
        walk_parallel_over(walk, count_dicts(walk), parts_of_dicts, dict);
        break;
    case 2:
        walk_parallel_over(walk, count_near(walk), parts_near, NULL);
        break;
    case 3:
        if (chains_step(walk))
            return true;
        address_set_release(&walk->owners.links);
        break;
    case 4:
        walk_parallel_over(walk, count_far(walk), walk_parts_far, NULL);
        break;
    case OWNERS_LINKED:
        if (linked_step(walk))
            return true;
        break;
    default:
        return false;
    }
    walk->owners.phase++;
    return true;
}
