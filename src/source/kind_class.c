#include "source/kind_class.h"

#include <string.h>

#include "layout/malloc_layout.h"
#include "util/bytes.h"

#define BASES_MAX       64
#define NAME_BYTES      64
#define NAMES_MAX       65536 /* attributes of a class: more is not believed */
#define WORD_BYTES      8
#define ATTRIBUTE_BYTES 8

/* A type as it is needed here. */
struct class_facts {
    uint64_t address, base, flags, basicsize, itemsize, cached_keys;
    int64_t dict_offset, weaklist_offset;
    bool is_made_in_python;
};

static bool class_read(struct measure *measure, uint64_t address,
                       struct class_facts *facts)
{
    const struct object_layout *layout = &measure->walk->layout.object;
    struct reader *reader = measure->walk->reader;
    uint8_t bytes[1024];
    char name[NAME_BYTES];
    size_t length = layout->type_bytes;

    if (address < 4096 || address >= RADDR_END ||
        reader_read(reader, raddr_of(address), bytes, length))
        return false;
    *facts = (struct class_facts){
        .address = address,
        .base = u64_at(bytes, layout->tp_base),
        .flags = u64_at(bytes, layout->tp_flags),
        .basicsize = u64_at(bytes, layout->tp_basicsize),
        .itemsize = u64_at(bytes, layout->tp_itemsize),
        .dict_offset = (int64_t)u64_at(bytes, layout->tp_dictoffset),
        .weaklist_offset = (int64_t)u64_at(bytes, layout->tp_weaklistoffset),
    };
    /* Classes that C makes have their module in tp_name. */
    facts->is_made_in_python =
        facts->flags & TYPE_FLAG_HEAP &&
        reader_string(reader, raddr_of(u64_at(bytes, layout->tp_name)), name,
                      sizeof(name)) &&
        !strchr(name, '.');
    if (facts->is_made_in_python)
        reader_u64(reader, raddr_of(address + layout->ht_cached_keys),
                   &facts->cached_keys);
    return true;
}

static bool has_dict(const struct class_facts *facts)
{
    return facts->dict_offset || facts->flags & TYPE_FLAG_MANAGED_DICT;
}

/* typeobject.c: what dict and __weakref__ take of tp_basicsize. */
static uint64_t pointers_in_body(const struct class_facts *facts)
{
    bool dict_in_body =
        facts->dict_offset > 0 && !(facts->flags & TYPE_FLAG_MANAGED_DICT);

    return (dict_in_body ? WORD_BYTES : 0u) +
           (facts->weaklist_offset > 0 ? WORD_BYTES : 0u);
}

static uint64_t body_bytes(const struct class_facts *facts)
{
    uint64_t pointers = pointers_in_body(facts);

    return facts->basicsize > pointers ? facts->basicsize - pointers : facts->basicsize;
}

/* The first base that was not made in Python; false when the chain makes no sense. */
static bool builtin_base(struct measure *measure, const struct class_facts *class,
                         struct class_facts *base)
{
    *base = *class;
    for (int i = 0; i < BASES_MAX; i++) {
        if (!base->is_made_in_python)
            return true;
        if (!class_read(measure, base->base, base))
            return false;
    }
    return false;
}

static uint64_t shared_names(struct measure *measure, uint64_t keys)
{
    const struct object_layout *layout = &measure->walk->layout.object;
    uint64_t names = 0;

    if (!keys || !reader_u64(measure->walk->reader,
                             raddr_of(keys + layout->keys_nentries), &names))
        return 0;
    return names <= NAMES_MAX ? names : 0;
}

static enum detail_storage storage_of(const struct object_layout *layout,
                                      const struct class_facts *facts)
{
    if (!has_dict(facts))
        return STORAGE_SLOTS;
    if (facts->flags & TYPE_FLAG_INLINE_VALUES && layout->minor >= 13)
        return STORAGE_INLINE;
    /* 3.11 and 3.12: managed dicts begin as values. */
    if (facts->flags & TYPE_FLAG_MANAGED_DICT &&
        (layout->minor == 11 || layout->minor == 12) && facts->cached_keys)
        return STORAGE_VALUES;
    return STORAGE_DICT;
}

static void class_begin(struct kind_class *class, struct measure *measure,
                        struct detail_class *detail, uint64_t type)
{
    struct class_facts facts, base;

    class->type = type;
    if (!class_read(measure, type, &facts) || !facts.is_made_in_python ||
        !builtin_base(measure, &facts, &base))
        return;
    detail->storage = storage_of(&measure->walk->layout.object, &facts);
    detail->has_slots = has_dict(&facts) && body_bytes(&facts) > body_bytes(&base);
    class->names = shared_names(measure, facts.cached_keys);
    class->fixed_bytes = body_bytes(&facts);
    /* A base in C with a dict keeps it, and one of varying size has no place for slots.
     */
    class->can_have_slots = has_dict(&facts) && !has_dict(&base) && !facts.itemsize;
}

void kind_class_add(struct kind_class *class, struct measure *measure,
                    struct kind_detail *detail, const struct met_object *met,
                    const struct met_object *dict, uint64_t dict_bytes)
{
    uint64_t items;

    if (!class->type)
        class_begin(class, measure, &detail->class, met->entry->address);
    class->has_more |= class->type != met->entry->address;
    if (!dict) {
        class->no_dict++;
        return;
    }
    detail->class.dicts++;
    detail->class.dict_bytes += dict_bytes;
    items = u64_at(dict->view.bytes, measure->walk->layout.object.dict_used);
    if (items <= NAMES_MAX && items > class->most_items)
        class->most_items = items;
}

/* What an allocator gives for so much. */
static uint64_t allocated_bytes(const struct walk *walk, uint64_t bytes)
{
    if (walk->method == WALK_BY_ARENAS && bytes <= PYMALLOC_BLOCK_MAX)
        return (bytes + 15) & ~UINT64_C(15);
    return (bytes + CHUNK_OVERHEAD + 15) & ~UINT64_C(15);
}

void kind_class_end(const struct kind_class *class, const struct walk *walk,
                    struct kind_detail *detail)
{
    struct detail_class *into = &detail->class;
    bool has_pymalloc_hooks = walk->layout.pymalloc.debug_prefix_bytes;

    into->saves_bytes = reading_unknown();
    if (into->storage == STORAGE_OTHER)
        return;
    into->attributes = class->most_items;
    if (class->no_dict && class->names > into->attributes)
        into->attributes = class->names;
    if (!class->can_have_slots || class->has_more)
        return;
    into->slotted_bytes = allocated_bytes(
        walk, GC_HEAD_BYTES + class->fixed_bytes + into->attributes * ATTRIBUTE_BYTES +
                  (has_pymalloc_hooks ? OBJECT_DEBUG_BYTES : 0u));
    into->saves_bytes =
        (struct reading){(int64_t)(detail->memory_bytes + into->dict_bytes) -
                             (int64_t)(detail->count * into->slotted_bytes),
                         READING_ESTIMATE};
}
