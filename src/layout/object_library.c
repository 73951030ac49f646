#include "layout/object_library.h"

#include <stdlib.h>
#include <string.h>

#include "util/bytes.h"

#define NDARRAY_ND_READ \
    (SIZE_MORE_BYTES / 16) /* of more dimensions the data is not known */

/* numpy/core/src/multiarray/scalartypes.c.src gentype_sizeof: the size of the value and
 * the basic size, of which the value is a part. What has a number in its name has that
 * many bits. */
uint8_t object_value_of_name(const char *name)
{
    static const char *const numbers[] = {"int", "uint", "float", "complex"};
    static const struct {
        const char *name;
        uint8_t bytes;
    } words[] = {
        {"bool_", 1},     {"bool", 1},       {"longlong", 8},
        {"ulonglong", 8}, {"datetime64", 8}, {"timedelta64", 8},
    };
    unsigned long bits;

    if (strncmp(name, "numpy.", 6))
        return 0;
    name += 6;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (!strcmp(name, words[i].name))
            return words[i].bytes;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        size_t length = strlen(numbers[i]);

        if (strncmp(name, numbers[i], length))
            continue;
        bits = strtoul(name + length, NULL, 10);
        return bits <= 256 ? (uint8_t)(bits / 8) : 0;
    }
    return 0;
}

/* methods.c array_sizeof: what is in its own block and in that of the dimensions. */
static uint64_t ndarray_bytes(const struct object_view *view, struct size_more *more)
{
    uint64_t n_dimensions = (uint32_t)view_u64(view, NDARRAY_ND);

    if (n_dimensions > NDARRAY_ND_MAX)
        return 0;
    more->items = n_dimensions;
    more->address = view_u64(view, NDARRAY_DIMENSIONS);
    if (view_u64(view, NDARRAY_FLAGS) & NDARRAY_OWNS_DATA && n_dimensions &&
        n_dimensions <= NDARRAY_ND_READ && more->address)
        more->what = MORE_NDARRAY;
    return n_dimensions * 16;
}

/* The data that an array owns has no gaps, so that its longest stride says how much
 * there is: also of what is stored column by column. */
uint64_t library_ndarray_data(const uint8_t *bytes, uint64_t n_dimensions)
{
    uint64_t data = 0;

    for (size_t i = 0; i < n_dimensions && i < NDARRAY_ND_READ; i++) {
        uint64_t length = u64_at(bytes, i * 8);
        uint64_t stride = absolute(u64_at(bytes, (n_dimensions + i) * 8));
        uint64_t span = stride <= ITEMS_MAX && length <= ITEMS_MAX / (stride ? stride : 1)
                            ? length * stride
                            : 0;

        if (!length)
            return 0;
        if (span > data)
            data = span;
    }
    return data;
}

/* _decimal.c dec___sizeof__. */
static uint64_t decimal_bytes(const struct object_view *view)
{
    if (view_u64(view, DECIMAL_FLAGS) & DECIMAL_OTHERS_DATA)
        return 0;
    return items_bytes(view_u64(view, DECIMAL_ALLOC), 8);
}

/* itertoolsmodule.c product_sizeof, combinations_sizeof, permutations_sizeof. */
static uint64_t itertools_bytes(const struct object_shape *shape,
                                const struct object_view *view, struct size_more *more)
{
    if (shape->rule != OBJECT_COMBINATIONS) {
        more->address = view_u64(view, ITERTOOLS_TUPLE);
        more->what = more->address ? MORE_TUPLE : MORE_NOTHING;
    }
    if (shape->rule == OBJECT_PRODUCT)
        return 0;
    return items_bytes(view_u64(view, shape->rule == OBJECT_COMBINATIONS
                                          ? COMBINATIONS_R
                                          : PERMUTATIONS_R),
                       8);
}

struct ctypes_info object_ctypes_info(const struct object_layout *layout)
{
    uint32_t at = (layout->heap_type_bytes + 15u) & ~15u;
    uint32_t format = at + (layout->minor >= 14 ? 144 : 136);

    if (layout->minor < 13)
        return (struct ctypes_info){64, 88, 168, 176, 184};
    return (struct ctypes_info){at + 24, at + 48, format, format + 8, format + 16};
}

/* stgdict.c PyCStgDict_sizeof, _ctypes.c _ctypes_CType_Type___sizeof___impl: without its
 * own block. */
uint64_t library_ctypes_bytes(const struct object_layout *layout,
                              const struct object_view *view, struct size_more *more)
{
    struct ctypes_info info = object_ctypes_info(layout);
    uint64_t bytes = items_bytes((uint32_t)view_u64(view, info.n_dimensions), 8);

    if (view_u64(view, info.elements))
        bytes += items_bytes(view_u64(view, info.length) + 1, 8);
    more->address = view_u64(view, info.format);
    more->what = more->address ? MORE_TEXT : MORE_NOTHING;
    return bytes;
}

uint32_t object_unpickler_marks(const struct object_shape *shape)
{
    switch (shape->basicsize) {
    case 264:
    case 272:
        return (uint32_t)shape->basicsize - 16;
    case 296:
    case 304:
        return (uint32_t)shape->basicsize - 24;
    default:
        return 0;
    }
}

/* _pickle.c _pickle_Unpickler___sizeof___impl. */
static uint64_t unpickler_bytes(const struct object_shape *shape,
                                const struct object_view *view, struct size_more *more)
{
    uint32_t marks = object_unpickler_marks(shape);

    if (!marks)
        return 0;
    for (int i = 0; i < 2; i++) {
        more[i].address =
            view_u64(view, marks - (i ? UNPICKLER_ERRORS : UNPICKLER_ENCODING));
        more[i].what = more[i].address ? MORE_TEXT : MORE_NOTHING;
    }
    return items_bytes(view_u64(view, UNPICKLER_SIZE), 8) +
           items_bytes(view_u64(view, marks), 8);
}

/* Types of the standard library that have more than their own block. */
uint64_t library_bytes(const struct object_shape *shape, const struct object_view *view,
                       struct size_more *more)
{
    switch (shape->rule) {
    case OBJECT_NDARRAY:
        return ndarray_bytes(view, more);
    case OBJECT_DECIMAL:
        return decimal_bytes(view);
    case OBJECT_PRODUCT:
    case OBJECT_COMBINATIONS:
    case OBJECT_PERMUTATIONS:
        return itertools_bytes(shape, view, more);
    case OBJECT_BUFFERED:
        if (shape->basicsize < BUFFERED_BASICSIZE || !view_u64(view, BUFFERED_BUFFER))
            return 0;
        return items_bytes(view_u64(view, BUFFERED_SIZE), 1);
    case OBJECT_BYTES_IO:
        more->address = view_u64(view, BYTES_IO_BUFFER);
        more->what = more->address ? MORE_BYTES_IO : MORE_NOTHING;
        return 0;
    case OBJECT_UNPICKLER:
        return unpickler_bytes(shape, view, more);
    case OBJECT_PICKLER:
        more->address = view_u64(view, PICKLER_MEMO);
        more->what = more->address ? MORE_MEMO : MORE_NOTHING;
        return 0;
    case OBJECT_ELEMENT:
        more->address = view_u64(view, ELEMENT_EXTRA);
        more->what = more->address ? MORE_ELEMENT : MORE_NOTHING;
        return 0;
    default:
        return 0;
    }
}
