#include "source/references.h"

#include <string.h>

#include "layout/dict_keys.h"
#include "layout/member_layout.h"
#include "layout/object_parts.h"
#include "util/bytes.h"

#define ITEMS_MAX       (UINT64_C(1) << 28) /* of one table */
#define BODY_MAX        4096                /* bytes of an object's own fields */
#define LOOKUP_MAX      512
#define FLOAT_BYTES     24  /* Include/cpython/floatobject.h PyFloatObject */
#define SET_SMALL_BYTES 128 /* setobject.h: smalltable, PySet_MINSIZE entries */
#define VALUES_VALID    3 /* 3.13+ struct _dictvalues: capacity, size, embedded, valid */

/* Copies from the walk's window where it has the address; pages that are not in memory
 * are left alone. */
static bool read_at(struct references *references, uint64_t address, void *buffer,
                    size_t length)
{
    struct walk *walk = references->walk;
    struct walk_worker *worker = &walk->workers[0];
    uint64_t offset = address - worker->window_address, absent_bytes = 0;

    if (offset < worker->window_bytes && worker->window_bytes - offset >= length) {
        memcpy(buffer, worker->window + offset, length);
        return true;
    }
    if (address < 4096 || address >= RADDR_END)
        return false;
    if (length <= 64)
        return !reader_read(walk->reader, raddr_of(address), buffer, length);
    return !pagemap_read(&worker->pagemap, walk->reader, address, buffer, length,
                         &absent_bytes);
}

static void tell(struct references *references, uint64_t word, enum reference_by by,
                 uint64_t at)
{
    struct reference reference = {word, by, at};

    if (raddr_may_hold_word(word))
        references->visit(references->with, &reference);
}

/* False when there cannot be so many words any more. */
static bool take_words(struct references *references, uint64_t count)
{
    if (count > references->words_left) {
        references->is_excessive = true;
        return false;
    }
    references->words_left -= count;
    return true;
}

/* Every word of a table. */
static void visit_items(struct references *references, uint64_t start, uint64_t count)
{
    if (start & 7 || count > ITEMS_MAX || !take_words(references, count))
        return;
    while (count) {
        size_t some = count < REFERENCES_PIECE ? (size_t)count : REFERENCES_PIECE;

        if (!read_at(references, start, references->words, some * 8))
            return;
        for (size_t i = 0; i < some; i++)
            tell(references, references->words[i], BY_ITEM, 0);
        start += some * 8;
        count -= some;
    }
}

/* ---- dicts ---- */

static bool keys_read(struct references *references, uint64_t address,
                      struct dict_keys *keys)
{
    const struct object_layout *layout = &references->walk->layout.object;
    uint8_t header[DICT_KEYS_HEADER_MAX];

    return address && read_at(references, address, header, sizeof(header)) &&
           dict_keys_decode(layout, header, address, keys) &&
           keys->n_entries <= ITEMS_MAX;
}

/* Entries that have their values; those of a split table have none. */
static void visit_entries(struct references *references, const struct dict_keys *keys)
{
    uint64_t words = keys->entry_bytes / 8, left = keys->n_entries, at = keys->entries;
    size_t most = REFERENCES_PIECE / 3;

    if (!take_words(references, left * words))
        return;
    while (left) {
        size_t some = left < most ? (size_t)left : most;

        if (!read_at(references, at, references->words, some * words * 8))
            return;
        for (size_t i = 0; i < some; i++) {
            const uint64_t *entry = references->words + i * words + words - 2;

            tell(references, entry[0], BY_KEY, 0);
            tell(references, entry[1], BY_VALUE, entry[0]);
        }
        at += some * words * 8;
        left -= some;
    }
}

/* Values whose names stand in a table of keys. */
static void visit_values(struct references *references, uint64_t table, uint64_t values,
                         enum reference_by by)
{
    uint64_t attributes[64], words;
    struct dict_keys keys;
    size_t count;

    if (!keys_read(references, table, &keys))
        return;
    words = keys.entry_bytes / 8;
    count = keys.n_entries < 64 ? (size_t)keys.n_entries : 64;
    if (!count || !read_at(references, values, attributes, count * 8) ||
        !read_at(references, keys.entries, references->words, count * keys.entry_bytes))
        return;
    for (size_t i = 0; i < count; i++)
        tell(references, attributes[i], by, references->words[(i + 1) * words - 2]);
}

static void visit_dict(struct references *references, const struct object_view *view)
{
    const struct object_layout *layout = &references->walk->layout.object;
    uint64_t table = u64_at(view->bytes, layout->dict_keys);
    uint64_t values = u64_at(view->bytes, layout->dict_values);
    struct dict_keys keys;

    if (values)
        visit_values(references, table, layout->minor >= 13 ? values + 8 : values,
                     BY_VALUE);
    else if (keys_read(references, table, &keys))
        visit_entries(references, &keys);
}

uint64_t references_lookup(struct references *references, uint64_t dict, const char *name)
{
    const struct object_layout *layout = &references->walk->layout.object;
    uint8_t bytes[64];
    struct dict_keys keys;
    char text[64];

    if (!read_at(references, dict, bytes, sizeof(bytes)) ||
        u64_at(bytes, layout->dict_values) ||
        !keys_read(references, u64_at(bytes, layout->dict_keys), &keys))
        return 0;
    for (uint64_t i = 0; i < keys.n_entries && i < LOOKUP_MAX; i++) {
        uint64_t entry[2];

        if (!read_at(references, dict_keys_key(&keys, i), entry, sizeof(entry)))
            return 0;
        if (entry[0] &&
            remote_str(references->walk->reader, layout, entry[0], text, sizeof(text)) &&
            !strcmp(text, name))
            return entry[1];
    }
    return 0;
}

/* ---- instances ---- */

/* Attributes in front of the object, in values of their own, or in it. */
static void visit_managed(struct references *references, const struct met_object *met)
{
    const struct object_layout *layout = &references->walk->layout.object;
    const struct object_shape *shape = &met->entry->shape;
    uint64_t values, dict, at = layout->minor == 13 ? 16 : shape->basicsize;
    const uint8_t *head = met->view.bytes + at;

    object_managed(layout, met->view.bytes, &values, &dict);
    if (dict)
        tell(references, dict, BY_DICT, 0);
    if (values)
        visit_values(references, met->entry->cached_keys, values, BY_ATTRIBUTE);
    if (shape->has_inline_values && met->view.length >= at + 8 && head[VALUES_VALID])
        visit_values(references, met->entry->cached_keys, met->view.address + at + 8,
                     BY_ATTRIBUTE);
}

/* Where the dict's address stands when it is a field; 0 = nowhere. A class has its
 * attributes in tp_dict. */
static uint64_t dict_field(const struct object_layout *layout,
                           const struct met_object *met)
{
    int32_t at = met->entry->shape.dict_offset;

    if (met->entry->shape.rule == OBJECT_TYPE)
        return layout->tp_dict;
    return at > 0 ? (uint64_t)at : 0;
}

/* Where the fields begin that are told one by one: what stands before leads to the
 * table, or is in it. */
static uint64_t fields_start(const struct object_layout *layout,
                             const struct type_entry *entry)
{
    uint64_t key;

    switch (entry->shape.rule) {
    case OBJECT_LIST:
        return layout->list_allocated + 8u;
    case OBJECT_DICT:
    case OBJECT_STG_DICT:
    case OBJECT_ORDERED_DICT:
        return layout->dict_values + 8u;
    case OBJECT_SET:
        return layout->set_small_table + SET_SMALL_BYTES;
    case OBJECT_DEQUE:
        return layout->deque_left_index + 8u;
    case OBJECT_NDARRAY:
        return NDARRAY_BASE;
    case OBJECT_WEAKREF:
        return WEAKREF_CALLBACK;
    default:
        if (entry->shape.has_gc_head)
            return layout->ob_type + 8u;
        /* Of lru_cache's elements: the links among them are borrowed. */
        key = member_offset_of(layout->minor, entry->kind->name, "key");
        return key ? key : layout->ob_type + 8u;
    }
}

/* The slots of a generator's frame, as far as they are in use; 0 while it runs, and when
 * it has ended. */
static uint64_t slots_end(const struct object_layout *layout,
                          const struct object_view *view)
{
    uint64_t most = view->length < BODY_MAX ? view->length : BODY_MAX;
    uint64_t slots = layout->gen_locals, used;

    if (view->length < slots ||
        !object_slots_are_still(layout, view->bytes[layout->gen_state]))
        return 0;
    used = object_slots_used(layout, view->address + slots,
                             u64_at(view->bytes, slots - layout->slots_top_before));
    return used <= (most - slots) / 8 ? slots + used * 8 : 0;
}

/* How much of the object itself is looked at, at most BODY_MAX. */
static uint64_t body_bytes(const struct object_layout *layout,
                           const struct met_object *met)
{
    const struct object_shape *shape = &met->entry->shape;
    uint64_t bytes = shape->basicsize, items = 0, most = BODY_MAX;

    if (shape->itemsize == 8)
        items = u64_at(met->view.bytes, layout->ob_size);
    if (items < BODY_MAX / 8)
        bytes += items * 8;
    if (shape->rule == OBJECT_GENERATOR && layout->minor >= 11)
        return slots_end(layout, &met->view);
    if (shape->rule == OBJECT_FRAME && layout->minor < 11)
        most = u64_at(met->view.bytes, FRAME_VALUE_STACK) - met->view.address;
    bytes = bytes < most ? bytes : most;
    return bytes < BODY_MAX ? bytes : BODY_MAX;
}

static bool is_weakrefs_own(const struct object_shape *shape, uint64_t at)
{
    return shape->rule == OBJECT_WEAKREF && at >= WEAKREF_HASH && at < WEAKREF_LINKED;
}

static void visit_fields(struct references *references, const struct met_object *met)
{
    const struct object_layout *layout = &references->walk->layout.object;
    uint64_t bytes = body_bytes(layout, met), dict = dict_field(layout, met);
    uint64_t start = fields_start(layout, met->entry);
    uint8_t body[BODY_MAX];

    if (bytes <= start)
        return;
    if (met->view.length >= bytes)
        memcpy(body, met->view.bytes, bytes);
    else if (!read_at(references, met->view.address, body, bytes))
        return;
    for (uint64_t at = start; at + 8 <= bytes; at += 8)
        if (!is_weakrefs_own(&met->entry->shape, at))
            tell(references, u64_at(body, at), at == dict ? BY_DICT : BY_FIELD, at);
}

/* Blocks that lead from one to the next, each with DEQUE_ITEMS; the first and the last
 * are filled in part. */
static void visit_deque(struct references *references, const struct object_view *view)
{
    const struct object_layout *layout = &references->walk->layout.object;
    uint64_t block, first, left;

    if (view->length < layout->deque_left_index + 8u)
        return;
    block = u64_at(view->bytes, layout->deque_left_block);
    first = u64_at(view->bytes, layout->deque_left_index);
    left = u64_at(view->bytes, layout->ob_size);
    if (first >= DEQUE_ITEMS || left > ITEMS_MAX)
        return;
    while (left) {
        uint64_t words[1 + DEQUE_ITEMS + 1];
        uint64_t some = left < DEQUE_ITEMS - first ? left : DEQUE_ITEMS - first;

        if (!take_words(references, DEQUE_ITEMS + 2) ||
            !read_at(references, block, words, sizeof(words)))
            return;
        for (uint64_t i = first; i < first + some; i++)
            tell(references, words[1 + i], BY_ITEM, 0);
        left -= some;
        first = 0;
        block = words[1 + DEQUE_ITEMS];
    }
}

/* One whose elements are objects, and which has them itself, in one piece. */
static void visit_ndarray(struct references *references, const struct object_view *view)
{
    uint64_t dimensions[NDARRAY_ND_MAX], count = 1;
    uint32_t nd;
    char kind;

    if (view->length < NDARRAY_FLAGS + 4)
        return;
    nd = u32_at(view->bytes, NDARRAY_ND);
    if (!(u32_at(view->bytes, NDARRAY_FLAGS) & NDARRAY_OWNS_DATA) || !nd ||
        nd > NDARRAY_ND_MAX ||
        !read_at(references, u64_at(view->bytes, NDARRAY_DESCR) + DESCR_KIND, &kind, 1) ||
        kind != 'O' ||
        !read_at(references, u64_at(view->bytes, NDARRAY_DIMENSIONS), dimensions, nd * 8))
        return;
    for (uint32_t i = 0; i < nd; i++) {
        if (dimensions[i] > ITEMS_MAX / count) /* a hostile or an empty one */
            return;
        count *= dimensions[i] ? dimensions[i] : 1;
    }
    visit_items(references, u64_at(view->bytes, NDARRAY_DATA), count);
}

/* Texts and numbers refer to nothing. */
static bool is_plain(const struct type_entry *entry)
{
    const struct object_shape *shape = &entry->shape;
    bool has_fields = shape->rule == OBJECT_CODE || shape->rule == OBJECT_NDARRAY ||
                      (shape->rule == OBJECT_FIXED && shape->basicsize > FLOAT_BYTES);

    return !shape->has_gc_head && !shape->dict_offset && !has_fields;
}

void references_visit(struct references *references, const struct met_object *met)
{
    const struct object_layout *layout = &references->walk->layout.object;
    const struct object_shape *shape = &met->entry->shape;
    const uint8_t *bytes = met->view.bytes;

    if (is_plain(met->entry))
        return;
    if (met->entry->is_heap)
        tell(references, u64_at(bytes, layout->ob_type), BY_TYPE, 0);
    if (shape->is_managed)
        visit_managed(references, met);
    switch (shape->rule) {
    case OBJECT_LIST:
        visit_items(references, u64_at(bytes, layout->list_items),
                    u64_at(bytes, layout->ob_size));
        break;
    case OBJECT_DICT:
    case OBJECT_STG_DICT:
    case OBJECT_ORDERED_DICT:
        visit_dict(references, &met->view);
        break;
    case OBJECT_SET:
        visit_items(references, u64_at(bytes, layout->set_table),
                    (u64_at(bytes, layout->set_mask) + 1) * 2);
        break;
    case OBJECT_DEQUE:
        visit_deque(references, &met->view);
        break;
    case OBJECT_NDARRAY:
        visit_ndarray(references, &met->view);
        break;
    default:
        break;
    }
    if (!strcmp(met->entry->kind->name, "tuple"))
        visit_items(references, met->view.address + shape->basicsize,
                    u64_at(bytes, layout->ob_size));
    else
        visit_fields(references, met);
}

void references_parts(struct references *references, const struct met_object *met)
{
    const struct object_layout *layout = &references->walk->layout.object;
    struct object_part parts[OBJECT_PARTS_MAX];
    bool is_split;
    size_t count;

    if (met->entry->is_plain_dict) {
        tell(references, object_dict_table(layout, &met->view, &is_split), BY_PART, 0);
        return;
    }
    if (!met->entry->shape.has_parts)
        return;
    count = object_parts(layout, &met->entry->shape, &met->view, parts);
    for (size_t i = 0; i < count; i++)
        if (parts[i].what != OBJECT_PART_DICT)
            tell(references, parts[i].address, BY_PART, 0);
}
