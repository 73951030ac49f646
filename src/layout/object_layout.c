#include "layout/object_layout.h"

#include <stddef.h>
#include <string.h>

#define MINOR_FIRST 8
#define MINOR_LAST  15

/*
 * sizeof(PyTypeObject), sizeof(PyHeapTypeObject) and the tail of the latter
 * (Include/cpython/object.h) move with every minor version.
 */
struct type_row {
    uint16_t type_bytes, heap_type_bytes, ht_qualname, ht_cached_keys, ht_module;
};

static const struct type_row type_rows[] = {
    {416, 880, 864, 872, 0},   /* 3.8 */
    {408, 880, 856, 864, 872}, /* 3.9 */
    {408, 888, 864, 872, 880}, /* 3.10 */
    {408, 904, 864, 872, 880}, /* 3.11 */
    {416, 920, 872, 880, 888}, /* 3.12 */
    {416, 928, 872, 880, 888}, /* 3.13 */
    {416, 936, 872, 880, 888}, /* 3.14 */
    {424, 944, 880, 888, 896}, /* 3.15 */
};

/* PyObject, PyVarObject, PyTypeObject: the same offsets in 3.8 - 3.15. */
static void layout_headers(struct object_layout *layout)
{
    const struct type_row *row = &type_rows[layout->minor - MINOR_FIRST];

    layout->ob_refcnt = 0;
    layout->ob_type = 8;
    layout->ob_size = 16;
    layout->tp_name = 24;
    layout->tp_basicsize = 32;
    layout->tp_itemsize = 40;
    layout->tp_flags = 168;
    layout->tp_doc = 176;
    layout->tp_weaklistoffset = 208;
    layout->tp_base = 256;
    layout->tp_dict = 264;
    layout->tp_dictoffset = 288;
    layout->type_bytes = row->type_bytes;
    layout->heap_type_bytes = row->heap_type_bytes;
    layout->ht_qualname = row->ht_qualname;
    layout->ht_cached_keys = row->ht_cached_keys;
    layout->ht_module = row->ht_module;
    layout->refcnt_never =
        layout->minor >= 14 ? UINT64_C(0xfff0ffff00000000) : UINT64_C(0xffffffff00000000);
    layout->refcnt_immortal = layout->minor >= 12 ? UINT64_C(1) << 31 : 0;
    if (layout->minor >= 12)
        layout->pre_header_flags = TYPE_FLAG_MANAGED_DICT | TYPE_FLAG_MANAGED_WEAKREF;
    else if (layout->minor == 11)
        layout->pre_header_flags = TYPE_FLAG_MANAGED_DICT;
}

/* PyASCIIObject lost `wstr` and PyCompactUnicodeObject `wstr_length` in 3.12. */
static void layout_str(struct object_layout *layout)
{
    bool has_wstr = layout->minor <= 11;

    layout->str_length = 16;
    layout->str_state = 32;
    layout->str_ascii_bytes = has_wstr ? 48 : 40;
    layout->str_compact_bytes = has_wstr ? 72 : 56;
    layout->str_utf8_length = has_wstr ? 48 : 40;
    layout->str_utf8 = has_wstr ? 56 : 48;
    layout->str_data = layout->str_compact_bytes;
    layout->str_wstr = has_wstr ? 40 : 0;
    layout->str_wstr_length = has_wstr ? 64 : 0;
}

/* PyDictObject is the same everywhere; PyDictKeysObject changed in 3.11. */
static void layout_dict(struct object_layout *layout)
{
    bool is_log2 = layout->minor >= 11;

    layout->dict_used = 16;
    layout->dict_keys = 32;
    layout->dict_values = 40;
    layout->odict_fast_nodes = 72; /* odictobject.c: od_fast_nodes_size */
    layout->odict_first = 48;
    layout->keys_is_log2 = is_log2;
    layout->keys_header_bytes = is_log2 ? 32 : 40;
    layout->keys_refcnt = 0;
    layout->keys_size = 8; /* u8 dk_log2_size, or i64 dk_size */
    layout->keys_log2_index = is_log2 ? 9 : 0;
    layout->keys_kind = is_log2 ? 10 : 0;
    layout->keys_usable = is_log2 ? 16 : 24;
    layout->keys_nentries = is_log2 ? 24 : 32;
}

static void layout_containers(struct object_layout *layout)
{
    layout->list_items = 24;
    layout->list_allocated = 32;
    layout->tuple_items = layout->minor >= 14 ? 32 : 24; /* tupleobject.h ob_item */
    layout->set_mask = 32;
    layout->set_table = 40;
    layout->set_small_table = 64;
    layout->int_digits_bytes = 24;
    layout->int_is_tagged = layout->minor >= 12;
    layout->int_has_one_digit = layout->minor >= 11;
    layout->bytearray_alloc = 24;
    layout->bytearray_bytes = 32;
    layout->bytearray_is_bytes = layout->minor >= 15;
    layout->deque_left_block = 24;
    layout->deque_left_index = 40;
    layout->array_items = 24;
    layout->array_allocated = 32;
    layout->array_descr = 40;
}

/* _f_frame_data, and what stands in front of localsplus. */
static void layout_frame(struct object_layout *layout)
{
    if (layout->minor < 11)
        return;
    layout->frame_inner = 24;
    layout->frame_code = layout->minor == 11 ? 32 : 0;
    layout->frame_data = layout->minor <= 12 ? 48 : layout->minor == 13 ? 64 : 72;
    layout->frame_bytes =
        (uint16_t)(layout->frame_data + (layout->minor >= 14 ? 80 : 72));
    if (layout->minor >= 12)
        layout->frame_extra_words = layout->minor >= 14 ? 10 : 9;
}

/* code.h PyCodeObject, genobject.h: a generator holds its frame from 3.11 on. */
static void layout_code(struct object_layout *layout)
{
    layout->code_is_var = layout->minor >= 11;
    if (layout->minor == 11) {
        layout->gen_code = 112;
        layout->gen_bytes = 152;
        layout->gen_locals = 152;
        layout->gen_state = 75;
        layout->code_stacksize = 68;
        layout->code_nlocalsplus = 76;
    } else if (layout->minor >= 12) {
        layout->gen_code = 72;
        layout->gen_bytes = 72;
        layout->gen_locals = layout->minor >= 14 ? 152 : 144;
        layout->gen_state = 67;
        layout->code_framesize = 76;
    }
    layout->slots_top_before = layout->minor >= 14 ? 16 : 8;
    layout->gen_state_first = layout->minor >= 15 ? 0 : -3; /* created */
    layout->gen_state_last = layout->minor >= 15 ? 3 : -1;  /* suspended */
}

bool object_layout_for(uint8_t major, uint8_t minor, struct object_layout *layout)
{
    if (major != 3 || minor < MINOR_FIRST || minor > MINOR_LAST)
        return false;
    memset(layout, 0, sizeof(*layout));
    layout->minor = minor;
    layout_headers(layout);
    layout_str(layout);
    layout_dict(layout);
    layout_containers(layout);
    layout_code(layout);
    layout_frame(layout);
    return true;
}

uint32_t object_prefix_bytes(const struct object_layout *layout, uint64_t type_flags)
{
    uint32_t prefix = type_flags & TYPE_FLAG_HAVE_GC ? GC_HEAD_BYTES : 0;

    if (type_flags & layout->pre_header_flags)
        prefix += 16;
    return prefix;
}
