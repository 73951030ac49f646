/*
 * object_layout.h - offsets inside Python objects, by version.
 *
 * Filled by object_layout_for(); used by the walk. The formulas of
 * sys.getsizeof live beside it (object_size.h), so that a fact about an
 * object has exactly one home.
 */
#ifndef HEAPTOP_LAYOUT_OBJECT_LAYOUT_H
#define HEAPTOP_LAYOUT_OBJECT_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

struct object_layout {
    uint8_t minor; /* 8 .. 15 */
    /* Include/object.h PyObject, PyVarObject: the same in 3.8 - 3.15. */
    uint16_t ob_refcnt, ob_type, ob_size;
    /* Include/cpython/object.h PyTypeObject and PyHeapTypeObject. */
    uint16_t tp_name, tp_basicsize, tp_itemsize, tp_flags, tp_base, tp_dict, tp_dictoffset;
    uint16_t type_bytes, heap_type_bytes, ht_qualname, ht_cached_keys, ht_module;
    /* More is added by the walk's author: str, int, dict, keys, list, set, ... */
    uint16_t str_ascii_bytes, str_compact_bytes, str_state, str_length;
    uint16_t dict_used, dict_keys, dict_values;
};

/* False when the version is not known. */
bool object_layout_for(uint8_t major, uint8_t minor, struct object_layout *layout);

#endif
