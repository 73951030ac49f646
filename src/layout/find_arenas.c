/*
 * Finds the variable `arenas` without a symbol and without a sample address: a
 * word in the writable segments of the Python image that points to a table of
 * arenas, each of which carries its own index in its first pool. Measured on
 * 3.8 - 3.15: thousands of candidates, one passes.
 */
#include "layout/find.h"

#include <stdlib.h>
#include <string.h>

#include "layout/decode.h"
#include "layout/pymalloc_layout.h"
#include "target/pagemap.h"

#define SEARCH_BYTES ((size_t)256 << 10) /* of a segment, read at once */
#define SEARCH_BATCH 256                 /* candidates looked at in one read */
#define SEARCH_HITS  8
#define SEARCH_LIMIT ((uint64_t)64 << 20) /* no image has more writable data */
#define CODE_LOADS   256

struct arenas_search {
    struct target *target;
    struct pagemap pagemap;
    const struct layout_pymalloc *pymalloc;
    const struct mapping *last; /* where the previous candidate lay */
    size_t n_pending, n_hits;
    uint64_t words[SEARCH_BATCH], values[SEARCH_BATCH];
    struct piece pieces[SEARCH_BATCH];
    struct arena_object slots[SEARCH_BATCH][PYMALLOC_SLOTS_FIRST];
    uint64_t hit_words[SEARCH_HITS], hit_values[SEARCH_HITS];
    uint64_t buffer[SEARCH_BYTES / 8];
};

/* An unused slot links to another slot of the table, or to nothing. */
static bool slot_fits(const struct arenas_search *search, uint64_t table,
                      const struct arena_object *slot)
{
    uint64_t offset = slot->nextarena - table;

    if (slot->address)
        return arena_object_is_plausible(slot, search->pymalloc, NULL);
    return !slot->nextarena ||
           (offset % sizeof(*slot) == 0 && offset / sizeof(*slot) < PYMALLOC_SLOTS_MAX);
}

static bool slot_is_proven(const struct arenas_search *search,
                           const struct arena_object *slot, uint32_t index)
{
    uint64_t first = pymalloc_first_pool(search->pymalloc, slot->address);
    struct pool_header pool;

    return slot->pool_address > first &&
           !reader_read(search->target->reader, raddr_of(first), &pool, sizeof(pool)) &&
           pool.arenaindex == index;
}

/* The first slots are all unused: one further on must be proven. */
static bool late_slots_fit(const struct arenas_search *search, uint64_t table)
{
    struct reader *reader = search->target->reader;
    uint64_t count = pymalloc_slots(search->pymalloc, reader, table);
    struct arena_object slot;

    if (count > 4096)
        count = 4096;
    for (uint32_t i = PYMALLOC_SLOTS_FIRST; i < count; i++) {
        if (reader_read(reader, raddr_of(table + i * sizeof(slot)), &slot, sizeof(slot)))
            return false;
        if (!slot_fits(search, table, &slot))
            return false;
        if (slot.address)
            return slot_is_proven(search, &slot, i);
    }
    return false;
}

static bool candidate_passes(const struct arenas_search *search, uint64_t table,
                             const struct arena_object slots[PYMALLOC_SLOTS_FIRST])
{
    size_t n_used = 0, n_proven = 0, n_linked = 0;

    for (size_t i = 0; i < PYMALLOC_SLOTS_FIRST; i++) {
        if (!slot_fits(search, table, &slots[i]))
            return false;
        n_used += slots[i].address != 0;
        n_linked += !slots[i].address && slots[i].nextarena;
    }
    for (uint32_t i = 0; i < PYMALLOC_SLOTS_FIRST && n_used; i++)
        n_proven += slots[i].address && slot_is_proven(search, &slots[i], i);
    if (n_used)
        return n_proven >= n_used - n_used / 4;
    return n_linked && late_slots_fit(search, table);
}

static void search_flush(struct arenas_search *search)
{
    for (size_t i = 0; i < search->n_pending; i++)
        search->pieces[i] = (struct piece){raddr_of(search->values[i]), search->slots[i],
                                           sizeof(search->slots[i]), false};
    if (search->n_pending)
        reader_readv(search->target->reader, search->pieces, search->n_pending);
    for (size_t i = 0; i < search->n_pending; i++) {
        if (search->n_hits == SEARCH_HITS || !search->pieces[i].done ||
            !candidate_passes(search, search->values[i], search->slots[i]))
            continue;
        search->hit_words[search->n_hits] = search->words[i];
        search->hit_values[search->n_hits++] = search->values[i];
    }
    search->n_pending = 0;
}

/* A table of arenas comes from malloc: 16-aligned, in anonymous writable memory. */
static bool is_candidate(struct arenas_search *search, uint64_t value)
{
    const size_t bytes = PYMALLOC_SLOTS_FIRST * sizeof(struct arena_object);

    if (!value || value % 16 || value >= RADDR_END)
        return false;
    if (!search->last || value < search->last->start || value >= search->last->end)
        search->last = maps_find(&search->target->maps, raddr_of(value));
    return search->last && mapping_is_anonymous(search->last) &&
           bytes <= search->last->end - value;
}

/* What was never written holds no pointer, and reading it would make a page of it. */
static void search_words(struct arenas_search *search, uint64_t at, size_t bytes)
{
    if (pagemap_read_touched(&search->pagemap, search->target->reader, at, search->buffer,
                             bytes))
        return;
    for (size_t i = 0; i < bytes / 8; i++) {
        if (!is_candidate(search, search->buffer[i]))
            continue;
        search->words[search->n_pending] = at + i * 8;
        search->values[search->n_pending++] = search->buffer[i];
        if (search->n_pending == SEARCH_BATCH)
            search_flush(search);
    }
}

static void search_image(struct arenas_search *search)
{
    const struct image *image = &search->target->python;

    for (size_t i = 0; i < image->n_loads && i < IMAGE_SEGMENTS_MAX; i++) {
        uint64_t at = (image->loads[i].start + 7) & ~UINT64_C(7);
        uint64_t end = image->loads[i].end;

        if (!image->loads[i].is_writable || at >= end)
            continue;
        if (end - at > SEARCH_LIMIT)
            end = at + SEARCH_LIMIT;
        while (at < end) {
            size_t bytes = end - at < SEARCH_BYTES ? (size_t)(end - at) : SEARCH_BYTES;

            search_words(search, at, bytes & ~(size_t)7);
            at += bytes;
        }
    }
    search_flush(search);
}

/* 3.12+: only `arenas` itself is followed by a maxarenas that makes sense. */
static bool word_is_in_state(struct reader *reader, uint64_t word)
{
    uint32_t slots;

    return reader_u32(reader, raddr_of(word + OBMALLOC_MAXARENAS - OBMALLOC_ARENAS),
                      &slots) &&
           pymalloc_is_slot_count(slots);
}

/* 3.8 - 3.11: _PyObject_DebugMallocStats() and _Py_GetAllocatedBlocks() (exported)
 * read `arenas`, not usable_arenas, which has the same value while the first arena
 * is the fullest. */
static bool word_is_read_by(struct target *target, const char *function, uint64_t word)
{
    struct code_load loads[CODE_LOADS];
    size_t count = find_code_loads(target, function, true, loads, CODE_LOADS);

    for (size_t i = 0; i < count; i++)
        if (loads[i].address == word && loads[i].bytes == 8)
            return true;
    return false;
}

/* The one hit that is `arenas`; several with one value are told apart. 0 = none. */
static uint64_t search_choose(const struct arenas_search *search, uint8_t minor)
{
    struct target *target = search->target;
    uint64_t chosen = 0;

    for (size_t i = 0; i < search->n_hits; i++) {
        uint64_t word = search->hit_words[i];
        bool is_right = search->n_hits == 1;

        if (minor >= 12)
            is_right = word_is_in_state(target->reader, word);
        else if (!is_right)
            is_right = word_is_read_by(target, "_Py_GetAllocatedBlocks", word) ||
                       word_is_read_by(target, "_PyObject_DebugMallocStats", word);
        if (is_right && chosen)
            return 0;
        if (is_right)
            chosen = word;
    }
    return chosen;
}

static int search_once(struct arenas_search *search, struct layout *layout,
                       struct err *err)
{
    uint64_t word;

    search->n_hits = search->n_pending = 0;
    search->last = NULL;
    search->pymalloc = &layout->pymalloc;
    search_image(search);
    if (!search->n_hits)
        return err_set(err, ERR_UNSUPPORTED,
                       "pymalloc: no word of the Python image points to a table of "
                       "arenas whose pools carry its indexes");
    word = search_choose(search, layout->version.minor);
    if (!word)
        return err_set(err, ERR_UNSUPPORTED,
                       "pymalloc: %zu words of the Python image look like the table of "
                       "arenas, and none stands out",
                       search->n_hits);
    layout->pymalloc.arenas_word = raddr_of(word);
    return 0;
}

int find_arenas(struct target *target, struct layout *layout, struct err *err)
{
    struct arenas_search *search = calloc(1, sizeof(*search));
    int status;

    if (!search)
        return err_set(err, ERR_FAILED, "out of memory");
    search->target = target;
    pagemap_init(&search->pagemap, target->fds.pagemap);
    layout_pymalloc_table(layout->version.minor, &layout->pymalloc);
    status = search_once(search, layout, err);
    if (status && target->fds.maps >= 0) {
        /* The maps may be older than the newest arenas. */
        struct err refresh_err = ERR_INIT;

        if (!target_refresh_maps(target, &refresh_err))
            status = search_once(search, layout, err);
    }
    if (status && layout->version.minor >= 15) {
        /* Built --with-pymalloc-hugepages. */
        layout->pymalloc.arena_bytes = 2 << 20;
        status = search_once(search, layout, err);
    }
    free(search);
    return status;
}
