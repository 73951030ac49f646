/*
 * The free lists of 3.8 and 3.9: static variables, which the linker puts where it likes.
 *
 * What sys._debugmallocstats() prints of a type comes from an exported function that
 * reads the type's counter: where it is stands in the machine code. The list itself is
 * near its counter, for both are of one file of C, and is known by what it holds: as
 * many dead objects of the type as the counter says. An empty list has not to be found.
 *
 * Sources: Objects/{float,list,dict,frame,class,method,tuple}object.c of 3.8 and 3.9.
 */
#include "layout/find.h"

#include <string.h>

#include "layout/decode.h"
#include "layout/free_list_layout.h"
#include "layout/object_layout.h"
#include "util/bytes.h"

#define NEAR_BYTES   1024 /* how far a list is from its counter, at most */
#define PAGE         4096u
#define ENTRIES_SEEN 32 /* of a list, while it is looked for */
#define LOADS_MAX    16

#define OFFSET_TYPE       8
#define OFFSET_FIRST_ITEM 24
#define OFFSET_FRAME_BACK 24
#define OFFSET_SELF       24 /* im_self, m_self */

struct static_fact {
    const char *type, *function, *type_symbol;
    bool is_table; /* of counters and lists, by length */
    bool is_array;
    uint16_t next, prefix;
    uint8_t minor_last;
};

static const struct static_fact facts[FREE_LIST_STATICS] = {
    {"float", "_PyFloat_DebugMallocStats", "PyFloat_Type", false, false, OFFSET_TYPE, 0,
     9},
    {"list", "_PyList_DebugMallocStats", "PyList_Type", false, true, 0, GC_HEAD_BYTES, 9},
    {"dict", "_PyDict_DebugMallocStats", "PyDict_Type", false, true, 0, GC_HEAD_BYTES, 9},
    {"frame", "_PyFrame_DebugMallocStats", "PyFrame_Type", false, false,
     OFFSET_FRAME_BACK, GC_HEAD_BYTES, 9},
    {"tuple", "_PyTuple_DebugMallocStats", "PyTuple_Type", true, false, OFFSET_FIRST_ITEM,
     GC_HEAD_BYTES, 9},
    {"method", "_PyMethod_DebugMallocStats", "PyMethod_Type", false, false, OFFSET_SELF,
     GC_HEAD_BYTES, 8},
    {"builtin_function_or_method", "_PyCFunction_DebugMallocStats", "PyCFunction_Type",
     false, false, OFFSET_SELF, GC_HEAD_BYTES, 8},
};

/* ---- the counters ---- */

static bool is_count(struct target *target, uint64_t address)
{
    uint32_t count;

    return reader_u32(target->reader, raddr_of(address), &count) &&
           count <= FREE_LIST_MOST;
}

/* The only narrow variable that the function reads. */
static uint64_t find_counter(struct target *target, const char *function)
{
    struct code_load loads[LOADS_MAX];
    size_t count = find_code_loads(target, function, false, loads, LOADS_MAX);
    uint64_t found = 0;

    for (size_t i = 0; i < count; i++) {
        if (loads[i].bytes != 4 || loads[i].address == found ||
            !is_count(target, loads[i].address))
            continue;
        if (found)
            return 0;
        found = loads[i].address;
    }
    return found;
}

static bool is_table_of_counters(struct target *target, uint64_t address)
{
    for (uint64_t i = 1; i < FREE_LIST_STATIC_TUPLES; i++)
        if (!is_count(target, address + 4 * i))
            return false;
    return true;
}

/* The only array of the image's data that the function goes through. */
static uint64_t find_counters_table(struct target *target, const char *function)
{
    uint64_t tables[LOADS_MAX], found = 0;
    size_t count = find_code_tables(target, function, tables, LOADS_MAX);

    for (size_t i = 0; i < count; i++) {
        if (tables[i] == found || !is_table_of_counters(target, tables[i]))
            continue;
        if (found)
            return 0;
        found = tables[i];
    }
    return found;
}

void find_free_lists(struct target *target, struct layout *layout)
{
    struct image_symbol symbol;

    if (layout->version.minor > 9 || layout->is_free_threaded)
        return;
    for (size_t i = 0; i < FREE_LIST_STATICS; i++) {
        struct layout_free_list *list = &layout->free_lists[i];

        if (image_symbol(&target->python, target->reader, facts[i].type_symbol, &symbol))
            list->type = symbol.address;
        list->counter =
            raddr_of(facts[i].is_table ? find_counters_table(target, facts[i].function)
                                       : find_counter(target, facts[i].function));
    }
}

/* ---- the places ---- */

static struct free_list_place place_of(const struct static_fact *fact,
                                       const struct layout_free_list *list,
                                       uint32_t length)
{
    return (struct free_list_place){.type = fact->type,
                                    .length = fact->is_table ? (int32_t)length : -1,
                                    .type_address = list->type.value,
                                    .counter = list->counter.value + 4 * length,
                                    .is_array = fact->is_array,
                                    .next = fact->next,
                                    .prefix = fact->prefix};
}

size_t free_list_static_places(const struct layout *layout,
                               struct free_list_place places[FREE_LIST_PLACES_MOST])
{
    size_t count = 0;

    for (size_t i = 0; i < FREE_LIST_STATICS; i++) {
        const struct layout_free_list *list = &layout->free_lists[i];

        if (layout->version.minor > facts[i].minor_last)
            continue;
        if (raddr_is_null(list->counter) || raddr_is_null(list->type))
            return 0;
        if (!facts[i].is_table)
            places[count++] = place_of(&facts[i], list, 0);
        for (uint32_t n = 1; facts[i].is_table && n < FREE_LIST_STATIC_TUPLES; n++)
            places[count++] = place_of(&facts[i], list, n);
    }
    return count;
}

/* ---- the lists ---- */

/* A dead object of the type; of floats the type has made room for the link. */
static bool is_entry(struct reader *reader, const struct free_list_place *place,
                     uint64_t entry)
{
    uint64_t words[2];

    return entry && !(entry & 7) &&
           !reader_read(reader, raddr_of(entry), words, sizeof(words)) && !words[0] &&
           (place->next == OFFSET_TYPE || words[1] == place->type_address);
}

static bool is_chain(struct reader *reader, const struct free_list_place *place,
                     uint64_t entry, uint32_t count)
{
    uint32_t seen = count < ENTRIES_SEEN ? count : ENTRIES_SEEN;

    for (uint32_t i = 0; i < seen; i++)
        if (!is_entry(reader, place, entry) ||
            !reader_u64(reader, raddr_of(entry + place->next), &entry))
            return false;
    return count > ENTRIES_SEEN ? entry != 0 : !entry;
}

/* `words`: from where the list may begin. */
static bool is_array(struct reader *reader, const struct free_list_place *place,
                     const uint64_t *words, size_t n_words, uint32_t count)
{
    if (count > n_words)
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (!is_entry(reader, place, words[i]))
            return false;
    return true;
}

/* Are all lists of tuples as long as their counters say? */
static bool is_table(struct reader *reader, const struct free_list_place *place,
                     const uint64_t *words, size_t n_words)
{
    uint64_t counters = place->counter - 4 * (uint64_t)place->length;
    uint32_t counts[FREE_LIST_STATIC_TUPLES];

    if (n_words < FREE_LIST_STATIC_TUPLES ||
        reader_read(reader, raddr_of(counters), counts, sizeof(counts)))
        return false;
    for (uint32_t i = 1; i < FREE_LIST_STATIC_TUPLES; i++)
        if (!is_chain(reader, place, words[i], counts[i]))
            return false;
    return true;
}

/* What lies around the counter, as far as it can be read; gives how many words. */
static size_t read_near(struct reader *reader, uint64_t counter, uint64_t *first,
                        uint64_t words[2 * NEAR_BYTES / 8])
{
    uint64_t page = counter & ~(uint64_t)(PAGE - 1), from = (counter & ~UINT64_C(7));
    uint64_t ranges[3][2] = {{from - NEAR_BYTES, from + NEAR_BYTES},
                             {from - NEAR_BYTES, page + PAGE},
                             {page, from + NEAR_BYTES}};

    for (size_t i = 0; i < 3; i++) {
        uint64_t bytes = ranges[i][1] - ranges[i][0];

        if (bytes > 2 * NEAR_BYTES)
            continue;
        *first = ranges[i][0];
        if (!reader_read(reader, raddr_of(*first), words, (size_t)bytes))
            return (size_t)(bytes / 8);
    }
    return 0;
}

uint64_t free_list_find_head(struct reader *reader, const struct free_list_place *place,
                             uint32_t count)
{
    uint64_t words[2 * NEAR_BYTES / 8], first;
    size_t n_words = read_near(reader, place->counter, &first, words);

    for (size_t i = 0; i < n_words; i++) {
        if (place->length >= 0) {
            if (is_table(reader, place, words + i, n_words - i))
                return first + 8 * (i + (uint64_t)place->length);
        } else if (place->is_array
                       ? is_array(reader, place, words + i, n_words - i, count)
                       : is_chain(reader, place, words[i], count)) {
            return first + 8 * i;
        }
    }
    return 0;
}
