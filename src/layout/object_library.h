/*
 * object_library.h - the sizes of objects of the standard library and of numpy: of their
 * rules in object_size.h. Pure, as that is.
 */
#ifndef HEAPTOP_LAYOUT_OBJECT_LIBRARY_H
#define HEAPTOP_LAYOUT_OBJECT_LIBRARY_H

#include <string.h>

#include "layout/object_size.h"

#define ITEMS_MAX (UINT64_C(1) << 40) /* no container has more */

/* A word of the object; 0 where it is not in the view. */
static inline uint64_t view_u64(const struct object_view *view, size_t offset)
{
    uint64_t value = 0;

    if (offset <= view->length && view->length - offset >= sizeof(value))
        memcpy(&value, view->bytes + offset, sizeof(value));
    return value;
}

/* count * unit; nothing when no real object has so many. */
static inline uint64_t items_bytes(uint64_t count, uint64_t unit)
{
    return count <= ITEMS_MAX ? count * unit : 0;
}

static inline uint64_t absolute(uint64_t word)
{
    return (int64_t)word < 0 ? 0 - word : word;
}

/* What getsizeof counts beside the basic size; `more` is what is still to be added. */
uint64_t library_bytes(const struct object_shape *shape, const struct object_view *view,
                       struct size_more *more);

/* The same of a class of ctypes. */
uint64_t library_ctypes_bytes(const struct object_layout *layout,
                              const struct object_view *view, struct size_more *more);

/* The bytes of an array's data, from its dimensions and strides. */
uint64_t library_ndarray_data(const uint8_t *bytes, uint64_t n_dimensions);

#endif
