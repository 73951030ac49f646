/*
 * object_parts.h - where the rest of an object lies: what its pointers lead to that no
 * other object has.
 *
 * A list has its items in a block of their own, a dict its table of keys, an instance
 * its dict. From the bytes of one object come the addresses of such parts; whose block
 * that is, and that it is charged once only, is up to who asks. Types that nobody
 * foresaw have learned fields, which the walk finds out; what the parts of those lead to
 * in turn is not among an object's parts here, for it stands in other memory.
 *
 * Everything in the object is hostile. Pure; any thread.
 */
#ifndef HEAPTOP_LAYOUT_OBJECT_PARTS_H
#define HEAPTOP_LAYOUT_OBJECT_PARTS_H

#include "layout/object_size.h"
#include "util/bytes.h"

#define OBJECT_PARTS_MAX (8 + OBJECT_LEARNED_MAX)

enum object_part_what {
    OBJECT_PART_BLOCK = 0, /* the block that the address lies in */
    OBJECT_PART_START,     /* the block that begins there, if one does */
    OBJECT_PART_KEYS,      /* a table of keys that getsizeof counts too */
    OBJECT_PART_SIZED,     /* a block that getsizeof counts as large as it is */
    OBJECT_PART_DICT,      /* an instance's dict: an object of its own */
    OBJECT_PART_CHAIN,     /* the first of `count` blocks that link to each other */
};

struct object_part {
    uint64_t address;
    uint64_t bytes; /* that it has at least; 0 = not known */
    uint64_t count;
    uint32_t link_at; /* in a block of a chain: where the next one's address stands */
    enum object_part_what what;
};

/*
 * pycore_object.h, pycore_dict.h: a managed dict stands 24 bytes in front of the object.
 * 3.11: the values 32 bytes in front. 3.12: values are told from a dict by the low bit.
 * 3.13+: values are in the object itself. 0 = there is none.
 */
static inline void object_managed(const struct object_layout *layout,
                                  const uint8_t *object, uint64_t *values, uint64_t *dict)
{
    *dict = u64_at(object - 24, 0);
    *values = layout->minor == 11 ? u64_at(object - 32, 0) : 0;
    if (layout->minor == 12 && *dict & 1) {
        *values = *dict + 1;
        *dict = 0;
    }
}

/* Completes the shape: tp_flags and tp_dictoffset say where instances have their dict. */
void object_shape_parts(struct object_shape *shape, const struct object_layout *layout,
                        uint64_t flags, int64_t dict_offset);

/* Notes a field that leads to the beginning of a part; false when there is no room. */
bool object_shape_learn(struct object_shape *shape, uint32_t offset);

/* Notes that in the part of a learned field a word leads to the beginning of one more;
 * false when that is known already, or there is no room. */
bool object_shape_link(struct object_shape *shape, uint32_t field, uint32_t link_at);

/* The parts of one object. Words in front of it are read where its shape has them. */
size_t object_parts(const struct object_layout *layout, const struct object_shape *shape,
                    const struct object_view *view,
                    struct object_part parts[OBJECT_PARTS_MAX]);

/* What a plain dict leads to: its values when it has any, else its keys. */
uint64_t object_dict_table(const struct object_layout *layout,
                           const struct object_view *view, bool *is_split);

#endif
