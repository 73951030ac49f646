#include "source/objects_types.h"

#include <stdlib.h>
#include <string.h>

#include "util/bytes.h"
#include "util/xalloc.h"

#define SLOTS_FIRST      8192
#define SLOTS_MAX        ((size_t)1 << 20)
#define TYPE_BYTES_MAX   1024 /* of any PyHeapTypeObject */
#define METATYPE_STEPS   6
#define BASE_STEPS       32
#define TYPE_NAME_BYTES  256
#define TYPES_PER_READ   256
#define LEARN_LEAST      24  /* smaller instances have no room for a part's address */
#define LEARN_LEAST_DICT 64  /* a dict, or defaultdict, has no such field */
#define LEARN_LEAST_VAR  40  /* tuples and bytes have none */
#define TP_MRO           344 /* PyTypeObject.tp_mro, 3.8 - 3.15 */

void types_init(struct types *types, struct reader *reader,
                const struct object_layout *layout, uint64_t type_type,
                uint32_t debug_prefix_bytes)
{
    memset(types, 0, sizeof(*types));
    types->straight = reader;
    types->pages = reader_pages_new(reader);
    types->reader = types->pages;
    types->layout = layout;
    types->type_type = type_type;
    types->debug_prefix_bytes = debug_prefix_bytes;
    pthread_mutex_init(&types->lock, NULL);
}

/* Ends tables that no thread looks at any more. */
static void tables_free(struct type_table *table)
{
    while (table) {
        struct type_table *older = table->older;

        free(table);
        table = older;
    }
}

void types_forget(struct types *types)
{
    for (size_t i = 0; i < types->n_entries; i++)
        free(types->entries[i]);
    free(types->entries);
    tables_free(types->table);
    types->entries = NULL;
    types->table = NULL;
    types->n_entries = types->entries_capacity = 0;
    types->generation++;
    reader_pages_forget(types->pages);
}

void types_release(struct types *types)
{
    if (!types->pages)
        return;
    types_forget(types);
    reader_close(types->pages);
    types->pages = types->reader = NULL;
    pthread_mutex_destroy(&types->lock);
}

/* A thread that finds the address finds the entry too. */
static void table_put(struct type_table *table, uint64_t address,
                      struct type_entry *entry)
{
    size_t mask = table->n_slots - 1, at = type_hash(address) & mask;

    while (table->slots[at].address && table->slots[at].address != address)
        at = (at + 1) & mask;
    table->n_used += !table->slots[at].address;
    table->slots[at].entry = entry;
    __atomic_store_n(&table->slots[at].address, address, __ATOMIC_RELEASE);
}

/* A fresh table of `n_slots` with the types that live; what was no type is forgotten.
 * The one before stays until the next walk. */
static bool table_rebuild(struct types *types, size_t n_slots)
{
    struct type_table *table =
        calloc(1, sizeof(*table) + n_slots * sizeof(table->slots[0]));

    if (!table)
        return false;
    table->n_slots = n_slots;
    table->older = types->table;
    for (size_t i = 0; i < types->n_entries; i++) {
        if (!types->entries[i]->is_dead)
            table_put(table, types->entries[i]->address, types->entries[i]);
    }
    __atomic_store_n(&types->table, table, __ATOMIC_RELEASE);
    return true;
}

/* Makes room for one more. */
static bool table_reserve(struct types *types)
{
    const struct type_table *table = types->table;

    if (table && table->n_used * 2 < table->n_slots)
        return true;
    if (!table)
        return table_rebuild(types, SLOTS_FIRST);
    if (table->n_slots < SLOTS_MAX)
        return table_rebuild(types, table->n_slots * 2);
    return false;
}

/* Does ob_type lead to PyType_Type in a few steps, each being a subclass of type? */
static bool metatype_is_sane(struct types *types, uint64_t metatype)
{
    const struct object_layout *layout = types->layout;
    uint8_t bytes[256];

    for (int step = 0; step < METATYPE_STEPS; step++) {
        if (metatype == types->type_type)
            return true;
        if (!raddr_may_hold_word(metatype) ||
            reader_read(types->reader, raddr_of(metatype), bytes, sizeof(bytes)))
            return false;
        if (!(u64_at(bytes, layout->tp_flags) & TYPE_FLAG_TYPE))
            return false;
        if (u64_at(bytes, layout->ob_type) == metatype)
            return !types->type_type;
        metatype = u64_at(bytes, layout->ob_type);
    }
    return false;
}

static bool name_is_sane(const char *name)
{
    if (!*name)
        return false;
    for (const char *c = name; *c; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return false;
    }
    return true;
}

/*
 * The name of a static type is C text. A class may have any name, an empty one too, or
 * one with control characters: it is cleaned when it is interned, and cut here when it is
 * long.
 */
static bool type_name(struct types *types, uint64_t address, bool is_heap,
                      char name[TYPE_NAME_BYTES])
{
    if (reader_string(types->reader, raddr_of(address), name, TYPE_NAME_BYTES))
        return is_heap || name_is_sane(name);
    if (!is_heap || reader_read(types->reader, raddr_of(address), name, TYPE_NAME_BYTES))
        return false;
    name[TYPE_NAME_BYTES - 1] = '\0';
    return true;
}

/* What would differ if the memory of a class had become another class. */
static uint64_t type_fingerprint(const struct object_layout *layout, const uint8_t *bytes)
{
    const uint16_t fields[] = {
        layout->ob_type,
        layout->tp_name,
        layout->tp_basicsize,
        layout->tp_itemsize,
        layout->tp_base,
        layout->tp_dict,
        TP_MRO,
        layout->ht_qualname,
    };
    const uint64_t kept = TYPE_FLAG_HAVE_GC | TYPE_FLAG_HEAP | TYPE_FLAG_MANAGED_DICT |
                          TYPE_FLAG_MANAGED_WEAKREF | TYPE_FLAG_INLINE_VALUES;
    uint64_t hash = u64_at(bytes, layout->tp_flags) & kept;

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        hash = (hash ^ u64_at(bytes, fields[i])) * UINT64_C(0x100000001b3);
    return hash;
}

/* Objects may be made of a static type that is never made ready, as elements of lru_cache
 * in 3.8 and 3.9 (_functoolsmodule.c lru_list_elem_type), and what f2py makes of Fortran
 * (fortranobject.c PyFortran_Type): as it was compiled, it has at most the ordinary flag,
 * its metatype is `type`, and it has neither a base nor a dict. */
static bool is_ready(const struct types *types, const uint8_t *bytes)
{
    const struct object_layout *layout = types->layout;
    uint64_t flags = u64_at(bytes, layout->tp_flags);

    if (flags & TYPE_FLAG_READY)
        return true;
    return !(flags & ~TYPE_FLAG_VERSION_TAG) &&
           (!types->type_type || u64_at(bytes, layout->ob_type) == types->type_type) &&
           !u64_at(bytes, layout->tp_base) && !u64_at(bytes, layout->tp_dict);
}

/* Reads the struct of a type, whole; false when it can be none. */
static bool type_read(struct types *types, uint64_t address,
                      uint8_t bytes[TYPE_BYTES_MAX])
{
    const struct object_layout *layout = types->layout;
    uint64_t flags;

    memset(bytes, 0, TYPE_BYTES_MAX);
    if (reader_read(types->reader, raddr_of(address), bytes, layout->type_bytes))
        return false;
    flags = u64_at(bytes, layout->tp_flags);
    if (!is_ready(types, bytes) ||
        !metatype_is_sane(types, u64_at(bytes, layout->ob_type)))
        return false;
    return !(flags & TYPE_FLAG_HEAP) ||
           !reader_read(types->reader, raddr_of(address), bytes, layout->heap_type_bytes);
}

/* What a type has from the types of C that it is or derives from. */
struct ancestry {
    enum object_rule rule;  /* of the first that is known by its name */
    uint64_t own_basicsize; /* of the first: fields of Python's classes come behind */
    uint8_t value_bytes;    /* of a scalar of numpy */
};

/* Sets, deques, generators are known by the name of a type of C among the bases; the name
 * of one has a dot, or it is static. */
static struct ancestry type_ancestry(struct types *types, uint64_t base)
{
    const struct object_layout *layout = types->layout;
    struct ancestry found = {OBJECT_FIXED, 0, 0};
    uint8_t bytes[512];
    char name[64];

    for (int step = 0; step < BASE_STEPS && raddr_may_hold_word(base); step++) {
        if (reader_read(types->reader, raddr_of(base), bytes, layout->type_bytes))
            break;
        if (reader_string(types->reader, raddr_of(u64_at(bytes, layout->tp_name)), name,
                          sizeof(name)) &&
            (!(u64_at(bytes, layout->tp_flags) & TYPE_FLAG_HEAP) || strchr(name, '.'))) {
            if (!found.own_basicsize)
                found.own_basicsize = u64_at(bytes, layout->tp_basicsize);
            found.rule = object_rule_of_name(layout, name);
            found.value_bytes = object_value_of_name(name);
            if (found.rule != OBJECT_FIXED || found.value_bytes)
                break;
        }
        base = u64_at(bytes, layout->tp_base);
    }
    return found;
}

/* May its instances have fields that are known to C only? Those of the commonest types
 * have none. */
static bool type_may_learn(const struct type_entry *entry, uint64_t own_basicsize)
{
    switch (entry->shape.rule) {
    case OBJECT_INT:
    case OBJECT_STR:
    case OBJECT_LIST:
    case OBJECT_TYPE:
        return false;
    case OBJECT_VAR:
        return own_basicsize > LEARN_LEAST_VAR;
    case OBJECT_DICT:
        return own_basicsize > LEARN_LEAST_DICT;
    default:
        return own_basicsize > LEARN_LEAST;
    }
}

static bool type_shape(struct types *types, struct type_entry *entry,
                       const uint8_t *bytes)
{
    const struct object_layout *layout = types->layout;
    uint64_t flags = u64_at(bytes, layout->tp_flags);
    struct ancestry ancestry;
    struct size_more more[SIZE_MORE_MAX];
    const struct object_view nothing = {bytes, 0, 0};

    if (!object_shape_init(&entry->shape, layout, u64_at(bytes, layout->tp_basicsize),
                           u64_at(bytes, layout->tp_itemsize), flags))
        return false;
    ancestry = type_ancestry(types, entry->address);
    entry->shape.is_ctype = ancestry.rule == OBJECT_CTYPE;
    entry->shape.value_bytes = ancestry.value_bytes;
    if (ancestry.rule != OBJECT_FIXED && ancestry.rule != OBJECT_CTYPE)
        entry->shape.rule = ancestry.rule;
    entry->may_learn = type_may_learn(entry, ancestry.own_basicsize);
    if (types->debug_prefix_bytes)
        entry->shape.overhead = OBJECT_DEBUG_BYTES;
    entry->type_at = types->debug_prefix_bytes + entry->shape.prefix + layout->ob_type;
    entry->fits_is_constant = object_fits_is_constant(&entry->shape);
    entry->size_is_constant = object_size_is_constant(&entry->shape);
    entry->constant_size = object_size(layout, &entry->shape, &nothing, more);
    entry->is_heap = flags & TYPE_FLAG_HEAP;
    entry->base = u64_at(bytes, layout->tp_base);
    object_shape_parts(&entry->shape, layout, flags,
                       (int64_t)u64_at(bytes, layout->tp_dictoffset));
    return true;
}

/* Fills the entry from memory; false when there is no type at its address. */
static bool type_fill(struct types *types, struct type_entry *entry)
{
    const struct object_layout *layout = types->layout;
    uint8_t bytes[TYPE_BYTES_MAX];
    char name[TYPE_NAME_BYTES];

    if (!type_read(types, entry->address, bytes) || !type_shape(types, entry, bytes))
        return false;
    if (!type_name(types, u64_at(bytes, layout->tp_name), entry->is_heap, name))
        return false;
    entry->cached_keys = entry->is_heap ? u64_at(bytes, layout->ht_cached_keys) : 0;
    entry->fingerprint = type_fingerprint(layout, bytes);
    entry->kind = type_kind(types, bytes, entry->is_heap, name);
    entry->dict_kind = NULL;
    entry->is_plain_dict =
        entry->shape.rule == OBJECT_DICT && !entry->is_heap && !strcmp(name, "dict");
    entry->is_just_list = entry->shape.rule == OBJECT_LIST && !entry->shape.dict_offset &&
                          !entry->shape.is_managed;
    entry->is_just_managed = entry->shape.rule == OBJECT_FIXED && entry->shape.is_managed;
    return true;
}

/* The same, where pages that were read for others may be older than a class. */
static bool type_examine(struct types *types, struct type_entry *entry)
{
    bool is_good;

    reader_pages_mark(types->pages);
    is_good = type_fill(types, entry);
    if (!is_good && reader_pages_was_older(types->pages)) {
        types->reader = types->straight;
        is_good = type_fill(types, entry);
        types->reader = types->pages;
    }
    return is_good;
}

static bool entries_reserve(struct types *types)
{
    size_t capacity = types->entries_capacity ? types->entries_capacity * 2 : 1024;
    struct type_entry **entries;

    if (types->n_entries < types->entries_capacity)
        return true;
    if (types->n_entries >= TYPES_MAX)
        return false;
    entries = realloc(types->entries, capacity * sizeof(struct type_entry *));
    if (!entries)
        return false;
    types->entries = entries;
    types->entries_capacity = capacity;
    return true;
}

/* An entry for the type at the address, or NULL when there is none. */
static struct type_entry *type_add(struct types *types, uint64_t address)
{
    struct type_entry *entry;

    if (!entries_reserve(types)) {
        types->is_full = true;
        return NULL;
    }
    entry = xcalloc(1, sizeof(*entry));
    entry->address = address;
    entry->id = (uint32_t)types->n_entries + 1;
    if (!type_examine(types, entry)) {
        free(entry);
        return NULL;
    }
    types->entries[types->n_entries++] = entry;
    return entry;
}

static struct type_entry *type_look_at(struct types *types, uint64_t address)
{
    struct type_entry *entry;

    /* Another thread may have been first. */
    for (size_t at = type_hash(address);
         types->table && types->table->slots[at & (types->table->n_slots - 1)].address;
         at++) {
        const struct type_slot *slot =
            &types->table->slots[at & (types->table->n_slots - 1)];

        if (slot->address == address)
            return slot->entry;
    }
    if (!table_reserve(types)) {
        types->is_full = true;
        return NULL;
    }
    entry = type_add(types, address);
    table_put(types->table, address, entry);
    return entry;
}

struct type_entry *types_look_up(struct types *types, uint64_t address)
{
    struct type_entry *entry;

    if (!raddr_may_hold_word(address) ||
        (types->arenas && arena_map_has(types->arenas, address)))
        return NULL;
    pthread_mutex_lock(&types->lock);
    entry = type_look_at(types, address);
    pthread_mutex_unlock(&types->lock);
    return entry;
}

/* Compares classes with what they were; one that changed is examined anew. */
static void types_check_batch(struct types *types, struct type_entry **entries,
                              struct piece *pieces, size_t count)
{
    const struct object_layout *layout = types->layout;

    reader_readv(types->straight, pieces, count);
    for (size_t i = 0; i < count; i++) {
        struct type_entry *entry = entries[i];
        const uint8_t *bytes = pieces[i].buffer;

        if (pieces[i].done && type_fingerprint(layout, bytes) == entry->fingerprint &&
            u64_at(bytes, layout->tp_flags) & TYPE_FLAG_READY) {
            entry->cached_keys = u64_at(bytes, layout->ht_cached_keys);
            continue;
        }
        types->generation++;
        entry->is_dead = !type_examine(types, entry);
    }
}

static void types_check_classes(struct types *types)
{
    size_t bytes_each = types->layout->heap_type_bytes, count = 0;
    struct type_entry **entries = xcalloc(TYPES_PER_READ, sizeof(struct type_entry *));
    struct piece *pieces = xcalloc(TYPES_PER_READ, sizeof(*pieces));
    uint8_t *bytes = xcalloc(TYPES_PER_READ, bytes_each);

    for (size_t i = 0; i <= types->n_entries; i++) {
        if (count == TYPES_PER_READ || (i == types->n_entries && count)) {
            types_check_batch(types, entries, pieces, count);
            count = 0;
        }
        if (i == types->n_entries || !types->entries[i]->is_heap ||
            types->entries[i]->is_dead)
            continue;
        entries[count] = types->entries[i];
        pieces[count] = (struct piece){raddr_of(types->entries[i]->address),
                                       bytes + count * bytes_each, bytes_each, false};
        count++;
    }
    free(bytes);
    free(pieces);
    free(entries);
}

/* Dead entries leave; nobody points at entries between two walks. */
static void types_sweep(struct types *types)
{
    size_t kept = 0;

    for (size_t i = 0; i < types->n_entries; i++) {
        struct type_entry *entry = types->entries[i];

        if (entry->is_dead) {
            free(entry);
            continue;
        }
        types->entries[kept++] = entry;
        entry->id = (uint32_t)kept;
    }
    types->n_entries = kept;
}

void types_begin_walk(struct types *types)
{
    struct type_table *table = types->table;

    types->is_full = false;
    reader_pages_forget(types->pages);
    types_check_classes(types);
    types_sweep(types);
    types->table = NULL;
    table_rebuild(types, table ? table->n_slots : SLOTS_FIRST);
    tables_free(table);
}
