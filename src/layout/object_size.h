/*
 * object_size.h - what sys.getsizeof would say, from the bytes of an object.
 *
 * A `struct object_shape` says by which rule the instances of a type are
 * sized. Everything in the object is hostile: a number that no real object
 * could have counts as nothing. What lies elsewhere (a dict's keys table, the
 * code of a generator) is asked for with a `struct size_more`, and resolved
 * when its bytes have been read.
 *
 * Pure: no reading, no allocation; any thread.
 */
#ifndef HEAPTOP_LAYOUT_OBJECT_SIZE_H
#define HEAPTOP_LAYOUT_OBJECT_SIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "layout/object_layout.h"

enum object_rule {
    OBJECT_FIXED = 0, /* basicsize */
    OBJECT_VAR,       /* basicsize + itemsize * ob_size */
    OBJECT_LOOSE,     /* as fixed, but its block may have any size from basicsize on */
    OBJECT_DATETIME,  /* fixed; without a time zone the block is shorter */
    OBJECT_INT,
    OBJECT_STR,
    OBJECT_LIST,
    OBJECT_DICT,
    OBJECT_ORDERED_DICT,
    OBJECT_SET,
    OBJECT_BYTEARRAY,
    OBJECT_DEQUE,
    OBJECT_ARRAY,
    OBJECT_NDARRAY,
    OBJECT_DECIMAL,
    OBJECT_CODE,
    OBJECT_GENERATOR,
    OBJECT_FRAME,
    OBJECT_BYTES_IO,
    OBJECT_BUFFERED,
    OBJECT_STRUCT, /* _struct.Struct */
    OBJECT_ELEMENT,
    OBJECT_TYPE,
    OBJECT_WEAKREF, /* as fixed; it does not hold what it refers to */
    OBJECT_PRODUCT, /* itertools: as many items as its tuple has */
    OBJECT_COMBINATIONS,
    OBJECT_PERMUTATIONS,
    OBJECT_STG_DICT, /* a dict, and what ctypes knows of a class; 3.8 - 3.12 */
    OBJECT_MODULE,   /* as fixed; what its C code keeps */
    OBJECT_PICKLER,
    OBJECT_UNPICKLER,
    OBJECT_QUEUE,   /* _queue.SimpleQueue, 3.13 and later */
    OBJECT_BUILTIN, /* a function in C, as fixed; what describes it to Python */
    OBJECT_CTYPE,   /* of a name only: a class of ctypes, by the rule of any class */
};

#define OBJECT_LEARNED_MAX     8
#define OBJECT_LINKED_MAX      4
#define OBJECT_DICT_OFFSET_MAX 4096 /* of a type with fixed slots before its dict */

/* How the instances of one type are laid out. */
struct object_shape {
    uint64_t basicsize, itemsize;
    uint32_t
        prefix; /* bytes between the block (after debug hooks' bytes) and the object */
    uint32_t overhead; /* what debug hooks add to its block: 0 or OBJECT_DEBUG_BYTES */
    bool has_gc_head;
    bool has_inline_values; /* 3.13+: attributes stand behind it; any block from there on
                             */
    bool is_ctype;          /* a class of ctypes: it holds a ctypes_info() */
    uint8_t value_bytes;    /* numpy's scalars: getsizeof counts their value once more */
    enum object_rule rule;
    /* Where its parts are (object_parts.h). */
    bool has_parts, is_managed; /* managed: its dict or values stand in front of it */
    int32_t dict_offset;        /* tp_dictoffset of what is not managed; 0 = none */
    uint32_t n_learned;
    uint16_t learned[OBJECT_LEARNED_MAX]; /* offsets of fields that lead to parts */
    uint32_t n_linked;
    struct object_linked {
        uint16_t field, link_at; /* a learned field, and where in its part a word leads
                                    to one more */
    } linked[OBJECT_LINKED_MAX];
};

/* obmalloc.c _PyMem_DebugRawAlloc, 3.8 - 3.15: 16 bytes before a block, 8 behind.
 * Before it: the size asked for (big-endian), the api's letter, 7 FORBIDDENBYTEs. */
#define OBJECT_DEBUG_BYTES        24
#define OBJECT_DEBUG_PREFIX_BYTES 16
#define OBJECT_DEBUG_ID           8 /* where the letter stands in the prefix */

/* The letter ('r', 'm', 'o') if these 8 bytes end a debug prefix, else 0. */
static inline char object_debug_id(const uint8_t id[8])
{
    if (id[0] != 'r' && id[0] != 'm' && id[0] != 'o')
        return 0;
    for (int i = 1; i < 8; i++)
        if (id[i] != 0xfd)
            return 0;
    return (char)id[0];
}

/* Include/cpython/weakrefobject.h PyWeakReference, 3.8 - 3.15: wr_object, wr_callback,
 * the hash, and the links among those of one object. */
#define WEAKREF_CALLBACK 24
#define WEAKREF_HASH     32
#define WEAKREF_LINKED   56

/* _collectionsmodule.c block: a link to the left, the items, a link to the right. */
#define DEQUE_ITEMS 64
#define DEQUE_BLOCK (8 * (1 + DEQUE_ITEMS + 1))

/* code.h PyCodeObject, 3.8 - 3.10 (not code_is_var): co_cell2arg, co_opcache_map and
 * co_opcache, each a block of its own. */
#define CODE_CELL2ARG    96
#define CODE_OPCACHE_MAP 152
#define CODE_OPCACHE     160

/* The same, 3.12 and later: _co_cached, what was made for co_code and the like; 3.13 and
 * later behind co_executors. */
#define CODE_CACHED_312 152
#define CODE_CACHED     160

/* pycore_moduleobject.h PyModuleObject.md_state: behind md_def, 3.15: behind md_dict. */
#define MODULE_STATE     32
#define MODULE_STATE_315 24

/* methodobject.h PyCFunctionObject.m_ml, 3.8 - 3.15: mostly static data; who makes
 * functions as it runs (cffi, pybind11) has a block for each. */
#define BUILTIN_METHOD 16

/* _pickle.c PicklerObject.memo; PyMemoTable: allocated, table; PyMemoEntry. */
#define PICKLER_MEMO   16
#define MEMO_BYTES     32
#define MEMO_ALLOCATED 16
#define MEMO_TABLE     24
#define MEMO_ENTRY     16
/* UnpicklerObject: memo, memo_size; encoding, errors, marks, num_marks and marks_size
 * stand before its last 16 bytes, or 24 from late 3.13 on. Its size says which. */
#define UNPICKLER_MEMO     24
#define UNPICKLER_SIZE     32
#define UNPICKLER_ENCODING 32 /* before marks_size */
#define UNPICKLER_ERRORS   24
#define UNPICKLER_MARKS    16

/* _queuemodule.c simplequeueobject.buf: items, items_cap. */
#define QUEUE_ITEMS    40
#define QUEUE_CAPACITY 48

/* numpy/ndarraytypes.h PyArrayObject_fields, the same in 1.x and 2.x: data, nd,
 * dimensions (the strides follow them in the same block), base, descr, flags;
 * PyArray_Descr: kind, 'O' for objects. */
#define NDARRAY_DATA       16
#define NDARRAY_ND         24
#define NDARRAY_DIMENSIONS 32
#define NDARRAY_BASE       48
#define NDARRAY_DESCR      56
#define NDARRAY_FLAGS      64
#define NDARRAY_OWNS_DATA  4
#define NDARRAY_ND_MAX     64
/* numpy 1.20 and later, buffer.c: _buffer_info, what was told to who asked for the data
 * by the buffer protocol; 3 is added to its address. A _buffer_info_t begins with its
 * format. */
#define NDARRAY_EXPORTS     80
#define NDARRAY_EXPORTS_TAG 3
#define EXPORTS_FORMAT      0
#define DESCR_KIND          24

/* _decimal.c PyDecObject: the mpd_t behind the hash; mpdecimal.h: flags, alloc, data. */
#define DECIMAL_FLAGS       24
#define DECIMAL_ALLOC       56
#define DECIMAL_DATA        64
#define DECIMAL_OTHERS_DATA 0xe0 /* MPD_DATAFLAGS: its own words, shared or constant */

/* _io/bytesio.c bytesio; bytesobject.c: sizeof(PyBytesObject) with its last byte. */
#define BYTES_IO_BUFFER 16
#define BYTES_BYTES     33

/* _io/bufferedio.c buffered, 3.8 - 3.15 while its size is this. */
#define BUFFERED_BASICSIZE 152
#define BUFFERED_BUFFER    56
#define BUFFERED_SIZE      120

/* _struct.c PyStructObject: s_codes, and formatcode. */
#define STRUCT_CODES      32
#define STRUCT_CODE_BYTES 32

/* _elementtree.c ElementObject: extra; ElementObjectExtra: attrib, length, allocated,
 * children, _children[4]. */
#define ELEMENT_EXTRA   40
#define EXTRA_ALLOCATED 16
#define EXTRA_CHILDREN  24
#define EXTRA_OWN       32
#define EXTRA_BYTES     64

/* itertoolsmodule.c productobject, combinationsobject, cwrobject, permutationsobject, 3.8
 * - 3.15: the tuple, the indices, ..., r. */
#define ITERTOOLS_TUPLE 16
#define COMBINATIONS_R  40
#define PERMUTATIONS_R  48

/* dictobject.h PyDictObject. */
#define PLAIN_DICT_BYTES 48

/* _ctypes/ctypes.h StgDictObject (3.8 - 3.12: behind the dict), StgInfo (3.13+: behind
 * the class, aligned as any data is): where the fields that lead to memory stand. */
struct ctypes_info {
    uint32_t length, elements, format, n_dimensions, shape;
};

struct ctypes_info object_ctypes_info(const struct object_layout *layout);

/* The bytes of one object: from its start to the end of its block. */
struct object_view {
    const uint8_t *bytes;
    size_t length;
    uint64_t address; /* of the object in the target */
};

enum size_more_what {
    MORE_NOTHING = 0,
    MORE_KEYS,      /* a dict's keys table: charged when not shared */
    MORE_VALUES,    /* the same, and `values` pointers according to it */
    MORE_TYPE_KEYS, /* a class's cached keys: always charged */
    MORE_CODE,      /* a generator's code: how many slots its frame has */
    MORE_FRAME,     /* what a frame object stands for: leads to its code */
    MORE_BYTES_IO,  /* its buffer, a bytes object: charged when not shared */
    MORE_ELEMENT,   /* what an Element has when it has attributes or children */
    MORE_ARRAY,     /* array.array's item description: the size of an item */
    MORE_NDARRAY,   /* numpy's dimensions and strides: the data that it owns */
    MORE_TUPLE,     /* a tuple: one word for each of its items */
    MORE_OPCODES,   /* a code's bytes: one byte for each instruction */
    MORE_MEMO,      /* a pickler's table of what it has seen */
    MORE_TEXT,      /* characters up to a 0: no more of them than are read */
};

#define SIZE_MORE_BYTES 64 /* enough of any of them */
#define SIZE_MORE_MAX   2  /* places that one object has */

struct size_more {
    enum size_more_what what;
    uint64_t address; /* to read SIZE_MORE_BYTES from; what it needs starts there */
    uint64_t items;   /* MORE_ARRAY: how many; MORE_NDARRAY: dimensions */
};

/* What of its instances is the same for all; false when the type is impossible. */
bool object_shape_init(struct object_shape *shape, const struct object_layout *layout,
                       uint64_t basicsize, uint64_t itemsize, uint64_t flags);

/* The rule that the name of a static type brings, or OBJECT_FIXED. Generators
 * and such are known by name only. */
enum object_rule object_rule_of_name(const struct object_layout *layout,
                                     const char *name);

/* Where an Unpickler has marks_size; 0 = it is a subclass, or of a version not known. */
uint32_t object_unpickler_marks(const struct object_shape *shape);

/* How large the value in a scalar of numpy is that has this name; 0 = it is none. */
uint8_t object_value_of_name(const char *name);

/* Could an object of this shape fill a block of so many bytes? */
bool object_fits(const struct object_layout *layout, const struct object_shape *shape,
                 const struct object_view *view, uint32_t block_bytes);

/* unicodeobject.h: kind 1 (bits 2-4), compact, ascii. */
#define STR_COMPACT_ASCII 0x64

/* Is this str the one of its text? The low two bits of its state, 3.8 - 3.15. */
static inline bool object_str_is_interned(const struct object_layout *layout,
                                          const struct object_view *view)
{
    return view->length > layout->str_state && view->bytes[layout->str_state] & 3;
}

/* May its block be larger than its size tells? */
bool object_is_loose(const struct object_shape *shape);

/* Is the answer of object_fits() the same for all blocks of one size? */
bool object_fits_is_constant(const struct object_shape *shape);

/* Is the answer of object_size() the same for all objects of the shape? */
bool object_size_is_constant(const struct object_shape *shape);

/* Bytes that an object of this shape takes of its block, prefix and debug hooks
 * included; for loose shapes at least. */
uint64_t object_block_need(const struct object_layout *layout,
                           const struct object_shape *shape,
                           const struct object_view *view);

/* As getsizeof, the prefix included; `more` is what is still to be added. */
uint64_t object_size(const struct object_layout *layout, const struct object_shape *shape,
                     const struct object_view *view,
                     struct size_more more[SIZE_MORE_MAX]);

/* Where `more` leads to something else that is to be read, when it does: false, or the
 * same with another address. */
bool object_size_leads(const struct object_layout *layout, struct size_more *more,
                       const uint8_t bytes[SIZE_MORE_BYTES]);

/* What `more` adds, from the bytes at its address. *is_shared: the answer holds for
 * every object with the same address, so it may be remembered. */
uint64_t object_size_more(const struct object_layout *layout,
                          const struct size_more *more,
                          const uint8_t bytes[SIZE_MORE_BYTES], bool *is_shared);

#endif
