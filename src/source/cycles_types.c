#include "source/cycles_types.h"

#include <stdlib.h>
#include <string.h>

#include "layout/object_parts.h"
#include "util/bytes.h"

#define TYPE_READ      304
#define TYPE_TRAVERSE  184 /* Include/cpython/object.h PyTypeObject.tp_traverse */
#define TYPE_EXCEPTION (UINT64_C(1) << 30) /* object.h Py_TPFLAGS_BASE_EXC_SUBCLASS */
#define NAME_BYTES     48
#define BASES_MOST     16                /* classes that derive from each other */
#define SLOTS_FIRST    ((size_t)1 << 10) /* a power of two */

struct named {
    const char *name;
    enum cycles_rule rule;
};

/* Types in C whose references stand in the object itself, or in tables known here; all
 * that they own they tell the collector. */
static const struct named known[] = {
    {"object", CYCLES_WORDS},
    {"int", CYCLES_WORDS},
    {"str", CYCLES_WORDS},
    {"bytes", CYCLES_WORDS},
    {"bytearray", CYCLES_WORDS},
    {"dict", CYCLES_WORDS},
    {"frozendict", CYCLES_WORDS},
    {"list", CYCLES_WORDS},
    {"tuple", CYCLES_WORDS},
    {"set", CYCLES_SET},
    {"frozenset", CYCLES_SET},
    {"function", CYCLES_WORDS},
    {"method", CYCLES_WORDS},
    {"cell", CYCLES_WORDS},
    {"property", CYCLES_WORDS},
    {"staticmethod", CYCLES_WORDS},
    {"classmethod", CYCLES_WORDS},
    {"generator", CYCLES_GENERATOR},
    {"coroutine", CYCLES_GENERATOR},
    {"async_generator", CYCLES_GENERATOR},
    {"async_generator_asend", CYCLES_WORDS},
    {"async_generator_athrow", CYCLES_WORDS},
    {"async_generator_wrapped_value", CYCLES_WORDS},
    {"coroutine_wrapper", CYCLES_WORDS},
    {"anext_awaitable", CYCLES_WORDS},
    {"traceback", CYCLES_WORDS},
    {"slice", CYCLES_WORDS},
    {"type", CYCLES_WORDS},
    {"module", CYCLES_WORDS},
    {"list_iterator", CYCLES_WORDS},
    {"list_reverseiterator", CYCLES_WORDS},
    {"tuple_iterator", CYCLES_WORDS},
    {"set_iterator", CYCLES_WORDS},
    {"str_iterator", CYCLES_WORDS},
    {"str_ascii_iterator", CYCLES_WORDS},
    {"bytes_iterator", CYCLES_WORDS},
    {"bytearray_iterator", CYCLES_WORDS},
    {"memory_iterator", CYCLES_WORDS},
    {"callable_iterator", CYCLES_WORDS},
    {"iterator", CYCLES_WORDS},
    {"dict_keys", CYCLES_WORDS},
    {"dict_values", CYCLES_WORDS},
    {"dict_items", CYCLES_WORDS},
    {"dict_keyiterator", CYCLES_WORDS},
    {"dict_valueiterator", CYCLES_WORDS},
    {"dict_itemiterator", CYCLES_WORDS},
    {"dict_reversekeyiterator", CYCLES_WORDS},
    {"dict_reversevalueiterator", CYCLES_WORDS},
    {"dict_reverseitemiterator", CYCLES_WORDS},
    {"odict_iterator", CYCLES_WORDS},
    {"odict_keys", CYCLES_WORDS},
    {"odict_values", CYCLES_WORDS},
    {"odict_items", CYCLES_WORDS},
    {"mappingproxy", CYCLES_WORDS},
    {"method-wrapper", CYCLES_WORDS},
    {"frame", CYCLES_FRAME},
    {"builtin_function_or_method", CYCLES_WORDS},
    {"builtin_method", CYCLES_WORDS},
    {"instancemethod", CYCLES_WORDS},
    {"weakref", CYCLES_WEAKREF},
    {"weakproxy", CYCLES_WEAKREF},
    {"weakcallableproxy", CYCLES_WEAKREF},
    {"weakref.ReferenceType", CYCLES_WEAKREF},
    {"weakref.ProxyType", CYCLES_WEAKREF},
    {"weakref.CallableProxyType", CYCLES_WEAKREF},
    {"map", CYCLES_WORDS},
    {"zip", CYCLES_WORDS},
    {"filter", CYCLES_WORDS},
    {"enumerate", CYCLES_WORDS},
    {"reversed", CYCLES_WORDS},
    {"super", CYCLES_WORDS},
    {"memoryview", CYCLES_WORDS},
    {"managedbuffer", CYCLES_WORDS},
    {"member_descriptor", CYCLES_WORDS},
    {"getset_descriptor", CYCLES_WORDS},
    {"wrapper_descriptor", CYCLES_WORDS},
    {"method_descriptor", CYCLES_WORDS},
    {"classmethod_descriptor", CYCLES_WORDS},
    {"types.GenericAlias", CYCLES_WORDS},
    {"types.UnionType", CYCLES_WORDS},
    {"types.SimpleNamespace", CYCLES_WORDS},
    {"typing.Union", CYCLES_WORDS},
    {"typing.TypeVar", CYCLES_WORDS},
    {"typing.ParamSpec", CYCLES_WORDS},
    {"typing.TypeVarTuple", CYCLES_WORDS},
    {"typing.TypeAliasType", CYCLES_WORDS},
    {"functools.partial", CYCLES_WORDS},
    {"functools.KeyWrapper", CYCLES_WORDS},
    {"functools._lru_cache_wrapper", CYCLES_LRU_CACHE},
    {"collections.deque", CYCLES_DEQUE},
    {"_collections._deque_iterator", CYCLES_WORDS},
    {"_collections._deque_reverse_iterator", CYCLES_WORDS},
    {"collections._tuplegetter", CYCLES_WORDS},
    {"collections.defaultdict", CYCLES_WORDS},
    {"collections.OrderedDict", CYCLES_ORDERED_DICT},
    {"operator.itemgetter", CYCLES_WORDS},
    {"operator.attrgetter", CYCLES_WORDS},
    {"operator.methodcaller", CYCLES_WORDS},
    {"Context", CYCLES_WORDS},
    {"Token", CYCLES_WORDS},
    {"ContextVar", CYCLES_CONTEXT_VAR},
    {"_contextvars.Context", CYCLES_WORDS},
    {"_contextvars.Token", CYCLES_WORDS},
    {"_contextvars.ContextVar", CYCLES_CONTEXT_VAR},
    {"hamt", CYCLES_WORDS},
    {"hamt_array_node", CYCLES_WORDS},
    {"hamt_bitmap_node", CYCLES_WORDS},
    {"hamt_collision_node", CYCLES_WORDS},
    {"_thread.lock", CYCLES_WORDS},
    {"_thread.RLock", CYCLES_WORDS},
    {"_thread._local", CYCLES_WORDS},
    {"StgDict", CYCLES_WORDS},
    {"_struct.Struct", CYCLES_WORDS},
    {"Struct", CYCLES_WORDS},
    {"array.array", CYCLES_WORDS},
    {"_io.BytesIO", CYCLES_WORDS},
    {"_io.StringIO", CYCLES_WORDS},
    {"_io.FileIO", CYCLES_WORDS},
    {"_io.TextIOWrapper", CYCLES_WORDS},
    {"_io.BufferedReader", CYCLES_WORDS},
    {"_io.BufferedWriter", CYCLES_WORDS},
    {"_io.BufferedRandom", CYCLES_WORDS},
    {"_asyncio.Future", CYCLES_WORDS},
    {"_asyncio.Task", CYCLES_WORDS},
    {"_asyncio.FutureIter", CYCLES_WORDS},
    {"TaskStepMethWrapper", CYCLES_WORDS},
    {"_asyncio.TaskStepMethWrapper", CYCLES_WORDS},
    {"re.Pattern", CYCLES_WORDS},
    {"re.Match", CYCLES_WORDS},
    {"_sre.SRE_Scanner", CYCLES_WORDS},
    {"_json.Scanner", CYCLES_WORDS},
    {"_json.Encoder", CYCLES_WORDS},
    {"_csv.reader", CYCLES_WORDS},
    {"_csv.writer", CYCLES_WORDS},
    {"_csv.Dialect", CYCLES_WORDS},
    {"_queue.SimpleQueue", CYCLES_QUEUE},
    {"xml.etree.ElementTree.Element", CYCLES_ELEMENT},
    {"xml.etree.ElementTree.TreeBuilder", CYCLES_WORDS},
    {"xml.etree.ElementTree.XMLParser", CYCLES_WORDS},
    {"FrameLocalsProxy", CYCLES_WORDS},
    {"classmethod_descriptor", CYCLES_WORDS},
    {"_elementtree._element_iterator", CYCLES_WORDS},
    {"ast.AST", CYCLES_WORDS},
    {"_ast.AST", CYCLES_WORDS},
};

/* What a class written in Python is called has no dot, and is not known by it. */
static const struct named *named_of(const char *name, uint64_t flags)
{
    static const struct named words = {"itertools. or _ctypes.", CYCLES_WORDS};

    if (flags & TYPE_FLAG_HEAP && !strchr(name, '.'))
        return NULL;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (!strcmp(name, known[i].name))
            return &known[i];
    return !strncmp(name, "itertools.", 10) || !strncmp(name, "_ctypes.", 8) ? &words
                                                                             : NULL;
}

/* ---- reading ---- */

/* The first bytes of a type, and its name. */
struct type_bytes {
    uint8_t bytes[TYPE_READ];
    char name[NAME_BYTES];
    uint64_t flags, base;
};

static bool bytes_read(struct cycles_types *types, uint64_t address,
                       struct type_bytes *type)
{
    const struct object_layout *layout = types->layout;

    memset(type->name, 0, sizeof(type->name));
    if (!raddr_may_hold_word(address) ||
        !cycles_memory_read(types->memory, address, type->bytes, sizeof(type->bytes)))
        return false;
    type->flags = u64_at(type->bytes, layout->tp_flags);
    type->base = u64_at(type->bytes, layout->tp_base);
    return type->flags & TYPE_FLAG_READY &&
           cycles_memory_read(types->memory, u64_at(type->bytes, layout->tp_name),
                              type->name, sizeof(type->name) - 1);
}

static enum object_rule shape_rule_of(const struct cycles_types *types,
                                      const struct type_bytes *type)
{
    if (type->flags & TYPE_FLAG_HEAP && !strchr(type->name, '.'))
        return OBJECT_FIXED;
    return object_rule_of_name(types->layout, type->name);
}

/* Buffers and the like, of types in C that have no tables of references. */
static void shape_read(struct cycles_types *types, struct cycles_type *type,
                       enum object_rule named)
{
    struct object_shape *shape = &type->shape;

    if (!object_shape_init(shape, types->layout, type->basicsize, type->itemsize,
                           type->flags))
        return;
    if ((shape->rule == OBJECT_FIXED || shape->rule == OBJECT_VAR ||
         named == OBJECT_ORDERED_DICT) &&
        named != OBJECT_FIXED)
        shape->rule = named;
    switch (shape->rule) {
    case OBJECT_LIST:
    case OBJECT_DICT:
    case OBJECT_ORDERED_DICT:
    case OBJECT_SET:
    case OBJECT_DEQUE:
    case OBJECT_ELEMENT:
    case OBJECT_BUILTIN: /* mostly static */
        break;
    default:
        object_shape_parts(shape, types->layout, 0, 0);
        type->tells_parts = shape->has_parts;
        break;
    }
}

/* The first one with a rule, of the type and those that it derives from. */
static void native_read(struct cycles_types *types, struct cycles_type *type,
                        const struct type_bytes *own)
{
    struct type_bytes base = *own;
    enum object_rule shape_rule = shape_rule_of(types, own);
    const struct named *named = named_of(own->name, own->flags);

    type->is_known = named || own->flags & TYPE_EXCEPTION;
    for (int n = 0; n < BASES_MOST && !named && shape_rule == OBJECT_FIXED; n++) {
        if (!bytes_read(types, base.base, &base))
            break;
        shape_rule = shape_rule_of(types, &base);
        named = named_of(base.name, base.flags);
    }
    if (named) {
        type->rule = named->rule;
        type->native_bytes = (uint32_t)u64_at(base.bytes, types->layout->tp_basicsize);
    }
    shape_read(types, type, shape_rule);
}

static uint32_t offset_within(const struct cycles_type *type, uint64_t offset)
{
    return offset >= 16 && offset < type->basicsize && !(offset & 7) ? (uint32_t)offset
                                                                     : 0;
}

/* typeobject.c subtype_traverse, and, 3.9 and later, what other heap types do. */
static bool has_owned_type(const struct cycles_types *types, const struct type_bytes *own)
{
    return own->flags & TYPE_FLAG_HEAP &&
           (types->layout->minor >= 9 || !strchr(own->name, '.'));
}

/* Of classes all that they have is told as their parts. */
static bool shows_others(const char *name, uint64_t flags)
{
    return flags & TYPE_FLAG_TYPE || !strcmp(name, "memoryview") ||
           !strcmp(name, "managedbuffer") || strstr(name, "_descriptor") ||
           !strcmp(name, "builtin_function_or_method");
}

/* False when none is there. */
static bool type_read(struct cycles_types *types, struct cycles_type *type)
{
    const struct object_layout *layout = types->layout;
    struct type_bytes own;
    int64_t dict_offset;

    if (!bytes_read(types, type->address, &own))
        return false;
    type->flags = own.flags;
    type->base = own.base;
    type->basicsize = (uint32_t)u64_at(own.bytes, layout->tp_basicsize);
    type->itemsize = (uint32_t)u64_at(own.bytes, layout->tp_itemsize);
    if (type->basicsize < 16 || type->basicsize > (1u << 20) || type->itemsize > 4096)
        return false;
    type->traverse = u64_at(own.bytes, TYPE_TRAVERSE);
    type->prefix = object_prefix_bytes(layout, type->flags);
    type->weak_list = offset_within(type, u64_at(own.bytes, layout->tp_weaklistoffset));
    dict_offset = (int64_t)u64_at(own.bytes, layout->tp_dictoffset);
    if (dict_offset < -1 && dict_offset > -(int64_t)type->basicsize)
        type->dict_offset = (int32_t)dict_offset;
    type->has_owned_type = has_owned_type(types, &own);
    type->shows_others = shows_others(own.name, own.flags);
    native_read(types, type, &own);
    return true;
}

/* ---- all ---- */

static struct cycles_type_slot *slot_of(const struct cycles_types *types,
                                        uint64_t address)
{
    size_t mask = types->n_slots - 1;
    size_t at = (size_t)((address >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 32) & mask;

    while (types->slots[at].address && types->slots[at].address != address)
        at = (at + 1) & mask;
    return &types->slots[at];
}

/* Room for one more; false when there is none. */
static bool reserve(struct cycles_types *types)
{
    struct cycles_type_slot *old = types->slots;
    size_t n_old = types->n_slots;

    if (types->count < n_old / 2)
        return true;
    if (types->count >= CYCLES_TYPES_MAX)
        return false;
    types->slots = calloc(n_old * 2, sizeof(*old));
    if (!types->slots) {
        types->slots = old;
        return false;
    }
    types->n_slots = n_old * 2;
    for (size_t i = 0; i < n_old; i++)
        if (old[i].address)
            *slot_of(types, old[i].address) = old[i];
    free(old);
    return true;
}

/* NULL: none is there, or there is no memory for it. */
static struct cycles_type *type_new(struct cycles_types *types, uint64_t address)
{
    struct cycles_type read = {.address = address}, *type;

    if (!type_read(types, &read))
        return NULL;
    type = malloc(sizeof(*type));
    if (type)
        *type = read;
    else
        types->is_short = true;
    return type;
}

bool cycles_types_init(struct cycles_types *types, struct cycles_memory *memory,
                       const struct object_layout *layout)
{
    *types = (struct cycles_types){
        .memory = memory,
        .layout = layout,
        .slots = calloc(SLOTS_FIRST, sizeof(*types->slots)),
    };
    types->n_slots = types->slots ? SLOTS_FIRST : 0;
    return types->slots != NULL;
}

void cycles_types_release(struct cycles_types *types)
{
    for (size_t i = 0; i < types->n_slots; i++)
        free(types->slots[i].type);
    free(types->slots);
    types->slots = NULL;
    types->n_slots = 0;
}

const struct cycles_type *cycles_type_of(struct cycles_types *types, uint64_t address)
{
    struct cycles_type_slot *slot;
    struct cycles_type *type;

    if (!raddr_may_hold_word(address))
        return NULL;
    slot = slot_of(types, address);
    if (slot->address)
        return slot->type;
    if (!reserve(types)) {
        types->is_short = true;
        return NULL;
    }
    type = type_new(types, address);
    types->count++;
    *slot_of(types, address) = (struct cycles_type_slot){address, type};
    return type;
}

void cycles_types_find_traverse(struct cycles_types *types)
{
    int64_t votes = 0;

    for (size_t i = 0; i < types->n_slots; i++) {
        const struct cycles_type *type = types->slots[i].type;

        if (!type || !(type->flags & TYPE_FLAG_HEAP))
            continue;
        if (!votes)
            types->traverse = type->traverse;
        votes += type->traverse == types->traverse ? 1 : -1;
    }
}

bool cycles_type_is_opaque(struct cycles_types *types, const struct cycles_type *type)
{
    for (int n = 0; n < BASES_MOST && type; n++) {
        if (type->is_known || !(type->flags & TYPE_FLAG_HAVE_GC))
            return false;
        if (!(type->flags & TYPE_FLAG_HEAP) || type->traverse != types->traverse)
            return true;
        type = cycles_type_of(types, type->base);
    }
    return true;
}
