/*
 * objects_quick.h - the commonest objects, sized in a few instructions: to the same
 * result as object_size() and object_block_need(), without the prefix of their type.
 * Pure.
 */
#ifndef HEAPTOP_SOURCE_OBJECTS_QUICK_H
#define HEAPTOP_SOURCE_OBJECTS_QUICK_H

#include <stdint.h>

#include "layout/object_layout.h"
#include "layout/object_size.h"
#include "source/objects_types.h"
#include "util/bytes.h"

#define QUICK_ITEMS (1u << 20) /* more are sized slowly */

/* Compact ascii without more than its own block: the commonest. 0 = any other. */
static inline uint64_t quick_str(const struct object_layout *layout,
                                 const uint8_t *object)
{
    uint64_t length = u64_at(object, layout->str_length);

    if ((object[layout->str_state] & STR_COMPACT_ASCII) != STR_COMPACT_ASCII ||
        length > QUICK_ITEMS || (layout->str_wstr && u64_at(object, layout->str_wstr)))
        return 0;
    return layout->str_ascii_bytes + length + 1;
}

static inline uint64_t quick_int(const struct object_layout *layout,
                                 const uint8_t *object)
{
    uint64_t digits = u64_at(object, layout->ob_size);

    digits = layout->int_is_tagged ? digits >> 3 : digits;
    digits += !digits && layout->int_has_one_digit;
    return digits <= QUICK_ITEMS ? layout->int_digits_bytes + digits * 4 : 0;
}

/* A str or int that has no parts; 0 = any other, or hardly a byte of it is known. */
static inline uint64_t quick_object(const struct object_layout *layout,
                                    const struct type_entry *entry,
                                    const struct object_view *view)
{
    if (entry->shape.prefix || entry->shape.dict_offset)
        return 0;
    if (entry->shape.rule == OBJECT_STR && view->length >= layout->str_ascii_bytes)
        return quick_str(layout, view->bytes);
    if (entry->shape.rule == OBJECT_INT && !entry->shape.has_parts &&
        view->length >= layout->int_digits_bytes)
        return quick_int(layout, view->bytes);
    return 0;
}

#endif
