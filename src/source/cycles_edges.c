#include "source/cycles_edges.h"

#include <string.h>

#include "layout/dict_keys.h"
#include "layout/object_parts.h"
#include "util/bytes.h"

#define BODY_MOST      4096 /* bytes of an object itself that are looked at */
#define TABLE_MOST     (UINT64_C(1) << 32) /* entries of a table */
#define WORDS_A_READ   510                 /* whole entries of dicts, and of sets */
#define TYPE_READ      304
#define TYPE_TRAVERSE  184 /* Include/cpython/object.h PyTypeObject.tp_traverse */
#define TYPE_EXCEPTION (UINT64_C(1) << 30) /* object.h Py_TPFLAGS_BASE_EXC_SUBCLASS */
#define TYPE_CALLBACK  24 /* weakrefobject.h wr_callback: the only owned reference */
#define LIST_ITEMS     24
#define PARTS_BODY     160 /* of an object: where its parts' addresses stand */
#define VALUES_LIVE    2   /* 3.13+ struct _dictvalues: embedded at 2, valid at 3 */

/* Types in C whose references stand in the object itself, or in tables known here. */
static const char *const known[] = {
    "dict",
    "list",
    "tuple",
    "set",
    "frozenset",
    "function",
    "method",
    "cell",
    "property",
    "staticmethod",
    "classmethod",
    "generator",
    "coroutine",
    "traceback",
    "slice",
    "type",
    "module",
    "list_iterator",
    "tuple_iterator",
    "dict_keyiterator",
    "mappingproxy",
    "method-wrapper",
    "frame",
    "builtin_function_or_method",
    "weakref",
    "weakref.ReferenceType",
    "async_generator",
    "map",
    "zip",
    "filter",
    "enumerate",
    "reversed",
    "super",
    "memoryview",
    "functools.partial",
    "member_descriptor",
    "getset_descriptor",
    "wrapper_descriptor",
    "method_descriptor",
    "classmethod_descriptor",
};

static const char *const generators[] = {"generator", "coroutine", "async_generator"};

static bool is_one_of(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(name, names[i]))
            return true;
    return false;
}

/* Buffers and the like, of types in C that have no tables of references. */
static void type_shape(struct cycles_edges *edges, struct cycles_type *type,
                       const char *name)
{
    struct object_shape *shape = &type->shape;
    enum object_rule named = OBJECT_FIXED;

    if (!object_shape_init(shape, edges->layout, type->basicsize, type->itemsize,
                           type->flags))
        return;
    if (shape->rule == OBJECT_FIXED || shape->rule == OBJECT_VAR)
        if (!(type->flags & TYPE_FLAG_HEAP) || strchr(name, '.'))
            named = object_rule_of_name(edges->layout, name);
    if (named != OBJECT_FIXED)
        shape->rule = named;
    switch (shape->rule) {
    case OBJECT_STR:
    case OBJECT_BYTEARRAY:
    case OBJECT_ARRAY:
    case OBJECT_NDARRAY:
    case OBJECT_DECIMAL:
    case OBJECT_BUFFERED:
        type->tells_parts = true;
        break;
    default:
        break;
    }
}

static void type_read(struct cycles_edges *edges, struct cycles_type *type)
{
    const struct object_layout *layout = edges->layout;
    uint8_t bytes[TYPE_READ];
    char name[48] = "";

    if (!cycles_memory_read(edges->memory, type->address, bytes, sizeof(bytes)))
        return;
    type->flags = u64_at(bytes, layout->tp_flags);
    type->basicsize = (uint32_t)u64_at(bytes, layout->tp_basicsize);
    type->itemsize = (uint32_t)u64_at(bytes, layout->tp_itemsize);
    if (!(type->flags & TYPE_FLAG_READY) || type->basicsize < 16 ||
        type->basicsize > (1u << 20) || type->itemsize > 4096)
        return;
    if (!cycles_memory_read(edges->memory, u64_at(bytes, layout->tp_name), name,
                            sizeof(name) - 1))
        return;
    type->is_type = true;
    type->traverse = u64_at(bytes, TYPE_TRAVERSE);
    type->prefix = object_prefix_bytes(layout, type->flags);
    type->is_set = !strcmp(name, "set") || !strcmp(name, "frozenset");
    type->is_weakref = !strcmp(name, "weakref") ||
                       !strcmp(name, "weakref.ReferenceType") ||
                       !strcmp(name, "KeyedRef");
    /* exceptions.c: each has its references in itself. */
    type->is_frame = !strcmp(name, "frame");
    type->is_generator = is_one_of(name, generators, 3);
    type->is_known = type->flags & TYPE_EXCEPTION ||
                     is_one_of(name, known, sizeof(known) / sizeof(known[0]));
    type_shape(edges, type, name);
}

const struct cycles_type *cycles_type_of(struct cycles_edges *edges, uint64_t address)
{
    uint64_t at = (address >> 4) * 0x9e3779b97f4a7c15u >> 50;

    if (address < 4096 || address & 7 || address >= RADDR_END)
        return NULL;
    while (edges->types[at].address && edges->types[at].address != address)
        at = (at + 1) % CYCLES_TYPES_MAX;
    if (!edges->types[at].address) {
        if (edges->n_types >= CYCLES_TYPES_MAX / 2)
            return NULL;
        edges->n_types++;
        edges->types[at].address = address;
        type_read(edges, &edges->types[at]);
    }
    return edges->types[at].is_type ? &edges->types[at] : NULL;
}

void cycles_edges_begin(struct cycles_edges *edges)
{
    edges->words_most = residency_words(edges->memory->residency);
    edges->words_left = edges->words_most;
    edges->n_unread = 0;
    edges->n_pieces = 0;
}

static void visit_piece(struct cycles_edges *edges, struct cycles_piece piece)
{
    uint64_t words[WORDS_A_READ];

    while (piece.count) {
        size_t some = piece.count < WORDS_A_READ ? (size_t)piece.count : WORDS_A_READ;

        if (!cycles_memory_read(edges->memory, piece.start, words, some * 8)) {
            edges->n_unread += piece.count;
            return;
        }
        for (size_t i = piece.hash_at; piece.entry_words && i < some;
             i += piece.entry_words)
            words[i] = 0;
        for (size_t i = 0; i < some; i++)
            if (words[i] >= 4096 && words[i] < RADDR_END && !(words[i] & 7))
                edges->visit(edges->context, words[i], piece.is_table);
        piece.start += some * 8;
        piece.count -= some;
    }
}

static void piece_pass(struct cycles_piece *piece, uint64_t count)
{
    piece->start += count * 8;
    piece->count -= count;
}

/* There are no more words in all tables together than the target has in memory, so a long
 * one needs no bound of its own; what alone claims to have more than that is no table. */
static void visit_all(struct cycles_edges *edges, struct cycles_piece piece)
{
    if (piece.start & 7 || piece.start < 4096 || piece.count > edges->words_most)
        return;
    if (piece.count > edges->words_left) {
        edges->is_excessive = true;
        return;
    }
    edges->words_left -= piece.count;
    if (piece.count > CYCLES_PIECE_WORDS && edges->n_pieces < CYCLES_PIECES_MAX) {
        edges->pieces[edges->n_pieces] = piece;
        piece_pass(&edges->pieces[edges->n_pieces++], CYCLES_PIECE_WORDS);
        piece.count = CYCLES_PIECE_WORDS;
    }
    visit_piece(edges, piece);
}

/* All words of [start, start + count * 8). */
static void visit_words(struct cycles_edges *edges, uint64_t start, uint64_t count,
                        bool is_table)
{
    visit_all(edges, (struct cycles_piece){start, count, 0, 0, is_table});
}

bool cycles_edges_visit_more(struct cycles_edges *edges)
{
    struct cycles_piece *last, piece;

    if (!edges->n_pieces)
        return false;
    last = &edges->pieces[edges->n_pieces - 1];
    piece = *last;
    if (piece.count > CYCLES_PIECE_WORDS)
        piece.count = CYCLES_PIECE_WORDS;
    piece_pass(last, piece.count);
    if (!last->count)
        edges->n_pieces--;
    visit_piece(edges, piece);
    return true;
}

static void tell_table(struct cycles_edges *edges, uint64_t address)
{
    if (edges->visit_table && address >= 4096 && address < RADDR_END && !(address & 7))
        edges->visit_table(edges->context, address);
}

static void tell_parts(struct cycles_edges *edges, uint64_t object,
                       const struct cycles_type *type)
{
    struct object_part parts[OBJECT_PARTS_MAX];
    uint8_t body[PARTS_BODY] = {0};
    struct object_view view = {body, sizeof(body), object};
    size_t count;

    if (!type->tells_parts || !edges->visit_table)
        return;
    if (type->basicsize < sizeof(body))
        view.length = type->basicsize;
    if (!cycles_memory_read(edges->memory, object, body, view.length))
        return;
    count = object_parts(edges->layout, &type->shape, &view, parts);
    for (size_t i = 0; i < count; i++)
        tell_table(edges, parts[i].address);
}

static bool keys_read(struct cycles_edges *edges, uint64_t address,
                      struct dict_keys *keys)
{
    uint8_t header[DICT_KEYS_HEADER_MAX];

    return cycles_memory_read(edges->memory, address, header, sizeof(header)) &&
           dict_keys_decode(edges->layout, header, address, keys) &&
           keys->n_entries <= TABLE_MOST;
}

/* dictobject.c PyDictKeyEntry: hash, key, value; PyDictUnicodeEntry has no hash. The hash
 * of an int is its value, and there are many dicts by address: __subclasses__(), by id().
 */
static void visit_entries(struct cycles_edges *edges, const struct dict_keys *keys)
{
    uint8_t words = keys->entry_bytes == 24 ? 3 : 0;

    visit_all(edges, (struct cycles_piece){keys->entries,
                                           keys->n_entries * keys->entry_bytes / 8, words,
                                           0, true});
}

static void visit_dict(struct cycles_edges *edges, const uint8_t *body)
{
    const struct object_layout *layout = edges->layout;
    uint64_t table = u64_at(body, layout->dict_keys);
    uint64_t values = u64_at(body, layout->dict_values);
    uint8_t live[4] = {0};
    struct dict_keys keys;

    if (!keys_read(edges, table, &keys))
        return;
    if (!values) {
        tell_table(edges, table);
        visit_entries(edges, &keys);
        return;
    }
    /* Values that are embedded in their instance belong to that. */
    if (layout->minor >= 13 &&
        (!cycles_memory_read(edges->memory, values, live, 4) || live[VALUES_LIVE]))
        return;
    tell_table(edges, values);
    visit_words(edges, layout->minor >= 13 ? values + 8 : values, keys.n_entries, true);
}

static void visit_list(struct cycles_edges *edges, const uint8_t *body)
{
    uint64_t items = u64_at(body, LIST_ITEMS), count = u64_at(body, 16);

    if (!items || count > TABLE_MOST)
        return;
    tell_table(edges, items);
    visit_words(edges, items, count, true);
}

static void visit_set(struct cycles_edges *edges, const uint8_t *body, uint64_t object)
{
    const struct object_layout *layout = edges->layout;
    uint64_t table = u64_at(body, layout->set_table);
    uint64_t mask = u64_at(body, layout->set_mask);

    if (mask > TABLE_MOST)
        return;
    if (table != object + layout->set_small_table)
        tell_table(edges, table);
    visit_all(edges, (struct cycles_piece){table, (mask + 1) * 2, 2, 1, true});
}

/* 3.11, 3.12: values have no count of their own; the class's cached keys tell it. In
 * front of them is a prefix whose length stands in the byte before. */
static void visit_values(struct cycles_edges *edges, uint64_t values,
                         const struct cycles_type *type)
{
    struct dict_keys keys;
    uint64_t table;
    uint8_t prefix;

    if (!cycles_memory_u64(edges->memory, type->address + edges->layout->ht_cached_keys,
                           &table) ||
        !table || !keys_read(edges, table, &keys) ||
        !cycles_memory_read(edges->memory, values - 1, &prefix, 1))
        return;
    tell_table(edges, values - prefix);
    visit_words(edges, values, keys.n_entries, true);
}

/* Attributes that stand before the object, or in values of their own. */
static void visit_managed(struct cycles_edges *edges, uint64_t object,
                          const struct cycles_type *type)
{
    uint8_t minor = edges->layout->minor;
    uint64_t word;

    if (!(type->flags & TYPE_FLAG_MANAGED_DICT) || minor < 11 ||
        !cycles_memory_u64(edges->memory, object - 24, &word))
        return;
    /* 3.12 pycore_object.h PyDictOrValues: values are tagged by taking one away. */
    if (minor == 12 && word & 1) {
        visit_values(edges, word + 1, type);
        return;
    }
    if (word)
        edges->visit(edges->context, word, true);
    if (minor == 11 && cycles_memory_u64(edges->memory, object - 32, &word) && word)
        visit_values(edges, word, type);
}

/* 3.13+: {capacity, size, embedded, valid} and the values, in the object. */
static void visit_inline(struct cycles_edges *edges, uint64_t object,
                         const struct cycles_type *type)
{
    uint64_t values = object + (edges->layout->minor == 13 ? 16 : type->basicsize);
    uint8_t head[8];

    if (!(type->flags & TYPE_FLAG_INLINE_VALUES) || edges->layout->minor < 13 ||
        !cycles_memory_read(edges->memory, values, head, sizeof(head)) || !head[3])
        return;
    visit_words(edges, values + 8, head[0], true);
}

/* Of a frame that stands still. */
static void visit_slots(struct cycles_edges *edges, uint64_t slots)
{
    uint64_t top, count;

    if (!cycles_memory_u64(edges->memory, slots - edges->layout->slots_top_before, &top))
        return;
    count = object_slots_used(edges->layout, slots, top);
    if (count <= BODY_MOST / 8)
        visit_words(edges, slots, count, true);
}

/* 3.11+: what frame_traverse and gen_traverse tell of the frame that is in the object. */
static void visit_own_frame(struct cycles_edges *edges, uint64_t object,
                            const struct cycles_type *type, const uint8_t *body)
{
    const struct object_layout *layout = edges->layout;

    if (type->is_frame && layout->frame_inner &&
        u64_at(body, layout->frame_inner) == object + layout->frame_data)
        visit_slots(edges, object + layout->frame_bytes);
    if (type->is_generator && layout->gen_locals &&
        object_slots_are_still(layout, body[layout->gen_state]))
        visit_slots(edges, object + layout->gen_locals);
}

/* A generator's type has an itemsize, too, but where others count items is a pointer. */
static bool has_items(const struct cycles_edges *edges, const struct cycles_type *type)
{
    return type->itemsize && (type->shape.rule == OBJECT_VAR ||
                              (type->is_frame && edges->layout->minor < 11));
}

void cycles_edges_visit(struct cycles_edges *edges, uint64_t object,
                        const struct cycles_type *type)
{
    uint8_t body[80] = {0};
    uint64_t bytes = type->basicsize, items;

    cycles_memory_read(edges->memory, object, body,
                       bytes < sizeof(body) ? bytes : sizeof(body));
    if (type->is_weakref) {
        visit_words(edges, object + TYPE_CALLBACK, 1, true);
        return;
    }
    if (edges->layout->minor >= 9 && type->flags & TYPE_FLAG_HEAP)
        edges->visit(edges->context, u64_at(body, 8), true);
    if (type->is_set) {
        visit_set(edges, body, object);
        return;
    }
    if (type->flags & TYPE_FLAG_LIST)
        visit_list(edges, body);
    if (type->flags & TYPE_FLAG_DICT)
        visit_dict(edges, body);
    tell_parts(edges, object, type);
    visit_managed(edges, object, type);
    visit_inline(edges, object, type);
    visit_own_frame(edges, object, type, body);
    items = has_items(edges, type) ? u64_at(body, edges->layout->ob_size) : 0;
    if (items > TABLE_MOST)
        items = 0;
    if (type->flags & TYPE_FLAG_TUPLE) {
        visit_words(edges, object + edges->layout->tuple_items, items, true);
        return;
    }
    bytes += items * type->itemsize;
    if (bytes > BODY_MOST)
        bytes = BODY_MOST;
    if (bytes > 16 && !(type->flags & (TYPE_FLAG_STR | TYPE_FLAG_BYTES | TYPE_FLAG_INT)))
        visit_words(edges, object + 16, (bytes - 16) / 8, false);
}
