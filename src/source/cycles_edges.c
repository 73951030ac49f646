#include "source/cycles_edges.h"

#include <string.h>

#include "layout/dict_keys.h"
#include "layout/object_parts.h"
#include "util/bytes.h"

#define BODY_MOST    4096 /* bytes of an object itself that are looked at */
#define TABLE_MOST   (UINT64_C(1) << 32) /* entries of a table */
#define WORDS_A_READ 510                 /* whole entries of dicts, and of sets */
#define LIST_ITEMS   24
#define PARTS_BODY   160 /* of an object: where its parts' addresses stand */
#define VALUES_LIVE  2   /* 3.13+ struct _dictvalues: embedded at 2, valid at 3 */

/* _collectionsmodule.c dequeobject: leftindex; 3.11+ numfreeblocks, freeblocks[16]. */
#define DEQUE_LEFT       40
#define DEQUE_FREE_COUNT 72
#define DEQUE_FREE       80
#define DEQUE_FREE_MOST  16
#define DEQUE_NEXT       (DEQUE_BLOCK - 8) /* block.rightlink */
/* odictobject.c _odictnode: key, hash, next. */
#define ODICT_NEXT 16
/* _functoolsmodule.c lru_list_elem: prev, next, hash, key, result. */
#define LRU_NEXT 24
#define LRU_KEY  40
/* _contextvars ContextVar: name, default; what it has cached it does not own. */
#define CONTEXT_VAR_BYTES 32

void cycles_edges_begin(struct cycles_edges *edges)
{
    edges->words_most = residency_words(edges->memory->residency);
    edges->words_left = edges->words_most;
    edges->n_unread = 0;
    edges->n_pieces = 0;
}

static void visit_piece(struct cycles_edges *edges, struct cycles_piece piece)
{
    uint64_t words[WORDS_A_READ];

    while (piece.count) {
        size_t some = piece.count < WORDS_A_READ ? (size_t)piece.count : WORDS_A_READ;

        if (!cycles_memory_read(edges->memory, piece.start, words, some * 8)) {
            edges->n_unread += piece.count;
            return;
        }
        for (size_t i = piece.hash_at; piece.entry_words && i < some;
             i += piece.entry_words)
            words[i] = 0;
        for (size_t i = 0; i < some; i++)
            if (raddr_may_hold_word(words[i]))
                edges->visit(edges->context, words[i]);
        piece.start += some * 8;
        piece.count -= some;
    }
}

static void piece_pass(struct cycles_piece *piece, uint64_t count)
{
    piece->start += count * 8;
    piece->count -= count;
}

/* There are no more words in all tables together than the target has in memory, so a long
 * one needs no bound of its own; what alone claims to have more than that is no table. */
static void visit_all(struct cycles_edges *edges, struct cycles_piece piece)
{
    if (piece.start & 7 || piece.start < 4096 || piece.count > edges->words_most)
        return;
    if (piece.count > edges->words_left) {
        edges->is_excessive = true;
        return;
    }
    edges->words_left -= piece.count;
    if (piece.count > CYCLES_PIECE_WORDS && edges->n_pieces < CYCLES_PIECES_MAX) {
        edges->pieces[edges->n_pieces] = piece;
        piece_pass(&edges->pieces[edges->n_pieces++], CYCLES_PIECE_WORDS);
        piece.count = CYCLES_PIECE_WORDS;
    }
    visit_piece(edges, piece);
}

/* All words of [start, start + count * 8). */
static void visit_words(struct cycles_edges *edges, uint64_t start, uint64_t count)
{
    visit_all(edges, (struct cycles_piece){start, count, 0, 0});
}

bool cycles_edges_visit_more(struct cycles_edges *edges)
{
    struct cycles_piece *last, piece;

    if (!edges->n_pieces)
        return false;
    last = &edges->pieces[edges->n_pieces - 1];
    piece = *last;
    if (piece.count > CYCLES_PIECE_WORDS)
        piece.count = CYCLES_PIECE_WORDS;
    piece_pass(last, piece.count);
    if (!last->count)
        edges->n_pieces--;
    visit_piece(edges, piece);
    return true;
}

static void tell_table(struct cycles_edges *edges, uint64_t address)
{
    if (edges->visit_table && raddr_may_hold_word(address))
        edges->visit_table(edges->context, address);
}

/* The blocks of a chain, each of which says where the next one is. */
static void tell_chain(struct cycles_edges *edges, const struct object_part *part)
{
    uint64_t address = part->address;

    for (uint64_t n = 0; n < part->count && n < edges->words_left; n++) {
        tell_table(edges, address);
        if (n + 1 == part->count ||
            !cycles_memory_u64(edges->memory, address + part->link_at, &address))
            return;
    }
}

static void tell_parts(struct cycles_edges *edges, uint64_t object,
                       const struct cycles_type *type)
{
    struct object_part parts[OBJECT_PARTS_MAX];
    uint8_t body[PARTS_BODY] = {0};
    struct object_view view = {body, sizeof(body), object};
    size_t count;

    if (!type->tells_parts || !edges->visit_table)
        return;
    if (type->basicsize < sizeof(body))
        view.length = type->basicsize;
    if (!cycles_memory_read(edges->memory, object, body, view.length))
        return;
    count = object_parts(edges->layout, &type->shape, &view, parts);
    for (size_t i = 0; i < count; i++)
        tell_chain(edges, &parts[i]);
}

static bool keys_read(struct cycles_edges *edges, uint64_t address,
                      struct dict_keys *keys)
{
    uint8_t header[DICT_KEYS_HEADER_MAX];

    return cycles_memory_read(edges->memory, address, header, sizeof(header)) &&
           dict_keys_decode(edges->layout, header, address, keys) &&
           keys->n_entries <= TABLE_MOST;
}

/* dictobject.c PyDictKeyEntry: hash, key, value; PyDictUnicodeEntry has no hash. The hash
 * of an int is its value, and there are many dicts by address: __subclasses__(), by id().
 */
static void visit_entries(struct cycles_edges *edges, const struct dict_keys *keys)
{
    uint8_t words = keys->entry_bytes == 24 ? 3 : 0;

    visit_all(edges,
              (struct cycles_piece){keys->entries,
                                    keys->n_entries * keys->entry_bytes / 8, words, 0});
}

/* 3.11, 3.12: in front of values is a prefix whose length stands in the byte before. */
static void tell_values(struct cycles_edges *edges, uint64_t values)
{
    uint8_t prefix = 0;

    if ((edges->layout->minor == 11 || edges->layout->minor == 12) &&
        !cycles_memory_read(edges->memory, values - 1, &prefix, 1))
        return;
    tell_table(edges, values - prefix);
}

static void visit_dict(struct cycles_edges *edges, const uint8_t *body)
{
    const struct object_layout *layout = edges->layout;
    uint64_t table = u64_at(body, layout->dict_keys);
    uint64_t values = u64_at(body, layout->dict_values);
    uint8_t live[4] = {0};
    struct dict_keys keys;

    if (!keys_read(edges, table, &keys))
        return;
    if (!values) {
        tell_table(edges, table);
        visit_entries(edges, &keys);
        return;
    }
    /* Values that are embedded in their instance belong to that. */
    if (layout->minor >= 13 &&
        (!cycles_memory_read(edges->memory, values, live, 4) || live[VALUES_LIVE]))
        return;
    tell_values(edges, values);
    visit_words(edges, layout->minor >= 13 ? values + 8 : values, keys.n_entries);
}

static void visit_list(struct cycles_edges *edges, const uint8_t *body)
{
    uint64_t items = u64_at(body, LIST_ITEMS), count = u64_at(body, 16);

    if (!items || count > TABLE_MOST)
        return;
    tell_table(edges, items);
    visit_words(edges, items, count);
}

static void visit_set(struct cycles_edges *edges, const uint8_t *body, uint64_t object)
{
    const struct object_layout *layout = edges->layout;
    uint64_t table = u64_at(body, layout->set_table);
    uint64_t mask = u64_at(body, layout->set_mask);

    if (mask > TABLE_MOST)
        return;
    if (table != object + layout->set_small_table)
        tell_table(edges, table);
    visit_all(edges, (struct cycles_piece){table, (mask + 1) * 2, 2, 1});
}

/* 3.11, 3.12: values have no count of their own; the class's cached keys tell it. */
static void visit_values(struct cycles_edges *edges, uint64_t values,
                         const struct cycles_type *type)
{
    struct dict_keys keys;
    uint64_t table;

    if (!cycles_memory_u64(edges->memory, type->address + edges->layout->ht_cached_keys,
                           &table) ||
        !table || !keys_read(edges, table, &keys))
        return;
    tell_values(edges, values);
    visit_words(edges, values, keys.n_entries);
}

/* Attributes that stand before the object, or in values of their own. */
static void visit_managed(struct cycles_edges *edges, uint64_t object,
                          const struct cycles_type *type)
{
    uint8_t minor = edges->layout->minor;
    uint64_t word;

    if (!(type->flags & TYPE_FLAG_MANAGED_DICT) || minor < 11 ||
        !cycles_memory_u64(edges->memory, object - 24, &word))
        return;
    /* 3.12 pycore_object.h PyDictOrValues: values are tagged by taking one away. */
    if (minor == 12 && word & 1) {
        visit_values(edges, word + 1, type);
        return;
    }
    if (word)
        edges->visit(edges->context, word);
    if (minor == 11 && cycles_memory_u64(edges->memory, object - 32, &word) && word)
        visit_values(edges, word, type);
}

/* 3.13+: {capacity, size, embedded, valid} and the values, in the object. */
static void visit_inline(struct cycles_edges *edges, uint64_t object,
                         const struct cycles_type *type)
{
    uint64_t values = object + (edges->layout->minor == 13 ? 16 : type->basicsize);
    uint8_t head[8];

    if (!(type->flags & TYPE_FLAG_INLINE_VALUES) || edges->layout->minor < 13 ||
        !cycles_memory_read(edges->memory, values, head, sizeof(head)) || !head[3])
        return;
    visit_words(edges, values + 8, head[0]);
}

/* Of a frame that stands still. */
static void visit_slots(struct cycles_edges *edges, uint64_t slots)
{
    uint64_t top, count;

    if (!cycles_memory_u64(edges->memory, slots - edges->layout->slots_top_before, &top))
        return;
    count = object_slots_used(edges->layout, slots, top);
    if (count <= BODY_MOST / 8)
        visit_words(edges, slots, count);
}

/* 3.11+: what frame_traverse and gen_traverse tell of the frame that is in the object. */
static void visit_own_frame(struct cycles_edges *edges, uint64_t object,
                            const struct cycles_type *type, const uint8_t *body)
{
    const struct object_layout *layout = edges->layout;

    if (type->rule == CYCLES_FRAME && layout->frame_inner &&
        u64_at(body, layout->frame_inner) == object + layout->frame_data)
        visit_slots(edges, object + layout->frame_bytes);
    if (type->rule == CYCLES_GENERATOR && layout->gen_locals &&
        object_slots_are_still(layout, body[layout->gen_state]))
        visit_slots(edges, object + layout->gen_locals);
}

/* ---- types of the standard library ---- */

/* Behind what a deque has in its blocks is what it had before. */
static void visit_deque(struct cycles_edges *edges, const uint8_t *body)
{
    uint64_t block = u64_at(body, edges->layout->deque_left_block);
    uint64_t at = u64_at(body, DEQUE_LEFT), left = u64_at(body, edges->layout->ob_size);

    while (at < DEQUE_ITEMS && left <= edges->words_left) {
        uint64_t some = left < DEQUE_ITEMS - at ? left : DEQUE_ITEMS - at;

        tell_table(edges, block);
        visit_words(edges, block + 8 + at * 8, some);
        left -= some;
        at = 0;
        if (!left || !cycles_memory_u64(edges->memory, block + DEQUE_NEXT, &block))
            return;
    }
}

/* Blocks that are kept for later. */
static void tell_deque_free(struct cycles_edges *edges, uint64_t object,
                            const struct cycles_type *type)
{
    uint64_t count, block;

    if (!edges->visit_table ||
        type->native_bytes < DEQUE_FREE + DEQUE_FREE_MOST * UINT64_C(8) ||
        !cycles_memory_u64(edges->memory, object + DEQUE_FREE_COUNT, &count))
        return;
    for (uint64_t n = 0; n < count && n < DEQUE_FREE_MOST; n++)
        if (cycles_memory_u64(edges->memory, object + DEQUE_FREE + n * 8, &block))
            tell_table(edges, block);
}

/* The nodes have their keys once more, which the collector does not come to know. Words
 * are counted, so that a ring of nodes ends; where none can lie, none would be. */
static void free_nodes(struct cycles_edges *edges, uint64_t object)
{
    const struct object_layout *layout = edges->layout;
    uint64_t node, nodes;

    if (!edges->visit_table ||
        !cycles_memory_u64(edges->memory, object + layout->odict_fast_nodes - 8,
                           &nodes) ||
        !cycles_memory_u64(edges->memory, object + layout->odict_first, &node))
        return;
    tell_table(edges, nodes);
    while (raddr_may_hold_word(node) && !edges->is_excessive) {
        tell_table(edges, node);
        visit_words(edges, node, 1);
        if (!cycles_memory_u64(edges->memory, node + ODICT_NEXT, &node))
            return;
    }
}

/* Its links are untracked objects, which the cache refers to; in a ring that leads back
 * to itself. When they are freed, their words are visited as those of any object. */
static void visit_links(struct cycles_edges *edges, uint64_t object)
{
    uint64_t link = object;

    if (edges->visit_table)
        return;
    while (cycles_memory_u64(edges->memory, link + LRU_NEXT, &link) && link != object &&
           raddr_may_hold_word(link) && !edges->is_excessive)
        visit_words(edges, link + LRU_KEY, 2);
}

static void visit_element(struct cycles_edges *edges, uint64_t object)
{
    uint64_t extra, words[4];

    if (!cycles_memory_u64(edges->memory, object + ELEMENT_EXTRA, &extra) || !extra ||
        !cycles_memory_read(edges->memory, extra, words, sizeof(words)))
        return;
    tell_table(edges, extra);
    visit_words(edges, extra, 1); /* attrib */
    if (words[EXTRA_CHILDREN / 8] != extra + EXTRA_OWN)
        tell_table(edges, words[EXTRA_CHILDREN / 8]);
    visit_words(edges, words[EXTRA_CHILDREN / 8], words[1]);
}

/* 3.13+: a ring, empty places are 0. */
static void visit_queue(struct cycles_edges *edges, const uint8_t *body)
{
    tell_table(edges, u64_at(body, QUEUE_ITEMS));
    visit_words(edges, u64_at(body, QUEUE_ITEMS), u64_at(body, QUEUE_CAPACITY));
}

/* An array of objects: what it holds the collector does not come to know. */
static void free_items(struct cycles_edges *edges, const uint8_t *body)
{
    uint64_t dimensions[NDARRAY_ND_MAX], count = 1;
    uint32_t n = (uint32_t)u64_at(body, NDARRAY_ND);
    uint8_t kind;

    if (!edges->visit_table || !(u64_at(body, NDARRAY_FLAGS) & NDARRAY_OWNS_DATA) ||
        n > NDARRAY_ND_MAX ||
        !cycles_memory_read(edges->memory, u64_at(body, NDARRAY_DESCR) + DESCR_KIND,
                            &kind, 1) ||
        kind != 'O' ||
        !cycles_memory_read(edges->memory, u64_at(body, NDARRAY_DIMENSIONS), dimensions,
                            n * sizeof(*dimensions)))
        return;
    for (uint32_t i = 0; i < n; i++) {
        if (dimensions[i] > TABLE_MOST || count > TABLE_MOST)
            return;
        count *= dimensions[i];
    }
    visit_words(edges, u64_at(body, NDARRAY_DATA), count);
}

/* The names of its instances' attributes. */
static void free_class(struct cycles_edges *edges, uint64_t object)
{
    struct dict_keys keys;
    uint64_t flags, table;

    if (!edges->visit_table ||
        !cycles_memory_u64(edges->memory, object + edges->layout->tp_flags, &flags) ||
        !(flags & TYPE_FLAG_HEAP) ||
        !cycles_memory_u64(edges->memory, object + edges->layout->ht_cached_keys,
                           &table) ||
        !table || !keys_read(edges, table, &keys))
        return;
    tell_table(edges, table);
    visit_entries(edges, &keys);
}

/* ---- an object ---- */

static void visit_by_rule(struct cycles_edges *edges, uint64_t object,
                          const struct cycles_type *type, const uint8_t *body)
{
    switch (type->rule) {
    case CYCLES_SET:
        visit_set(edges, body, object);
        break;
    case CYCLES_WEAKREF:
        visit_words(edges, object + WEAKREF_CALLBACK, 1);
        break;
    case CYCLES_DEQUE:
        visit_deque(edges, body);
        tell_deque_free(edges, object, type);
        break;
    case CYCLES_ORDERED_DICT:
        free_nodes(edges, object);
        break;
    case CYCLES_LRU_CACHE:
        visit_links(edges, object);
        break;
    case CYCLES_ELEMENT:
        visit_element(edges, object);
        break;
    case CYCLES_QUEUE:
        if (edges->layout->minor >= 13)
            visit_queue(edges, body);
        break;
    default:
        visit_own_frame(edges, object, type, body);
        break;
    }
    if (type->flags & TYPE_FLAG_TYPE)
        free_class(edges, object);
    if (type->shape.rule == OBJECT_NDARRAY)
        free_items(edges, body);
}

/* A generator's type has an itemsize, too, but where others count items is a pointer. */
static uint64_t items_of(const struct cycles_edges *edges, const struct cycles_type *type,
                         const uint8_t *body)
{
    uint64_t items = u64_at(body, edges->layout->ob_size);

    if (type->flags & TYPE_FLAG_INT)
        items = edges->layout->int_is_tagged ? items >> 3
                : (int64_t)items < 0         ? 0 - items
                                             : items;
    else if (!type->itemsize ||
             (type->shape.rule != OBJECT_VAR &&
              !(type->rule == CYCLES_FRAME && edges->layout->minor < 11)))
        return 0;
    return items > TABLE_MOST ? 0 : items;
}

/* Whose words are all told by the rule: only what a class has behind them is left. */
static bool is_told(const struct cycles_edges *edges, const struct cycles_type *type)
{
    return type->rule == CYCLES_SET || type->rule == CYCLES_WEAKREF ||
           type->rule == CYCLES_DEQUE ||
           (type->rule == CYCLES_QUEUE && edges->layout->minor >= 13) ||
           type->flags & TYPE_FLAG_STR;
}

/* The words of the object itself, without the one where its weak references begin. */
static void visit_body(struct cycles_edges *edges, uint64_t object,
                       const struct cycles_type *type, uint64_t items)
{
    uint64_t from = is_told(edges, type) ? type->native_bytes : 16;
    uint64_t to = type->basicsize + items * type->itemsize;

    if (type->flags & (TYPE_FLAG_BYTES | TYPE_FLAG_INT | TYPE_FLAG_TUPLE))
        return;
    if (type->rule == CYCLES_CONTEXT_VAR)
        to = CONTEXT_VAR_BYTES;
    if (to > BODY_MOST)
        to = BODY_MOST;
    if (type->weak_list >= from && type->weak_list < to) {
        visit_words(edges, object + from, (type->weak_list - from) / 8);
        from = type->weak_list + 8;
    }
    if (from < to)
        visit_words(edges, object + from, (to - from) / 8);
}

/* Of a subclass of int, tuple and the like. */
static void visit_dict_behind(struct cycles_edges *edges, uint64_t object,
                              const struct cycles_type *type, uint64_t items)
{
    uint64_t end = (type->basicsize + items * type->itemsize + 7) & ~UINT64_C(7), dict;

    if (type->dict_offset < 0 &&
        cycles_memory_u64(edges->memory, object + end + (uint64_t)type->dict_offset,
                          &dict))
        edges->visit(edges->context, dict);
}

void cycles_edges_visit(struct cycles_edges *edges, uint64_t object,
                        const struct cycles_type *type)
{
    uint8_t body[80] = {0};
    uint64_t items;

    cycles_memory_read(edges->memory, object, body,
                       type->basicsize < sizeof(body) ? type->basicsize : sizeof(body));
    /* When objects are freed: their class is garbage itself, or it is held by others. */
    if (type->has_owned_type && !edges->visit_table)
        edges->visit(edges->context, u64_at(body, 8));
    items = items_of(edges, type, body);
    if (type->flags & TYPE_FLAG_LIST)
        visit_list(edges, body);
    if (type->flags & TYPE_FLAG_DICT)
        visit_dict(edges, body);
    if (type->flags & TYPE_FLAG_TUPLE)
        visit_words(edges, object + edges->layout->tuple_items, items);
    tell_parts(edges, object, type);
    visit_managed(edges, object, type);
    visit_inline(edges, object, type);
    visit_by_rule(edges, object, type, body);
    edges->is_own = !type->shows_others;
    visit_body(edges, object, type, items);
    edges->is_own = false;
    visit_dict_behind(edges, object, type, items);
}
