#include "source/objects_rest.h"

#include <stdlib.h>
#include <string.h>

#include "source/objects_charge.h"
#include "source/objects_walk.h"
#include "target/target.h"

#define ITEMS_PER_READ 64
#define ITEM_PIECE     512u /* bytes of an item that are read at once */
#define ITEM_MOST      (UINT64_C(1) << 20)
#define STATICS_PIECE  (UINT64_C(64) << 10)
#define ITEMS_MOST     (2 * REST_BLOCKS_MOST)
#define HITS_PER_READ  256
#define WHOLE_AFTER    16   /* walks */
#define WHOLE_UNOWNED  2000 /* of used bytes, one part in so many without an owner */

/* ---- where static data lie ---- */

void walk_set_statics(struct walk *walk, const struct rest_range *ranges, size_t count)
{
    struct walk_rest *rest = &walk->rest;

    if (count == rest->n_statics &&
        (!count || !memcmp(rest->statics, ranges, count * sizeof(*ranges))))
        return;
    free(rest->statics);
    rest->n_statics = rest->n_hits = 0;
    rest->walks = 0;
    rest->statics = count ? malloc(count * sizeof(*ranges)) : NULL;
    if (!rest->statics)
        return;
    memcpy(rest->statics, ranges, count * sizeof(*ranges));
    rest->n_statics = count;
}

/* What a linker made read-only after relocation leads to no heap. */
static size_t statics_of(const struct images *images, const struct maps *maps,
                         struct rest_range *ranges)
{
    size_t count = 0, first = 0;

    for (size_t i = 0; i < images->count; i++) {
        const struct image_range *range = &images->ranges[i];

        while (first < maps->count && maps->mappings[first].end <= range->start)
            first++;
        for (size_t n = first; range->is_writable && n < maps->count &&
                               maps->mappings[n].start < range->end;
             n++) {
            const struct mapping *mapping = &maps->mappings[n];
            struct rest_range found = {
                mapping->start > range->start ? mapping->start : range->start,
                mapping->end < range->end ? mapping->end : range->end};

            if (mapping->is_writable && !mapping->is_shared && found.start < found.end &&
                count < images->count + maps->count)
                ranges[count++] = found;
        }
    }
    return count;
}

void walk_set_target_statics(struct walk *walk, struct target *target)
{
    struct images *images = &walk->follow.images;
    struct rest_range *ranges;

    images_refresh(images, target->reader, &target->maps);
    ranges = calloc(images->count + target->maps.count + 1, sizeof(*ranges));
    walk_set_statics(walk, ranges,
                     ranges ? statics_of(images, &target->maps, ranges) : 0);
    free(ranges);
}

/* ---- what is to be looked through ---- */

void walk_rest_begin(struct walk *walk)
{
    struct walk_rest *rest = &walk->rest;

    rest->n_items = rest->next = rest->n_taken = 0;
    rest->next_hit = rest->n_kept = 0;
    rest->is_whole = rest->walks++ % WHOLE_AFTER == 0;
    rest->at = rest->statics_read = rest->items_read = 0;
    rest->statics_blocks = rest->statics_bytes = 0;
}

void walk_rest_release(struct walk *walk)
{
    free(walk->rest.statics);
    free(walk->rest.items);
    free(walk->rest.hits);
    memset(&walk->rest, 0, sizeof(walk->rest));
}

void walk_rest_add(struct walk *walk, uint64_t address, uint64_t bytes, uint32_t owner)
{
    struct walk_rest *rest = &walk->rest;

    bytes = (bytes < ITEM_MOST ? bytes : ITEM_MOST) & ~UINT64_C(7);
    if (!bytes || rest->n_items >= ITEMS_MOST ||
        (rest->n_items == rest->items_capacity &&
         !edges_grow((void **)&rest->items, rest->n_items, &rest->items_capacity,
                     sizeof(*rest->items))))
        return;
    rest->items[rest->n_items++] = (struct rest_item){address, bytes, owner};
}

/* ---- what is found ---- */

static void rest_charge(struct walk *walk, uint32_t owner, uint64_t bytes, bool is_malloc)
{
    struct charge charge = {entry_of(walk, owner), false};

    walk->rest.n_taken++;
    if (!is_malloc) {
        walk->unowned_blocks--;
        walk->unowned_bytes -= bytes;
    }
    if (charge.entry) {
        charge_bytes(&walk->workers[0], &charge, bytes, is_malloc);
        return;
    }
    walk->rest.statics_blocks++;
    walk->rest.statics_bytes += bytes;
}

/* A chunk to which static data lead may be any library's. */
static void rest_far_word(struct walk *walk, uint64_t word, uint32_t owner)
{
    uint64_t start = word - walk->layout.pymalloc.debug_prefix_bytes;
    struct noted_chunk chunk;

    if (!owner || word < 4096 || word >= RADDR_END ||
        !walk_chunk_find(&walk->workers[0], word, &chunk) || chunk.user != start ||
        !noted_chunk_claim(&chunk))
        return;
    rest_charge(walk, owner, chunk.bytes, true);
    walk_rest_add(walk, word, walk_part_room(walk, word), owner);
}

/* True when it led to a block that was nobody's. */
static bool rest_near_word(struct walk *walk, uint64_t word, uint32_t owner)
{
    struct noted_block block;

    if (!arena_notes_find(&walk->notes, word, &block) ||
        block.offset != walk->layout.pymalloc.debug_prefix_bytes ||
        !noted_is_part(&block) || !noted_claim(&block))
        return false;
    rest_charge(walk, owner, block.pool->block_bytes, false);
    walk_rest_add(walk, word, walk_part_room(walk, word), owner);
    return true;
}

static void rest_words(struct walk *walk, const uint64_t *words, size_t count,
                       uint32_t owner)
{
    for (size_t i = 0; i < count && walk->rest.n_taken < REST_BLOCKS_MOST; i++) {
        if (words[i] & 15)
            continue;
        if (arena_map_has(&walk->map, words[i]))
            rest_near_word(walk, words[i], owner);
        else
            rest_far_word(walk, words[i], owner);
    }
}

/* ---- the steps ---- */

/* The beginning of the last items; what is left of them comes later. */
static void rest_items(struct walk *walk)
{
    struct walk_rest *rest = &walk->rest;
    size_t count = rest->n_items < ITEMS_PER_READ ? rest->n_items : ITEMS_PER_READ;
    uint64_t words[ITEMS_PER_READ][ITEM_PIECE / 8];
    struct rest_item items[ITEMS_PER_READ];
    struct piece pieces[ITEMS_PER_READ];

    rest->n_items -= count;
    memcpy(items, rest->items + rest->n_items, count * sizeof(*items));
    for (size_t i = 0; i < count; i++)
        pieces[i] = (struct piece){
            raddr_of(items[i].address), words[i],
            items[i].bytes < ITEM_PIECE ? (size_t)items[i].bytes : ITEM_PIECE, false};
    reader_readv(walk->reader, pieces, count);
    for (size_t i = 0; i < count; i++) {
        size_t length = pieces[i].length;

        rest->items_read += length;
        walk_rest_add(walk, items[i].address + length, items[i].bytes - length,
                      items[i].owner);
        if (pieces[i].done)
            rest_words(walk, words[i], length / 8, items[i].owner);
    }
}

/* ---- static data ---- */

static void hit_add(struct walk_rest *rest, uint64_t address)
{
    if (rest->n_hits < rest->hits_capacity ||
        edges_grow((void **)&rest->hits, rest->n_hits, &rest->hits_capacity,
                   sizeof(*rest->hits)))
        rest->hits[rest->n_hits++] = address;
}

static void statics_words(struct walk *walk, const uint64_t *words, size_t count,
                          uint64_t address)
{
    for (size_t i = 0; i < count && walk->rest.n_taken < REST_BLOCKS_MOST; i++)
        if (!(words[i] & 15) && arena_map_has(&walk->map, words[i]) &&
            rest_near_word(walk, words[i], 0))
            hit_add(&walk->rest, address + i * 8);
}

/* Some words that led to a block before; those that do no more are forgotten. */
static void rest_hits(struct walk *walk)
{
    struct walk_rest *rest = &walk->rest;
    size_t left = rest->n_hits - rest->next_hit;
    size_t count = left < HITS_PER_READ ? left : HITS_PER_READ;
    uint64_t *hits = rest->hits + rest->next_hit, words[HITS_PER_READ];
    struct piece pieces[HITS_PER_READ];

    for (size_t i = 0; i < count; i++)
        pieces[i] = (struct piece){raddr_of(hits[i]), &words[i], 8, false};
    reader_readv(walk->reader, pieces, count);
    for (size_t i = 0; i < count; i++)
        if (pieces[i].done && !(words[i] & 15) && rest_near_word(walk, words[i], 0))
            rest->hits[rest->n_kept++] = hits[i];
    rest->next_hit += count;
    if (rest->next_hit == rest->n_hits)
        rest->next_hit = rest->n_hits = rest->n_kept;
}

/* The next piece of static data; pages that were never written lead to no block. */
static void rest_statics(struct walk *walk)
{
    struct walk_rest *rest = &walk->rest;
    const struct rest_range *range = &rest->statics[rest->next];
    uint64_t words[STATICS_PIECE / 8], at, length;
    bool is_written;

    at = rest->at ? rest->at : (range->start + 7) & ~UINT64_C(7);
    length = at + 8 > range->end ? 0 : (range->end - at) & ~UINT64_C(7);
    if (!length) {
        rest->next++;
        rest->at = 0;
        return;
    }
    length = length < STATICS_PIECE ? length : STATICS_PIECE;
    length = pagemap_run_written(&walk->workers[0].pagemap, at, length, &is_written);
    rest->at = at + length;
    if (!is_written)
        return;
    rest->statics_read += length;
    if (!reader_read(walk->reader, raddr_of(at), words, length))
        statics_words(walk, words, length / 8, at);
}

static bool statics_are_due(const struct walk *walk)
{
    const struct walk_rest *rest = &walk->rest;
    uint64_t used = walk->workers[0].counts.used_bytes;

    return walk->unowned_blocks && rest->next < rest->n_statics &&
           rest->statics_read < REST_STATICS_MOST &&
           (rest->is_whole || rest->next || rest->at ||
            walk->unowned_bytes > used / WHOLE_UNOWNED);
}

bool walk_rest_step(struct walk *walk)
{
    struct walk_rest *rest = &walk->rest;

    if (rest->n_taken >= REST_BLOCKS_MOST)
        return false;
    if (rest->n_items && rest->items_read < REST_ITEMS_MOST) {
        rest_items(walk);
        return true;
    }
    if (rest->next_hit < rest->n_hits && !rest->next && !rest->at) {
        rest_hits(walk);
        return true;
    }
    if (!statics_are_due(walk))
        return false;
    rest_statics(walk);
    return true;
}
