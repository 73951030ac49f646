/*
 * objects_types.h - which addresses are types, and what their instances are like.
 *
 * Found lazily: an address that stands where an object's type would be is
 * looked at once (PyTypeObject read and checked up to PyType_Type), and the
 * answer, yes or no, is kept. A class can die and its memory become another
 * one, so heap types are looked at again before each walk.
 *
 * Belongs to one walk. Entries stay where they are, and keep their number, until the
 * next walk begins; types_get() may be called by the walk's threads at once.
 */
#ifndef HEAPTOP_SOURCE_OBJECTS_TYPES_H
#define HEAPTOP_SOURCE_OBJECTS_TYPES_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "heaptop/snapshot.h"
#include "layout/object_layout.h"
#include "layout/object_parts.h"
#include "layout/object_size.h"
#include "source/objects_map.h"
#include "target/reader.h"

#define TYPES_MAX 200000

struct type_entry {
    uint64_t address;
    uint32_t id; /* 1 .. TYPES_MAX, of the walk that runs */
    struct object_shape shape;
    uint32_t type_at; /* offset of the type word in an instance's block */
    bool fits_is_constant;
    bool size_is_constant;
    bool is_heap;
    bool is_plain_dict; /* `dict` itself, of which one may be an instance's */
    bool is_just_list, is_just_managed; /* the commonest parts, and no others */
    bool may_learn;                     /* its instances may have fields of C's own */
    bool is_dead; /* no longer a type; kept because others may point here */
    uint64_t constant_size;
    uint64_t cached_keys; /* ht_cached_keys */
    uint64_t fingerprint;
    uint64_t base; /* tp_base */
    const struct kind *kind;
    const struct kind *dict_kind; /* of its instances' dicts; NULL until there is one */
};

struct type_slot {
    uint64_t address;         /* 0 = empty */
    struct type_entry *entry; /* NULL = not a type */
};

struct type_table {
    struct type_table *older; /* still looked at by a thread, perhaps */
    size_t n_slots, n_used;
    struct type_slot slots[];
};

struct types {
    struct reader *straight; /* borrowed */
    struct reader *pages;    /* over it: types lie close to each other */
    struct reader *reader;   /* that of the two which reads the type under way */
    const struct object_layout *layout;
    uint64_t type_type; /* &PyType_Type */
    uint32_t debug_prefix_bytes;
    const struct arena_map *arenas; /* types are never inside an arena; may be NULL */
    struct type_table *table;       /* atomic */
    pthread_mutex_t lock;           /* of everything else */
    struct type_entry **entries;
    size_t n_entries, entries_capacity;
    uint64_t module_keys[8]; /* addresses of str objects that read "__module__" */
    size_t n_module_keys;
    uint64_t generation; /* changes when numbers of types do, or what they mean */
    bool is_full;        /* a bound was hit: some types are missing */
};

void types_init(struct types *types, struct reader *reader,
                const struct object_layout *layout, uint64_t type_type,
                uint32_t debug_prefix_bytes);
void types_release(struct types *types);
/* As if no type had ever been met. */
void types_forget(struct types *types);

/* Before a walk, with one thread: forget what was no type, look at classes again. */
void types_begin_walk(struct types *types);

/* The type at the address, or NULL when there is none. Looks at memory when the
 * address is new. */
struct type_entry *types_look_up(struct types *types, uint64_t address);

static inline size_t type_hash(uint64_t address)
{
    return (size_t)((address >> 3) * UINT64_C(0x9e3779b97f4a7c15) >> 24);
}

/* As types_look_up, for the hot path. */
static inline struct type_entry *types_get(struct types *types, uint64_t address)
{
    const struct type_table *table = __atomic_load_n(&types->table, __ATOMIC_ACQUIRE);
    size_t mask = table ? table->n_slots - 1 : 0, at = type_hash(address) & mask;
    uint64_t found;

    while (table &&
           (found = __atomic_load_n(&table->slots[at].address, __ATOMIC_ACQUIRE))) {
        if (found == address)
            return table->slots[at].entry;
        at = (at + 1) & mask;
    }
    return types_look_up(types, address);
}

/* The kind of a type whose struct has been read (type_bytes, or heap_type_bytes for
 * classes). Always gives one. In objects_names.c. */
const struct kind *type_kind(struct types *types, const uint8_t *bytes, bool is_heap,
                             const char *tp_name);

/* A str object of the target as UTF-8, raw: not yet clean. False when it is none.
 * `size` > 4. In objects_names.c. */
bool remote_str(struct reader *reader, const struct object_layout *layout,
                uint64_t address, char *text, size_t size);

#endif
