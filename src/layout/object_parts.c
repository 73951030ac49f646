#include "layout/object_parts.h"

#include <string.h>

#include "util/bytes.h"

#define DEQUE_RIGHT 520 /* _collectionsmodule.c: leftlink, data[64], rightlink */
#define ODICT_NODE  32  /* odictobject.c _odictnode: key, hash, next, prev */
#define ODICT_NEXT  16

/* Collects parts; no object has more than OBJECT_PARTS_MAX. */
struct collector {
    struct object_part *parts;
    size_t count;
};

static uint64_t word_at(const struct object_view *view, uint64_t offset)
{
    if (offset > view->length || view->length - offset < 8)
        return 0;
    return u64_at(view->bytes, offset);
}

static void add(struct collector *collector, uint64_t address, uint64_t bytes,
                enum object_part_what what)
{
    if (address && collector->count < OBJECT_PARTS_MAX)
        collector->parts[collector->count++] =
            (struct object_part){address, bytes, 1, 0, what};
}

static void add_chain(struct collector *collector, uint64_t address, uint64_t bytes,
                      uint64_t count, uint32_t link_at)
{
    if (!address || !count || collector->count == OBJECT_PARTS_MAX)
        return;
    collector->parts[collector->count++] =
        (struct object_part){address, bytes, count, link_at,
                             count == 1 ? OBJECT_PART_BLOCK : OBJECT_PART_CHAIN};
}

/* typeobject.c _PyObject_GetDictPtr: from the beginning, or, below 0, from the end of an
 * object of variable size. */
static uint64_t dict_at(const struct object_layout *layout,
                        const struct object_shape *shape, const struct object_view *view)
{
    uint64_t items;

    if (shape->dict_offset > 0)
        return word_at(view, (uint64_t)shape->dict_offset);
    items = word_at(view, layout->ob_size);
    if ((int64_t)items < 0)
        items = 0 - items;
    if (items > UINT32_MAX)
        return 0;
    return word_at(view,
                   ((shape->basicsize + items * shape->itemsize + 7) & ~UINT64_C(7)) +
                       (uint64_t)shape->dict_offset);
}

static void add_managed(struct collector *collector, const struct object_layout *layout,
                        const struct object_view *view)
{
    uint64_t dict, values;

    object_managed(layout, view->bytes, &values, &dict);
    add(collector, values, 0, OBJECT_PART_BLOCK);
    add(collector, dict, 0, OBJECT_PART_DICT);
}

static void add_list(struct collector *collector, const struct object_layout *layout,
                     const struct object_view *view)
{
    uint64_t allocated = word_at(view, layout->list_allocated);

    if (allocated)
        add(collector, word_at(view, layout->list_items), allocated * 8,
            OBJECT_PART_BLOCK);
}

static void add_ordered_dict(struct collector *collector,
                             const struct object_layout *layout,
                             const struct object_view *view)
{
    add(collector, word_at(view, layout->odict_fast_nodes - 8u),
        word_at(view, layout->odict_fast_nodes) * 8, OBJECT_PART_BLOCK);
    add_chain(collector, word_at(view, layout->odict_first), ODICT_NODE,
              word_at(view, layout->dict_used), ODICT_NEXT);
}

static void add_dict(struct collector *collector, const struct object_layout *layout,
                     const struct object_view *view)
{
    uint64_t values = word_at(view, layout->dict_values);

    add(collector, values, 0, OBJECT_PART_BLOCK);
    if (!values)
        add(collector, word_at(view, layout->dict_keys), 0, OBJECT_PART_KEYS);
}

static void add_set(struct collector *collector, const struct object_layout *layout,
                    const struct object_view *view)
{
    uint64_t table = word_at(view, layout->set_table);

    if (table != view->address + layout->set_small_table)
        add(collector, table, (word_at(view, layout->set_mask) + 1) * 16,
            OBJECT_PART_BLOCK);
}

static void add_deque(struct collector *collector, const struct object_layout *layout,
                      const struct object_view *view)
{
    uint64_t left = word_at(view, layout->deque_left_index);
    uint64_t length = word_at(view, layout->ob_size);
    uint64_t count = (left + length + DEQUE_ITEMS - 1) / DEQUE_ITEMS;

    if (left <= DEQUE_ITEMS && length <= UINT32_MAX)
        add_chain(collector, word_at(view, layout->deque_left_block), DEQUE_BLOCK,
                  count ? count : 1, DEQUE_RIGHT);
}

/* unicodeobject.h: the UTF-8 of what is not ascii, 3.8 - 3.11 the wchar_t of before, and
 * the characters of what is not compact. */
static void add_str(struct collector *collector, const struct object_layout *layout,
                    const struct object_view *view)
{
    uint32_t state = (uint32_t)word_at(view, layout->str_state);
    bool is_compact = state >> 5 & 1, is_ascii = is_compact && state >> 6 & 1;
    uint64_t data = 0, utf8, wstr;

    if (!is_compact) {
        data = word_at(view, layout->str_data);
        add(collector, data, word_at(view, layout->str_length) + 1, OBJECT_PART_BLOCK);
    }
    utf8 = is_ascii ? 0 : word_at(view, layout->str_utf8);
    if (utf8 != data)
        add(collector, utf8, word_at(view, layout->str_utf8_length) + 1,
            OBJECT_PART_BLOCK);
    wstr = layout->str_wstr ? word_at(view, layout->str_wstr) : 0;
    if (wstr != data && wstr - view->address > layout->str_compact_bytes)
        add(collector, wstr, 0, OBJECT_PART_BLOCK);
}

static void add_ndarray(struct collector *collector, const struct object_view *view)
{
    uint64_t n_dimensions = (uint32_t)word_at(view, NDARRAY_ND);
    uint64_t exports = word_at(view, NDARRAY_EXPORTS) - NDARRAY_EXPORTS_TAG;

    if (word_at(view, NDARRAY_FLAGS) & NDARRAY_OWNS_DATA)
        add(collector, word_at(view, NDARRAY_DATA), 0, OBJECT_PART_START);
    if (n_dimensions && n_dimensions <= NDARRAY_ND_MAX)
        add(collector, word_at(view, NDARRAY_DIMENSIONS), n_dimensions * 16,
            OBJECT_PART_START);
    if (!(exports & 15))
        add_chain(collector, exports, 0, 2, EXPORTS_FORMAT);
}

/* What ctypes knows of a class. */
static void add_ctypes(struct collector *collector, const struct object_layout *layout,
                       const struct object_view *view)
{
    struct ctypes_info info = object_ctypes_info(layout);

    add(collector, word_at(view, info.elements), 0, OBJECT_PART_START);
    add(collector, word_at(view, info.format), 0, OBJECT_PART_START);
    add(collector, word_at(view, info.shape), 0, OBJECT_PART_START);
}

/* typeobject.c type_new: a copy of the text, and, 3.11 and later, of the name. */
static void add_type(struct collector *collector, const struct object_layout *layout,
                     const struct object_shape *shape, const struct object_view *view)
{
    add(collector, word_at(view, layout->tp_name), 0, OBJECT_PART_START);
    add(collector, word_at(view, layout->tp_doc), 0, OBJECT_PART_START);
    if (shape->is_ctype)
        add_ctypes(collector, layout, view);
}

static void add_code(struct collector *collector, const struct object_layout *layout,
                     const struct object_view *view)
{
    if (layout->code_is_var) {
        if (layout->minor >= 12)
            add(collector,
                word_at(view, layout->minor == 12 ? CODE_CACHED_312 : CODE_CACHED), 0,
                OBJECT_PART_START);
        return;
    }
    add(collector, word_at(view, CODE_CELL2ARG), 0, OBJECT_PART_START);
    add(collector, word_at(view, CODE_OPCACHE_MAP), 0, OBJECT_PART_START);
    add(collector, word_at(view, CODE_OPCACHE), 0, OBJECT_PART_START);
}

static void add_unpickler(struct collector *collector, const struct object_shape *shape,
                          const struct object_view *view)
{
    uint32_t marks = object_unpickler_marks(shape);

    add(collector, word_at(view, UNPICKLER_MEMO), word_at(view, UNPICKLER_SIZE) * 8,
        OBJECT_PART_START);
    if (!marks)
        return;
    add(collector, word_at(view, marks - UNPICKLER_ENCODING), 0, OBJECT_PART_START);
    add(collector, word_at(view, marks - UNPICKLER_ERRORS), 0, OBJECT_PART_START);
    add(collector, word_at(view, marks - UNPICKLER_MARKS), word_at(view, marks) * 8,
        OBJECT_PART_START);
}

/* Modules, and types of the standard library in C. */
static void add_of_library(struct collector *collector,
                           const struct object_layout *layout,
                           const struct object_shape *shape,
                           const struct object_view *view)
{
    switch (shape->rule) {
    case OBJECT_PICKLER:
        add_chain(collector, word_at(view, PICKLER_MEMO), MEMO_BYTES, 2, MEMO_TABLE);
        break;
    case OBJECT_UNPICKLER:
        add_unpickler(collector, shape, view);
        break;
    case OBJECT_QUEUE:
        add(collector, word_at(view, QUEUE_ITEMS), word_at(view, QUEUE_CAPACITY) * 8,
            OBJECT_PART_START);
        break;
    case OBJECT_MODULE:
        add(collector,
            word_at(view, layout->minor >= 15 ? MODULE_STATE_315 : MODULE_STATE), 0,
            OBJECT_PART_START);
        break;
    case OBJECT_BUILTIN:
        add(collector, word_at(view, BUILTIN_METHOD), 0, OBJECT_PART_START);
        break;
    default:
        break;
    }
}

static void add_by_rule(struct collector *collector, const struct object_layout *layout,
                        const struct object_shape *shape, const struct object_view *view)
{
    switch (shape->rule) {
    case OBJECT_LIST:
        add_list(collector, layout, view);
        break;
    case OBJECT_ORDERED_DICT:
        add_ordered_dict(collector, layout, view);
        add_dict(collector, layout, view);
        break;
    case OBJECT_DICT:
        add_dict(collector, layout, view);
        break;
    case OBJECT_SET:
        add_set(collector, layout, view);
        break;
    case OBJECT_BYTEARRAY:
        if (!layout->bytearray_is_bytes)
            add(collector, word_at(view, layout->bytearray_bytes),
                word_at(view, layout->bytearray_alloc), OBJECT_PART_BLOCK);
        break;
    case OBJECT_DEQUE:
        add_deque(collector, layout, view);
        break;
    case OBJECT_ARRAY:
        add(collector, word_at(view, layout->array_items),
            word_at(view, layout->array_allocated), OBJECT_PART_BLOCK);
        break;
    case OBJECT_STR:
        add_str(collector, layout, view);
        break;
    case OBJECT_NDARRAY:
        add_ndarray(collector, view);
        break;
    case OBJECT_BUFFERED:
        if (shape->basicsize >= BUFFERED_BASICSIZE)
            add(collector, word_at(view, BUFFERED_BUFFER), word_at(view, BUFFERED_SIZE),
                OBJECT_PART_START);
        break;
    case OBJECT_STRUCT:
        add(collector, word_at(view, STRUCT_CODES), STRUCT_CODE_BYTES, OBJECT_PART_SIZED);
        break;
    case OBJECT_ELEMENT:
        add_chain(collector, word_at(view, ELEMENT_EXTRA), EXTRA_BYTES, 2,
                  EXTRA_CHILDREN);
        break;
    case OBJECT_DECIMAL:
        if (!(word_at(view, DECIMAL_FLAGS) & DECIMAL_OTHERS_DATA))
            add(collector, word_at(view, DECIMAL_DATA), word_at(view, DECIMAL_ALLOC) * 8,
                OBJECT_PART_START);
        break;
    case OBJECT_STG_DICT:
        add_dict(collector, layout, view);
        add_ctypes(collector, layout, view);
        break;
    case OBJECT_CODE:
        add_code(collector, layout, view);
        break;
    case OBJECT_TYPE:
        add_type(collector, layout, shape, view);
        break;
    default:
        add_of_library(collector, layout, shape, view);
        break;
    }
}

size_t object_parts(const struct object_layout *layout, const struct object_shape *shape,
                    const struct object_view *view,
                    struct object_part parts[OBJECT_PARTS_MAX])
{
    struct collector collector = {parts, 0};

    if (shape->is_managed)
        add_managed(&collector, layout, view);
    else if (shape->dict_offset)
        add(&collector, dict_at(layout, shape, view), 0, OBJECT_PART_DICT);
    add_by_rule(&collector, layout, shape, view);
    for (uint32_t i = 0; i < shape->n_learned; i++)
        add(&collector, word_at(view, shape->learned[i]), 0, OBJECT_PART_START);
    return collector.count;
}

static bool rule_has_parts(const struct object_layout *layout, enum object_rule rule)
{
    switch (rule) {
    case OBJECT_FIXED:
    case OBJECT_VAR:
    case OBJECT_LOOSE:
    case OBJECT_DATETIME:
    case OBJECT_INT:
    case OBJECT_GENERATOR:
    case OBJECT_FRAME:
    case OBJECT_BYTES_IO:
    case OBJECT_WEAKREF:
    case OBJECT_PRODUCT:
    case OBJECT_COMBINATIONS:
    case OBJECT_PERMUTATIONS:
        return false;
    case OBJECT_BYTEARRAY:
        return !layout->bytearray_is_bytes;
    case OBJECT_CODE:
        return !layout->code_is_var || layout->minor >= 12;
    default:
        return true;
    }
}

void object_shape_parts(struct object_shape *shape, const struct object_layout *layout,
                        uint64_t flags, int64_t dict_offset)
{
    shape->is_managed = flags & TYPE_FLAG_MANAGED_DICT && layout->pre_header_flags &&
                        shape->prefix >= 24 + (layout->minor == 11 ? 8u : 0u);
    /* -1 says managed, and so do offsets in front of the object. */
    if (!shape->is_managed && dict_offset > -(int64_t)shape->basicsize &&
        dict_offset <= (int64_t)OBJECT_DICT_OFFSET_MAX && dict_offset != -1)
        shape->dict_offset = (int32_t)dict_offset;
    shape->has_parts = shape->is_managed || shape->dict_offset ||
                       rule_has_parts(layout, shape->rule) || shape->n_learned;
}

bool object_shape_learn(struct object_shape *shape, uint32_t offset)
{
    for (uint32_t i = 0; i < shape->n_learned; i++) {
        if (shape->learned[i] == offset)
            return true;
    }
    if (shape->n_learned == OBJECT_LEARNED_MAX)
        return false;
    shape->learned[shape->n_learned++] = (uint16_t)offset;
    shape->has_parts = true;
    return true;
}

bool object_shape_link(struct object_shape *shape, uint32_t field, uint32_t link_at)
{
    for (uint32_t i = 0; i < shape->n_linked; i++) {
        if (shape->linked[i].field == field && shape->linked[i].link_at == link_at)
            return false;
    }
    if (shape->n_linked == OBJECT_LINKED_MAX)
        return false;
    shape->linked[shape->n_linked++] =
        (struct object_linked){(uint16_t)field, (uint16_t)link_at};
    return true;
}

uint64_t object_dict_table(const struct object_layout *layout,
                           const struct object_view *view, bool *is_split)
{
    uint64_t values = word_at(view, layout->dict_values);

    *is_split = values != 0;
    return values ? values : word_at(view, layout->dict_keys);
}
