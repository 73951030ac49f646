#include "layout/object_size.h"

#include <string.h>

#include "layout/dict_keys.h"
#include "layout/object_library.h"
#include "util/bytes.h"

#define BASICSIZE_MAX (UINT64_C(1) << 20)
#define ITEMSIZE_MAX  4096
#define ODICT_NODE    32 /* odictobject.c _ODictNode: key, hash, next, prev */
/* code.h PyCodeObject, 3.8 - 3.10; pycore_code.h _PyOpcache. The number of caches stands
 * behind the flag. */
#define CODE_CODE         48
#define CODE_CELLVARS     88
#define CODE_OPCACHE_FLAG 168
#define OPCACHE_BYTES     32

#define SET_ENTRY      16 /* setobject.h setentry: key, hash */
#define DEQUE_SIZE_MAX (UINT64_C(1) << 36)

bool object_shape_init(struct object_shape *shape, const struct object_layout *layout,
                       uint64_t basicsize, uint64_t itemsize, uint64_t flags)
{
    static const struct {
        uint64_t flag;
        enum object_rule rule;
    } rules[] = {
        {TYPE_FLAG_TYPE, OBJECT_TYPE}, {TYPE_FLAG_INT, OBJECT_INT},
        {TYPE_FLAG_STR, OBJECT_STR},   {TYPE_FLAG_LIST, OBJECT_LIST},
        {TYPE_FLAG_DICT, OBJECT_DICT},
    };

    if (basicsize < 16 || basicsize > BASICSIZE_MAX || itemsize > ITEMSIZE_MAX)
        return false;
    memset(shape, 0, sizeof(*shape));
    shape->basicsize = basicsize;
    shape->itemsize = itemsize;
    shape->prefix = object_prefix_bytes(layout, flags);
    shape->has_gc_head = flags & TYPE_FLAG_HAVE_GC;
    shape->rule = itemsize ? OBJECT_VAR : OBJECT_FIXED;
    shape->has_inline_values = flags & TYPE_FLAG_INLINE_VALUES && layout->minor >= 13;
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        if (flags & rules[i].flag) {
            shape->rule = rules[i].rule;
            break;
        }
    }
    return true;
}

enum object_rule object_rule_of_name(const struct object_layout *layout, const char *name)
{
    static const struct {
        const char *name;
        enum object_rule rule;
    } rules[] = {
        {"set", OBJECT_SET},
        {"frozenset", OBJECT_SET},
        {"frozendict", OBJECT_DICT},
        {"bytearray", OBJECT_BYTEARRAY},
        {"collections.deque", OBJECT_DEQUE},
        {"array.array", OBJECT_ARRAY},
        {"numpy.ndarray", OBJECT_NDARRAY},
        {"decimal.Decimal", OBJECT_DECIMAL},
        {"collections.OrderedDict", OBJECT_ORDERED_DICT},
        {"code", OBJECT_CODE},
        {"generator", OBJECT_GENERATOR},
        {"coroutine", OBJECT_GENERATOR},
        {"async_generator", OBJECT_GENERATOR},
        {"frame", OBJECT_FRAME},
        {"weakref", OBJECT_WEAKREF},
        {"weakproxy", OBJECT_WEAKREF},
        {"weakcallableproxy", OBJECT_WEAKREF},
        {"weakref.ReferenceType", OBJECT_WEAKREF},
        {"weakref.ProxyType", OBJECT_WEAKREF},
        {"weakref.CallableProxyType", OBJECT_WEAKREF},
        {"_io.BytesIO", OBJECT_BYTES_IO},
        {"_io.BufferedReader", OBJECT_BUFFERED},
        {"_io.BufferedWriter", OBJECT_BUFFERED},
        {"_io.BufferedRandom", OBJECT_BUFFERED},
        {"_struct.Struct", OBJECT_STRUCT},
        {"Struct", OBJECT_STRUCT},
        {"xml.etree.ElementTree.Element", OBJECT_ELEMENT},
        {"datetime.time", OBJECT_DATETIME},
        {"datetime.datetime", OBJECT_DATETIME},
        {"itertools.product", OBJECT_PRODUCT},
        {"itertools.combinations", OBJECT_COMBINATIONS},
        {"itertools.combinations_with_replacement", OBJECT_COMBINATIONS},
        {"itertools.permutations", OBJECT_PERMUTATIONS},
        {"StgDict", OBJECT_STG_DICT},
        {"module", OBJECT_MODULE},
        {"_pickle.Pickler", OBJECT_PICKLER},
        {"_pickle.Unpickler", OBJECT_UNPICKLER},
        {"_queue.SimpleQueue", OBJECT_QUEUE},
        {"builtin_function_or_method", OBJECT_BUILTIN},
        {"_ctypes.CType_Type", OBJECT_CTYPE},
    };

    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        if (strcmp(name, rules[i].name))
            continue;
        /* Before 3.11 the frame of a generator was an object of its own. */
        if (rules[i].rule == OBJECT_GENERATOR && !layout->gen_code)
            return OBJECT_FIXED;
        /* dictobject.c PyFrozenDictObject (3.15): a PyDictObject, then the hash; its
         * type does not carry Py_TPFLAGS_DICT_SUBCLASS. */
        if (rules[i].rule == OBJECT_DICT && layout->minor < 15)
            return OBJECT_FIXED;
        if (rules[i].rule == OBJECT_QUEUE && layout->minor < 13)
            return OBJECT_FIXED; /* a list of its own */
        return rules[i].rule;
    }
    return OBJECT_FIXED;
}

/* longobject.c int___sizeof___impl. 3.12+: lv_tag holds the digits above bit 3. */
static uint64_t int_bytes(const struct object_layout *layout,
                          const struct object_view *view)
{
    uint64_t word = view_u64(view, layout->ob_size);
    uint64_t digits = layout->int_is_tagged ? word >> 3 : absolute(word);

    if (layout->int_has_one_digit && !digits)
        digits = 1;
    return layout->int_digits_bytes + items_bytes(digits, 4);
}

/* unicodeobject.c unicode_sizeof: what is in the object's own block. */
static uint64_t str_own_bytes(const struct object_layout *layout,
                              const struct object_view *view, bool *is_compact)
{
    uint64_t length = view_u64(view, layout->str_length);
    uint32_t state = (uint32_t)view_u64(view, layout->str_state);
    uint32_t kind = state >> 2 & 7;

    *is_compact = state >> 5 & 1;
    if (!*is_compact)
        return layout->str_data + 8;
    if (state >> 6 & 1)
        return layout->str_ascii_bytes + items_bytes(length + 1, 1);
    return layout->str_compact_bytes + items_bytes(length + 1, kind);
}

static uint64_t str_bytes(const struct object_layout *layout,
                          const struct object_view *view)
{
    bool is_compact;
    uint64_t bytes = str_own_bytes(layout, view, &is_compact);
    uint32_t state = (uint32_t)view_u64(view, layout->str_state);
    bool is_ascii = is_compact && state >> 6 & 1;
    uint64_t length = view_u64(view, layout->str_length), data = 0;

    if (!is_compact) {
        data = view_u64(view, layout->str_data);
        bytes += data ? items_bytes(length + 1, state >> 2 & 7) : 0;
    } else {
        data = view->address +
               (is_ascii ? layout->str_ascii_bytes : layout->str_compact_bytes);
    }
    if (!is_ascii && view_u64(view, layout->str_utf8) &&
        view_u64(view, layout->str_utf8) != data)
        bytes += items_bytes(view_u64(view, layout->str_utf8_length) + 1, 1);
    if (layout->str_wstr && view_u64(view, layout->str_wstr) &&
        view_u64(view, layout->str_wstr) != data)
        bytes += items_bytes(
            (is_ascii ? length : view_u64(view, layout->str_wstr_length)) + 1, 4);
    return bytes;
}

static uint64_t set_bytes(const struct object_layout *layout,
                          const struct object_view *view)
{
    if (view_u64(view, layout->set_table) == view->address + layout->set_small_table)
        return 0;
    return items_bytes(view_u64(view, layout->set_mask) + 1, SET_ENTRY);
}

static uint64_t deque_bytes(const struct object_layout *layout,
                            const struct object_view *view)
{
    uint64_t left = view_u64(view, layout->deque_left_index);
    uint64_t length = view_u64(view, layout->ob_size);

    if (left > DEQUE_ITEMS || length > DEQUE_SIZE_MAX)
        return 0;
    return (left + length + DEQUE_ITEMS - 1) / DEQUE_ITEMS * DEQUE_BLOCK;
}

static uint64_t bytearray_bytes(const struct object_layout *layout,
                                const struct object_view *view)
{
    uint64_t alloc = view_u64(view, layout->bytearray_alloc);

    if (layout->bytearray_is_bytes && alloc)
        alloc += 33; /* sizeof(PyBytesObject) */
    return items_bytes(alloc, 1);
}

static void dict_more(const struct object_layout *layout, const struct object_view *view,
                      struct size_more *more)
{
    more->address = view_u64(view, layout->dict_keys);
    more->what = view_u64(view, layout->dict_values) ? MORE_VALUES : MORE_KEYS;
    if (!more->address)
        more->what = MORE_NOTHING;
}

static uint64_t odict_bytes(const struct object_layout *layout,
                            const struct object_view *view)
{
    return items_bytes(view_u64(view, layout->odict_fast_nodes), 8) +
           items_bytes(view_u64(view, layout->dict_used), ODICT_NODE);
}

static uint64_t code_bytes(const struct object_layout *layout,
                           const struct object_shape *shape,
                           const struct object_view *view)
{
    uint64_t bytes = shape->basicsize;

    if (layout->code_is_var)
        bytes += items_bytes(view_u64(view, layout->ob_size), shape->itemsize);
    return (bytes + 7) & ~UINT64_C(7);
}

/* codeobject.c code_sizeof, 3.8 - 3.10: which cells are arguments, and what opcodes that
 * run often remember. */
static uint64_t code_caches(const struct object_layout *layout,
                            const struct object_view *view, struct size_more *more)
{
    if (layout->code_is_var)
        return 0;
    if (view_u64(view, CODE_CELL2ARG) && view_u64(view, CODE_CELLVARS))
        more[0] = (struct size_more){MORE_TUPLE, view_u64(view, CODE_CELLVARS), 0};
    if (!view_u64(view, CODE_OPCACHE))
        return 0;
    more[1] = (struct size_more){MORE_OPCODES, view_u64(view, CODE_CODE), 0};
    return (view_u64(view, CODE_OPCACHE_FLAG) >> 32 & 0xff) * OPCACHE_BYTES;
}

static void array_more(const struct object_layout *layout, const struct object_view *view,
                       struct size_more *more)
{
    more->items = view_u64(view, layout->array_allocated);
    more->address = view_u64(view, layout->array_descr);
    more->what = more->items && more->address ? MORE_ARRAY : MORE_NOTHING;
}

/* 3.14+ tags the low bits of the pointer (f_executable is a _PyStackRef). */
static void generator_more(const struct object_layout *layout,
                           const struct object_view *view, struct size_more *more)
{
    uint64_t code = view_u64(view, layout->gen_code) & ~UINT64_C(7);
    uint16_t field =
        layout->code_framesize ? layout->code_framesize : layout->code_stacksize;

    more->address = code + field;
    more->what = code ? MORE_CODE : MORE_NOTHING;
}

/* frameobject.c frame_sizeof. 3.8 - 3.10: one slot is in the basic size. */
static uint64_t frame_bytes(const struct object_layout *layout,
                            const struct object_shape *shape,
                            const struct object_view *view, struct size_more *more)
{
    uint64_t slots;

    if (!layout->frame_inner) {
        slots = view_u64(view, layout->ob_size);
        return shape->basicsize + (slots ? items_bytes(slots - 1, 8) : 0);
    }
    more->address = view_u64(view, layout->frame_inner);
    more->what = more->address ? MORE_FRAME : MORE_NOTHING;
    return layout->frame_bytes - layout->frame_extra_words * UINT64_C(8);
}

/* With what precedes it. A type that is no class has no head of the collector, but 3.11
 * and 3.12 go by its metatype and count one (sysmodule.c _PySys_GetSizeOf). */
static uint64_t type_bytes(const struct object_layout *layout,
                           const struct object_shape *shape,
                           const struct object_view *view, struct size_more *more)
{
    bool is_heap = view_u64(view, layout->tp_flags) & TYPE_FLAG_HEAP;

    if (!is_heap && view->length >= layout->tp_flags + 8u)
        return layout->type_bytes +
               (layout->minor == 11 || layout->minor == 12 ? shape->prefix : 0);
    if (!shape->is_ctype)
        return shape->prefix + layout->heap_type_bytes;
    return shape->prefix + shape->basicsize + library_ctypes_bytes(layout, view, more);
}

uint64_t object_size(const struct object_layout *layout, const struct object_shape *shape,
                     const struct object_view *view, struct size_more more[SIZE_MORE_MAX])
{
    uint64_t bytes = shape->prefix + shape->basicsize;

    more[0].what = more[1].what = MORE_NOTHING;
    switch (shape->rule) {
    case OBJECT_VAR:
        return bytes + items_bytes(view_u64(view, layout->ob_size), shape->itemsize);
    case OBJECT_INT:
        return shape->prefix + int_bytes(layout, view);
    case OBJECT_STR:
        return shape->prefix + str_bytes(layout, view);
    case OBJECT_LIST:
        return bytes + items_bytes(view_u64(view, layout->list_allocated), 8);
    case OBJECT_ORDERED_DICT:
        dict_more(layout, view, more);
        return bytes + odict_bytes(layout, view);
    case OBJECT_DICT:
        dict_more(layout, view, more);
        return bytes;
    case OBJECT_SET:
        return bytes + set_bytes(layout, view);
    case OBJECT_BYTEARRAY:
        return bytes + bytearray_bytes(layout, view);
    case OBJECT_DEQUE:
        return bytes + deque_bytes(layout, view);
    case OBJECT_ARRAY:
        array_more(layout, view, more);
        return bytes;
    case OBJECT_CODE:
        return shape->prefix + code_bytes(layout, shape, view) +
               code_caches(layout, view, more);
    case OBJECT_GENERATOR:
        generator_more(layout, view, more);
        return shape->prefix + layout->gen_bytes;
    case OBJECT_FRAME:
        return shape->prefix + frame_bytes(layout, shape, view, more);
    case OBJECT_NDARRAY:
    case OBJECT_DECIMAL:
    case OBJECT_BYTES_IO:
    case OBJECT_BUFFERED:
    case OBJECT_ELEMENT:
    case OBJECT_PICKLER:
    case OBJECT_UNPICKLER:
    case OBJECT_PRODUCT:
    case OBJECT_COMBINATIONS:
    case OBJECT_PERMUTATIONS:
        return bytes + library_bytes(shape, view, more);
    case OBJECT_QUEUE: /* simplequeue_sizeof, 3.15 */
        return bytes +
               (layout->minor >= 15 ? items_bytes(view_u64(view, QUEUE_CAPACITY), 8) : 0);
    case OBJECT_TYPE:
        return type_bytes(layout, shape, view, more);
    case OBJECT_STG_DICT: /* dictobject.c _PyDict_SizeOf has counted the basic size */
        dict_more(layout, view, &more[1]);
        return bytes + shape->basicsize - PLAIN_DICT_BYTES +
               library_ctypes_bytes(layout, view, more);
    case OBJECT_FIXED:
        return bytes + shape->value_bytes;
    case OBJECT_STRUCT:
    case OBJECT_LOOSE:
    case OBJECT_DATETIME:
    case OBJECT_WEAKREF:
    case OBJECT_MODULE:
    case OBJECT_BUILTIN:
    case OBJECT_CTYPE:
        return bytes;
    }
    return bytes;
}

/* What the object needs of its own block. */
static uint64_t object_need(const struct object_layout *layout,
                            const struct object_shape *shape,
                            const struct object_view *view)
{
    bool is_compact;

    switch (shape->rule) {
    case OBJECT_VAR:
        return shape->basicsize +
               items_bytes(absolute(view_u64(view, layout->ob_size)), shape->itemsize);
    case OBJECT_INT:
        return int_bytes(layout, view);
    case OBJECT_STR:
        return str_own_bytes(layout, view, &is_compact);
    case OBJECT_CODE:
        return code_bytes(layout, shape, view);
    default:
        return shape->basicsize;
    }
}

uint64_t object_block_need(const struct object_layout *layout,
                           const struct object_shape *shape,
                           const struct object_view *view)
{
    return shape->prefix + shape->overhead + object_need(layout, shape, view);
}

bool object_is_loose(const struct object_shape *shape)
{
    return shape->rule == OBJECT_LOOSE || shape->rule == OBJECT_GENERATOR ||
           shape->rule == OBJECT_FRAME || shape->has_inline_values;
}

bool object_fits_is_constant(const struct object_shape *shape)
{
    return shape->rule != OBJECT_VAR && shape->rule != OBJECT_INT &&
           shape->rule != OBJECT_STR && shape->rule != OBJECT_CODE;
}

bool object_size_is_constant(const struct object_shape *shape)
{
    return shape->rule == OBJECT_FIXED || shape->rule == OBJECT_LOOSE ||
           shape->rule == OBJECT_DATETIME || shape->rule == OBJECT_STRUCT ||
           shape->rule == OBJECT_WEAKREF || shape->rule == OBJECT_MODULE ||
           shape->rule == OBJECT_BUILTIN;
}

bool object_fits(const struct object_layout *layout, const struct object_shape *shape,
                 const struct object_view *view, uint32_t block_bytes)
{
    uint64_t need = object_block_need(layout, shape, view);
    uint64_t rounded = (need + 15) & ~UINT64_C(15);

    if (rounded == block_bytes)
        return true;
    /* realloc keeps a block that shrank by less than a quarter. */
    if (!object_fits_is_constant(shape))
        return need <= block_bytes && block_bytes <= 2 * need + 300;
    /* _datetimemodule.c: _PyDateTime_BaseTime has no tzinfo. */
    if (shape->rule == OBJECT_DATETIME && ((need + 7) & ~UINT64_C(15)) == block_bytes)
        return true;
    if (object_is_loose(shape) || shape->rule == OBJECT_TYPE)
        return need <= block_bytes;
    return false;
}

static uint64_t keys_more(const struct object_layout *layout, enum size_more_what what,
                          const uint8_t *header, bool *is_shared)
{
    struct dict_keys keys;
    uint64_t bytes = 0;

    *is_shared = u64_at(header, layout->keys_refcnt) != 1;
    if (!dict_keys_decode(layout, header, 0, &keys))
        return 0;
    if (what == MORE_TYPE_KEYS || !*is_shared)
        bytes = keys.bytes;
    return what == MORE_VALUES ? bytes + items_bytes(keys.n_values, 8) : bytes;
}

/* 3.11: co_stacksize + co_nlocalsplus; 3.12+: co_framesize; all in words. */
static uint64_t code_more(const struct object_layout *layout, const uint8_t *bytes)
{
    uint32_t first, second = 0;

    memcpy(&first, bytes, sizeof(first));
    if (!layout->code_framesize)
        memcpy(&second, bytes + (layout->code_nlocalsplus - layout->code_stacksize),
               sizeof(second));
    if (first > UINT16_MAX * 16u || second > UINT16_MAX * 16u)
        return 0;
    return ((uint64_t)first + second) * 8;
}

uint64_t object_size_more(const struct object_layout *layout,
                          const struct size_more *more,
                          const uint8_t bytes[SIZE_MORE_BYTES], bool *is_shared)
{
    uint32_t itemsize;

    *is_shared = false;
    switch (more->what) {
    case MORE_KEYS:
    case MORE_VALUES:
    case MORE_TYPE_KEYS:
        return keys_more(layout, more->what, bytes, is_shared);
    case MORE_CODE:
        *is_shared = true;
        return code_more(layout, bytes);
    case MORE_ARRAY: /* arraymodule.c struct arraydescr: typecode, itemsize @4 */
        memcpy(&itemsize, bytes + 4, sizeof(itemsize));
        return itemsize <= 16 ? items_bytes(more->items, itemsize) : 0;
    case MORE_NDARRAY:
        return library_ndarray_data(bytes, more->items);
    case MORE_BYTES_IO: /* bytesio.c SHARED_BUF: others have it, too */
        return (uint32_t)u64_at(bytes, layout->ob_refcnt) == 1
                   ? BYTES_BYTES + items_bytes(u64_at(bytes, layout->ob_size), 1)
                   : 0;
    case MORE_ELEMENT:
        return EXTRA_BYTES + (u64_at(bytes, EXTRA_CHILDREN) == more->address + EXTRA_OWN
                                  ? 0
                                  : items_bytes(u64_at(bytes, EXTRA_ALLOCATED), 8));
    case MORE_TUPLE:
        return items_bytes(u64_at(bytes, layout->ob_size), 8);
    case MORE_OPCODES:
        return items_bytes(u64_at(bytes, layout->ob_size) / 2, 1);
    case MORE_MEMO:
        return MEMO_BYTES + items_bytes(u64_at(bytes, MEMO_ALLOCATED), MEMO_ENTRY);
    case MORE_TEXT:
        return strnlen((const char *)bytes, SIZE_MORE_BYTES - 1) + 1;
    case MORE_FRAME:
    case MORE_NOTHING:
        break;
    }
    return 0;
}

bool object_size_leads(const struct object_layout *layout, struct size_more *more,
                       const uint8_t bytes[SIZE_MORE_BYTES])
{
    uint64_t code;

    if (more->what != MORE_FRAME)
        return false;
    code = u64_at(bytes, layout->frame_code) & ~UINT64_C(7);
    more->what = MORE_CODE;
    more->address =
        code + (layout->code_framesize ? layout->code_framesize : layout->code_stacksize);
    return code != 0;
}
