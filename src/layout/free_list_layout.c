#include "layout/free_list_layout.h"

#include <string.h>

#include "layout/object_layout.h"

/* floatobject.c: free floats are linked by ob_type, tuples by their first item; from
 * 3.14 on all are linked by their first word (pycore_freelist.h). */
#define OFFSET_TYPE       8
#define OFFSET_FIRST_ITEM 24
#define OFFSET_FRAME_BACK 24

/* One list of 3.10 - 3.13: pycore_interp.h, and the headers of the types' states. */
struct list_fact {
    const char *type;
    uint32_t head, counter;
    bool is_array;
    uint16_t next, prefix;
};

struct version_facts {
    uint32_t tuple_head, tuple_counter; /* of tuples of one item */
    struct list_fact lists[8];
};

static const struct version_facts facts_310 = {
    9800 + 8,
    9960 + 4,
    {{"float", 9784, 9776, false, OFFSET_TYPE, 0},
     {"list", 10040, 10680, true, 0, GC_HEAD_BYTES},
     {"dict", 10688, 11328, true, 0, GC_HEAD_BYTES},
     {"dict keys", 11336, 11976, true, 0, 0},
     {"frame", 11984, 11992, false, OFFSET_FRAME_BACK, GC_HEAD_BYTES}},
};

static const struct version_facts facts_311 = {
    3632,
    3792,
    {{"float", 3616, 3608, false, OFFSET_TYPE, 0},
     {"list", 3872, 4512, true, 0, GC_HEAD_BYTES},
     {"dict", 4520, 5160, true, 0, GC_HEAD_BYTES},
     {"dict keys", 5168, 5808, true, 0, 0}},
};

static const struct version_facts facts_312 = {
    269832,
    269992,
    {{"float", 267416, 267408, false, OFFSET_TYPE, 0},
     {"list", 270072, 270712, true, 0, GC_HEAD_BYTES},
     {"dict", 270736, 272016, true, 0, GC_HEAD_BYTES},
     {"dict keys", 271376, 272020, true, 0, 0}},
};

static const struct version_facts facts_313 = {
    16,
    176,
    {{"float", 8, 0, false, OFFSET_TYPE, 0},
     {"list", 256, 896, true, 0, GC_HEAD_BYTES},
     {"dict", 904, 1544, true, 0, GC_HEAD_BYTES},
     {"dict keys", 1552, 2192, true, 0, 0}},
};

/* pycore_freelist_state.h, 3.14+: {head, size} each, in this order. */
struct order_fact {
    const char *type;
    uint16_t prefix;
    uint8_t since; /* minor version */
};

static const struct order_fact before_tuples[] = {
    {"float", 0, 14}, {"complex", 0, 15}, {"int", 0, 14}};

static const struct order_fact behind_tuples[] = {
    {"list", GC_HEAD_BYTES, 14},
    {"list_iterator", GC_HEAD_BYTES, 14},
    {"tuple_iterator", GC_HEAD_BYTES, 14},
    {"dict", GC_HEAD_BYTES, 14},
    {"dict keys", 0, 14},
    {"slice", GC_HEAD_BYTES, 14},
    {"range", 0, 14},
    {"range_iterator", 0, 14},
    {"Context", GC_HEAD_BYTES, 14},
    {"async_generator_wrapped_value", GC_HEAD_BYTES, 14},
    {"async_generator_asend", GC_HEAD_BYTES, 14},
    {"FutureIter", GC_HEAD_BYTES, 14},
    {"object stack chunk", 0, 14},
    {"unicode writer", 0, 14},
    {"bytes writer", 0, 15},
    {"builtin_function_or_method", GC_HEAD_BYTES, 14},
    {"builtin_method", GC_HEAD_BYTES, 14},
    {"method", GC_HEAD_BYTES, 14},
};

/* interp.object_state, from the pointer to the allocator's state on. */
#define STATE_BEHIND_313 152
#define STATE_BEHIND_314 216

static struct free_list_place *add_place(struct free_list_place *places, size_t *count)
{
    struct free_list_place *place = &places[(*count)++];

    *place = (struct free_list_place){.length = -1};
    return place;
}

static size_t places_by_facts(const struct version_facts *facts, uint64_t base,
                              uint32_t longest_tuple, struct free_list_place *places)
{
    size_t count = 0;

    for (size_t i = 0; i < 8 && facts->lists[i].type; i++) {
        const struct list_fact *fact = &facts->lists[i];
        struct free_list_place *place = add_place(places, &count);

        place->type = fact->type;
        place->head = base + fact->head;
        place->counter = base + fact->counter;
        place->is_array = fact->is_array;
        place->next = fact->next;
        place->prefix = fact->prefix;
    }
    for (uint32_t length = 1; length <= longest_tuple; length++) {
        struct free_list_place *place = add_place(places, &count);

        place->type = "tuple";
        place->length = (int32_t)length;
        place->head = base + facts->tuple_head + 8 * (length - 1);
        place->counter = base + facts->tuple_counter + 4 * (length - 1);
        place->next = OFFSET_FIRST_ITEM;
        place->prefix = GC_HEAD_BYTES;
    }
    return count;
}

static void add_pair(struct free_list_place *places, size_t *count, uint64_t *at,
                     const char *type, uint16_t prefix, int32_t length)
{
    struct free_list_place *place = add_place(places, count);

    place->type = type;
    place->length = length;
    place->head = *at;
    place->counter = *at + 8;
    place->is_wide = true;
    place->prefix = prefix;
    *at += 16;
}

static size_t places_in_order(uint8_t minor, uint64_t at, struct free_list_place *places)
{
    size_t count = 0;

    for (size_t i = 0; i < sizeof(before_tuples) / sizeof(before_tuples[0]); i++)
        if (minor >= before_tuples[i].since)
            add_pair(places, &count, &at, before_tuples[i].type, before_tuples[i].prefix,
                     -1);
    for (int32_t length = 1; length <= FREE_LIST_TUPLES_MOST; length++)
        add_pair(places, &count, &at, "tuple", GC_HEAD_BYTES, length);
    for (size_t i = 0; i < sizeof(behind_tuples) / sizeof(behind_tuples[0]); i++)
        if (minor >= behind_tuples[i].since)
            add_pair(places, &count, &at, behind_tuples[i].type, behind_tuples[i].prefix,
                     -1);
    return count;
}

static size_t all_places(const struct layout *layout,
                         struct free_list_place places[FREE_LIST_PLACES_MOST])
{
    uint64_t base = layout->interpreter.value;
    uint32_t state = layout->pymalloc.interpreter_state;

    if (!base || layout->is_free_threaded || layout->version.major != 3)
        return 0;
    switch (layout->version.minor) {
    case 8:
    case 9:
        return free_list_static_places(layout, places);
    case 10:
        return places_by_facts(&facts_310, base, FREE_LIST_TUPLES_MOST - 1, places);
    case 11:
        return places_by_facts(&facts_311, base, FREE_LIST_TUPLES_MOST, places);
    case 12:
        return places_by_facts(&facts_312, base, FREE_LIST_TUPLES_MOST, places);
    case 13:
        return state ? places_by_facts(&facts_313, base + state + STATE_BEHIND_313,
                                       FREE_LIST_TUPLES_MOST, places)
                     : 0;
    case 14:
    case 15:
        return state ? places_in_order(layout->version.minor,
                                       base + state + STATE_BEHIND_314, places)
                     : 0;
    default:
        return 0;
    }
}

/* What is no object: PyDictKeysObject (dictobject.c), _PyObjectStackChunk
 * (pycore_object_stack.h), PyUnicodeWriter and PyBytesWriter. */
static bool is_no_object(const char *type)
{
    return !strcmp(type, "dict keys") || !strcmp(type, "object stack chunk") ||
           !strcmp(type, "unicode writer") || !strcmp(type, "bytes writer");
}

size_t free_list_places(const struct layout *layout,
                        struct free_list_place places[FREE_LIST_PLACES_MOST])
{
    size_t count = all_places(layout, places);

    for (size_t i = 0; i < count; i++)
        places[i].is_disguised = is_no_object(places[i].type) ||
                                 (!places[i].is_array && places[i].next == OFFSET_TYPE);
    return count;
}
