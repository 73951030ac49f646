/*
 * object_layout.h - offsets inside Python objects, by version.
 *
 * Filled by object_layout_for(); used by the walk. The formulas of
 * sys.getsizeof live beside it (object_size.h), so that a fact about an
 * object has exactly one home. Default (GIL) LP64 builds; 0 = this version has
 * no such member.
 */
#ifndef HEAPTOP_LAYOUT_OBJECT_LAYOUT_H
#define HEAPTOP_LAYOUT_OBJECT_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

/* Include/object.h, tp_flags: the same numbers wherever the flag exists. */
#define TYPE_FLAG_INLINE_VALUES   (UINT64_C(1) << 2) /* 3.13+ */
#define TYPE_FLAG_MANAGED_WEAKREF (UINT64_C(1) << 3) /* 3.12+ */
#define TYPE_FLAG_MANAGED_DICT    (UINT64_C(1) << 4) /* 3.11+ */
#define TYPE_FLAG_HEAP            (UINT64_C(1) << 9)
#define TYPE_FLAG_READY           (UINT64_C(1) << 12)
#define TYPE_FLAG_VERSION_TAG     (UINT64_C(1) << 18) /* all of Py_TPFLAGS_DEFAULT, 3.8 */
#define TYPE_FLAG_HAVE_GC         (UINT64_C(1) << 14)
#define TYPE_FLAG_INT             (UINT64_C(1) << 24)
#define TYPE_FLAG_LIST            (UINT64_C(1) << 25)
#define TYPE_FLAG_TUPLE           (UINT64_C(1) << 26)
#define TYPE_FLAG_BYTES           (UINT64_C(1) << 27)
#define TYPE_FLAG_STR             (UINT64_C(1) << 28)
#define TYPE_FLAG_DICT            (UINT64_C(1) << 29)
#define TYPE_FLAG_TYPE            (UINT64_C(1) << 31)

/* pycore_gc.h PyGC_Head: next @0, prev @8; the low two bits of both are flags. */
#define GC_HEAD_BYTES      16
#define GC_LINK_MASK       (~UINT64_C(3))
#define GC_PREV_COLLECTING UINT64_C(2) /* prev holds a count, not a link */

/* No object lies deeper in its block than this (GC head and pre-header). */
#define OBJECT_PREFIX_MAX 32

struct object_layout {
    uint8_t minor; /* 8 .. 15 */
    /* Include/object.h PyObject, PyVarObject: the same in 3.8 - 3.15. */
    uint16_t ob_refcnt, ob_type, ob_size;
    /* Include/cpython/object.h PyTypeObject and PyHeapTypeObject. */
    uint16_t tp_name, tp_basicsize, tp_itemsize, tp_flags, tp_doc, tp_base;
    uint16_t tp_dict, tp_weaklistoffset, tp_dictoffset;
    uint16_t type_bytes, heap_type_bytes, ht_qualname, ht_cached_keys, ht_module;

    /* The refcount word of a living object has none of these bits and is not 0
     * in its low half: counts stay below 2^32; 3.12+ use the low 32 bits only;
     * 3.14+ keep flags (< 16) in bits 48-63. Pointers fail the test. */
    uint64_t refcnt_never;
    uint64_t refcnt_immortal;  /* the bit that immortal objects have (3.12+), or 0 */
    uint64_t pre_header_flags; /* type flags that put 16 more bytes before the GC head */

    /* Include/cpython/unicodeobject.h */
    uint16_t str_ascii_bytes, str_compact_bytes, str_state, str_length;
    uint16_t str_utf8_length, str_utf8, str_data;
    uint16_t str_wstr, str_wstr_length; /* 3.8 - 3.11 */

    /* Include/cpython/dictobject.h, pycore_dict.h PyDictKeysObject */
    uint16_t dict_used, dict_keys, dict_values;
    uint16_t keys_header_bytes; /* of the keys table; the index follows */
    uint16_t keys_refcnt, keys_size, keys_log2_index, keys_kind, keys_usable,
        keys_nentries;
    bool keys_is_log2; /* 3.11+: sizes are stored as logarithms in bytes */
    /* odictobject.c: od_fast_nodes_size, behind od_fast_nodes; od_first */
    uint16_t odict_fast_nodes, odict_first;

    uint16_t list_items, list_allocated;
    uint16_t tuple_items; /* behind ob_hash in 3.14+ */
    uint16_t set_mask, set_table, set_small_table;
    uint16_t int_digits_bytes; /* offsetof(ob_digit) */
    bool int_is_tagged;        /* 3.12+: lv_tag >> 3 is the number of digits */
    bool int_has_one_digit;    /* 3.11+: getsizeof counts at least one */
    uint16_t bytearray_alloc, bytearray_bytes; /* ob_bytes */
    bool bytearray_is_bytes;                   /* 3.15: the buffer is a bytes object */
    uint16_t deque_left_block, deque_left_index;
    uint16_t array_items, array_allocated, array_descr;
    bool code_is_var; /* 3.11+: the byte code is in the object */

    /* Generators (genobject.h): 3.11+ hold their frame. */
    uint16_t gen_code;  /* pointer to the code object; 0 = not needed */
    uint16_t gen_bytes; /* 3.11+: size without slots (3.12+: without the frame) */
    /* 3.11+, pycore_frame.h _PyInterpreterFrame, in the generator: localsplus, and how
     * far in front of it stands stacktop, an int, so many slots are in use (-1: it runs)
     * - 3.14+: stackpointer, their end. */
    uint16_t gen_locals, slots_top_before;
    /* genobject.h gi_frame_state, a signed byte, and what it is (pycore_frame.h
     * _framestate) while the slots hold something and no code runs in them. */
    uint16_t gen_state;
    int8_t gen_state_first, gen_state_last;
    uint16_t code_stacksize; /* 3.11: slots = co_stacksize + co_nlocalsplus */
    uint16_t code_nlocalsplus;
    uint16_t code_framesize; /* 3.12+: co_framesize, in words */

    /* Frame objects, 3.11+ (pycore_frame.h PyFrameObject, _PyInterpreterFrame): f_frame,
     * the code in it, the size without slots, and how many words co_framesize counts
     * more than slots. */
    uint16_t frame_inner, frame_code, frame_bytes, frame_extra_words;
    uint16_t frame_data; /* _f_frame_data: f_frame leads there when the frame has ended */
};

/* By gi_frame_state: the slots of a generator hold something, and no code runs in them.
 */
static inline bool object_slots_are_still(const struct object_layout *layout,
                                          uint8_t state)
{
    return (int8_t)state >= layout->gen_state_first &&
           (int8_t)state <= layout->gen_state_last;
}

/* How many slots of the frame whose slots begin at the address are in use, by stacktop or
 * stackpointer; hostile: bounded by who reads them. */
static inline uint64_t object_slots_used(const struct object_layout *layout,
                                         uint64_t slots, uint64_t top)
{
    if (layout->minor >= 14)
        return (top - slots) / 8;
    return (int32_t)top > 0 ? (uint64_t)(int32_t)top : 0;
}

/* False when the version is not known. */
bool object_layout_for(uint8_t major, uint8_t minor, struct object_layout *layout);

/* Bytes between the start of an instance's block and the instance, from the
 * flags of its type: 0, 16 or 32. Also what getsizeof adds in front. */
uint32_t object_prefix_bytes(const struct object_layout *layout, uint64_t type_flags);

#endif
