#include "source/pins_blocks.h"

#include <stdlib.h>
#include <string.h>

#include "model/kind.h"
#include "source/malloc_caches.h"
#include "util/bytes.h"

#define POOL_READS_MAX 8
#define CLAIMS_MAX     (PIN_BLOCKS_MAX * 4)
#define ROWS_MAX       4096

static const char elsewhere[] = "(parts of objects elsewhere)";
static const char free_lists[] = "(free lists)";
static const char no_owner[] = "dict (no owner)";

bool pins_blocks_begin(struct pins_blocks *pins)
{
    pins->next = pins->count = pins->n_claims = 0;
    pins->is_full = false;
    if (!pins->bytes)
        pins->bytes = malloc(pins->walk->layout.pymalloc.pool_bytes);
    free(pins->pinned);
    free(pins->first);
    pins->pinned = calloc(pins->walk->table.count + 1, sizeof(*pins->pinned));
    pins->first = calloc(pins->arenas->count + 1, sizeof(*pins->first));
    for (size_t i = 0; pins->pinned && i < pins->arenas->count; i++)
        pins->pinned[pins->arenas->arenas[i].row - pins->walk->table.rows] =
            (uint32_t)i + 1;
    return pins->bytes && pins->pinned && pins->first;
}

void pins_blocks_release(struct pins_blocks *pins)
{
    free(pins->bytes);
    free(pins->pinned);
    free(pins->first);
    free(pins->blocks);
    free(pins->claims);
    memset(pins, 0, sizeof(*pins));
}

static void *room(struct pins_blocks *pins, void *items, size_t count, size_t *capacity,
                  size_t size, size_t most)
{
    size_t wanted = *capacity ? *capacity * 2 : 4096;
    void *grown;

    if (count < *capacity)
        return items;
    grown = wanted <= most * 2 ? reallocarray(items, wanted, size) : NULL;
    pins->is_full |= !grown;
    if (!grown)
        return items;
    *capacity = wanted;
    return grown;
}

static void add_block(struct pins_blocks *pins, const struct pin_block *block)
{
    pins->blocks = room(pins, pins->blocks, pins->count, &pins->capacity,
                        sizeof(*pins->blocks), PIN_BLOCKS_MAX);
    if (pins->count < pins->capacity)
        pins->blocks[pins->count++] = *block;
}

static void add_claim(struct pins_blocks *pins, uint64_t address,
                      struct type_entry *entry, uint64_t dict, bool is_dict_of)
{
    int64_t row = arena_map_row(&pins->walk->map, address);

    if (row < 0 || !pins->pinned[row])
        return;
    pins->claims = room(pins, pins->claims, pins->n_claims, &pins->claims_capacity,
                        sizeof(*pins->claims), CLAIMS_MAX);
    if (pins->n_claims < pins->claims_capacity)
        pins->claims[pins->n_claims++] =
            (struct pin_claim){address, entry, dict, is_dict_of};
}

/* ---- blocks ---- */

static uint8_t age_of(struct pins_blocks *pins, const struct type_entry *entry,
                      const struct object_view *view)
{
    if (!entry->shape.has_gc_head || !u64_at(view->bytes - GC_HEAD_BYTES, 0))
        return PIN_UNTRACKED;
    if (pins->young && chunk_set_has(pins->young, view->address - GC_HEAD_BYTES))
        return PIN_YOUNG;
    return PIN_OLD;
}

/* What the object has elsewhere, as far as it lies in these arenas. */
static void claim_parts(struct pins_blocks *pins, struct type_entry *entry,
                        const struct object_view *view, uint64_t block)
{
    struct walk_worker *worker = &pins->walk->workers[0];
    struct edges *edges = &worker->edges;

    if (entry->is_plain_dict) {
        add_claim(pins, edge_address(walk_dict_record(pins->walk, view, false)), NULL,
                  block, false);
        return;
    }
    if (!entry->shape.has_parts)
        return;
    walk_parts(worker, entry, view);
    for (size_t i = 0; i < edges->near.count; i++) {
        uint64_t edge = *word_list_at(&edges->near, i);

        add_claim(pins, edge_address(edge), entry, 0, edge_flags(edge) == EDGE_DICT);
    }
    edges->near.count = edges->n_far = edges->n_chains = 0;
}

static void look_at_block(struct pins_blocks *pins, const struct pool *pool,
                          const uint8_t *bytes, uint64_t address)
{
    struct pin_arena *arena = &pins->arenas->arenas[pins->next];
    struct pin_block block = {.offset = (uint32_t)(address - arena->row->first_pool),
                              .bytes = (uint16_t)pool->block_bytes,
                              .what = PIN_PART};
    bool is_free_listed;
    struct type_entry *entry =
        walk_block_type(pins->walk, pool->block_bytes, bytes, address, &is_free_listed);
    uint32_t at;

    if (is_free_listed)
        block.what = PIN_FREE_LISTED;
    if (entry) {
        at = pins->walk->layout.pymalloc.debug_prefix_bytes + entry->shape.prefix;
        struct object_view view = {bytes + at, pool->block_bytes - at, address + at};

        block.what = entry->is_plain_dict ? PIN_DICT : PIN_OBJECT;
        block.kind = entry->kind;
        block.age = age_of(pins, entry, &view) & 15u;
        block.head = (uint8_t)at;
        arena->objects++;
        claim_parts(pins, entry, &view, address);
    }
    add_block(pins, &block);
}

static void look_at_blocks(struct pins_blocks *pins, const struct pool *pool,
                           uint64_t address)
{
    const uint8_t *bytes = pins->bytes + POOL_HEADER_BYTES;

    address += POOL_HEADER_BYTES;
    for (uint32_t i = 0; i < pool->n_carved; i++)
        if (!pool->n_free || !(pool->free[i / 64] >> i % 64 & 1))
            look_at_block(pins, pool, bytes + (size_t)i * pool->block_bytes,
                          address + (uint64_t)i * pool->block_bytes);
}

/* A pool that changes while it is read is read again; false when it never holds. */
static bool look_at_pool(struct pins_blocks *pins, const struct arena_row *row,
                         uint64_t address)
{
    struct walk *walk = pins->walk;
    uint32_t pool_bytes = walk->layout.pymalloc.pool_bytes;
    uint64_t absent_bytes = 0;
    struct pool pool;

    for (int i = 0; i < POOL_READS_MAX; i++) {
        if (pagemap_read(&walk->workers[0].pagemap, walk->reader, address, pins->bytes,
                         pool_bytes, &absent_bytes))
            return false;
        switch (pool_read(&pool, pins->bytes, pool_bytes, address, row->index)) {
        case POOL_USED:
            look_at_blocks(pins, &pool, address);
            return true;
        case POOL_EMPTY:
        case POOL_FOREIGN:
            return true;
        case POOL_TORN:
            pagemap_forget(&walk->workers[0].pagemap);
            break;
        }
    }
    return false;
}

bool pins_blocks_step(struct pins_blocks *pins)
{
    uint32_t pool_bytes = pins->walk->layout.pymalloc.pool_bytes;
    struct pin_arena *arena = &pins->arenas->arenas[pins->next];

    if (pins->next >= pins->arenas->count ||
        pins->count + arena->blocks > PIN_BLOCKS_MAX || pins->is_full)
        return false;
    pagemap_forget(&pins->walk->workers[0].pagemap);
    for (uint64_t at = arena->row->first_pool; at < arena->row->pool_high;
         at += pool_bytes)
        if (!look_at_pool(pins, arena->row, at))
            arena->is_torn = true;
    pins->first[++pins->next] = pins->count;
    return true;
}

/* ---- owners ---- */

/* The block that the address lies in, or NULL. */
static struct pin_block *block_at(const struct pins_blocks *pins, uint64_t address)
{
    int64_t row = arena_map_row(&pins->walk->map, address);
    uint32_t number = row < 0 ? 0 : pins->pinned[row];
    uint64_t offset;
    size_t low, high, first;

    if (!number || number > pins->next)
        return NULL;
    offset = address - pins->arenas->arenas[number - 1].row->first_pool;
    low = first = pins->first[number - 1];
    high = pins->first[number];
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (pins->blocks[middle].offset <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == first ||
        offset - pins->blocks[low - 1].offset >= pins->blocks[low - 1].bytes)
        return NULL;
    return &pins->blocks[low - 1];
}

/* Dead floats and tables of keys on free lists look like parts. */
static void settle_free_listed(void *context, uint64_t address)
{
    struct pin_block *block = block_at(context, address);

    if (block && block->what == PIN_PART && !block->kind)
        block->what = PIN_FREE_LISTED;
}

/* First whose the dicts are, then whose everything else is. */
static void settle_claims(struct pins_blocks *pins)
{
    for (size_t i = 0; i < pins->n_claims; i++) {
        const struct pin_claim *claim = &pins->claims[i];
        struct pin_block *block =
            claim->is_dict_of ? block_at(pins, claim->address) : NULL;

        if (block && block->what == PIN_DICT)
            block->kind = walk_dict_kind(claim->entry);
    }
    for (size_t i = 0; i < pins->n_claims; i++) {
        const struct pin_claim *claim = &pins->claims[i];
        struct pin_block *block =
            claim->is_dict_of ? NULL : block_at(pins, claim->address);
        const struct pin_block *dict = claim->entry ? NULL : block_at(pins, claim->dict);

        if (block && block->what == PIN_PART)
            block->kind = claim->entry ? claim->entry->kind : dict ? dict->kind : NULL;
    }
}

/* ---- rows ---- */

struct row_mark {
    uint32_t arena; /* 1 + the one that was counted last */
};

struct rows {
    struct pin_row *rows;
    struct row_mark *marks;
    uint32_t *by_kind; /* 1 + the row, by the kind's id */
    size_t count, capacity;
    size_t n_kinds;       /* in the arena that is counted */
    struct pin_row *last; /* one of these */
};

static struct pin_row *row_of(struct rows *rows, const struct kind *kind)
{
    uint32_t *at = &rows->by_kind[kind->id % (KINDS_MAX + 1)];

    if (!*at && rows->count < rows->capacity) {
        rows->rows[rows->count++].kind = kind;
        *at = (uint32_t)rows->count;
    }
    return *at ? &rows->rows[*at - 1] : NULL;
}

const struct kind *pins_blocks_kind(const struct pin_block *block)
{
    if (block->what == PIN_FREE_LISTED)
        return kind_intern(free_lists, sizeof(free_lists) - 1);
    if (block->kind)
        return block->kind;
    return kind_intern(elsewhere, sizeof(elsewhere) - 1);
}

static void count_block(struct rows *rows, const struct pin_block *block, uint32_t arena,
                        bool is_cheap)
{
    bool is_object = block->what == PIN_OBJECT || block->what == PIN_DICT;
    struct pin_row *row = row_of(rows, pins_blocks_kind(block));
    struct row_mark *mark;

    if (!row)
        return;
    mark = &rows->marks[row - rows->rows];
    row->objects += is_object;
    row->cheap += is_object && is_cheap;
    row->parts += !is_object;
    row->bytes += block->bytes;
    row->young += is_object && block->age == PIN_YOUNG;
    row->old += is_object && block->age == PIN_OLD;
    row->untracked += is_object && block->age == PIN_UNTRACKED;
    if (mark->arena == arena + 1)
        return;
    mark->arena = arena + 1;
    row->arenas++;
    rows->n_kinds++;
    rows->last = row;
}

static void count_arena(struct pins_blocks *pins, struct rows *rows, uint32_t number)
{
    const struct pin_arena *arena = &pins->arenas->arenas[number];
    bool is_cheap = pin_arena_is_cheap(pins->arenas, arena);

    rows->n_kinds = 0;
    for (size_t i = pins->first[number]; i < pins->first[number + 1]; i++)
        count_block(rows, &pins->blocks[i], number, is_cheap);
    if (rows->n_kinds == 1) {
        rows->last->alone++;
        rows->last->return_bytes += arena->resident_bytes;
    }
}

static void count_blocks(struct pins_blocks *pins, struct rows *rows)
{
    const struct kind *dict = kind_intern(no_owner, sizeof(no_owner) - 1);

    for (size_t i = 0; i < pins->count; i++)
        if (pins->blocks[i].what == PIN_DICT)
            pins->blocks[i].kind = dict;
    settle_claims(pins);
    walk_disguised_blocks(pins->walk, settle_free_listed, pins);
    for (size_t i = 0; i < pins->next; i++)
        count_arena(pins, rows, (uint32_t)i);
}

struct pin_row *pins_blocks_rows(struct pins_blocks *pins, size_t *count)
{
    struct rows rows = {
        .rows = calloc(ROWS_MAX, sizeof(*rows.rows)),
        .marks = calloc(ROWS_MAX, sizeof(*rows.marks)),
        .by_kind = calloc(KINDS_MAX + 1, sizeof(*rows.by_kind)),
        .capacity = ROWS_MAX,
    };

    *count = 0;
    if (rows.rows && rows.marks && rows.by_kind) {
        count_blocks(pins, &rows);
        *count = rows.count;
    }
    free(rows.marks);
    free(rows.by_kind);
    return rows.rows;
}
