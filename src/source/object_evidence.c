#include "source/object_evidence.h"

#include <string.h>

#include "util/bytes.h"

#define TEXT_BYTES   32 /* of a str or bytes object, from its beginning */
#define ITEMS_BYTES  64
#define FIELDS_BYTES 64

/* A stretch of the object that is hashed. */
struct stretch {
    uint32_t at, bytes;
};

static uint64_t mix(uint64_t hash, uint64_t word)
{
    return (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15) >> 7 ^ hash << 11;
}

/* One byte, and never 0: that stands for nothing. */
static uint8_t byte_of(uint64_t hash)
{
    return (uint8_t)(1 + (hash * UINT64_C(0xff51afd7ed558ccd) >> 40) % 255);
}

/* Addresses of what the interpreter has without allocating: None, True, small ints. Who
 * has them in a field may soon have something else there: they tell nothing. */
struct statics {
    uint64_t start, bytes;
};

static uint64_t hash_stretch(const struct object_view *view, struct stretch stretch,
                             const struct statics *statics, uint64_t hash)
{
    uint64_t end = stretch.at + stretch.bytes;

    if (end > view->length)
        end = view->length;
    for (uint64_t at = stretch.at; at < end; at += 8) {
        uint64_t word = 0;

        memcpy(&word, view->bytes + at, end - at < 8 ? end - at : 8);
        if (word - statics->start >= statics->bytes)
            hash = mix(hash, word);
    }
    return hash;
}

/* A str's text; what is computed later (hash, utf8) is left out. */
static struct stretch str_text(const struct object_layout *layout,
                               const struct object_view *view)
{
    uint8_t state = view->length > layout->str_state ? view->bytes[layout->str_state] : 0;
    uint64_t bytes = u64_at(view->bytes, layout->str_length) * (state >> 2 & 7);

    if (!(state >> 5 & 1))
        return (struct stretch){layout->str_length, 8};
    return (struct stretch){state >> 6 & 1 ? layout->str_ascii_bytes
                                           : layout->str_compact_bytes,
                            bytes < TEXT_BYTES ? (uint32_t)bytes : TEXT_BYTES};
}

/* The items stand behind what all tuples have. */
static struct stretch tuple_items(const struct object_layout *layout,
                                  const struct met_object *met)
{
    uint64_t bytes = u64_at(met->view.bytes, layout->ob_size) * 8;

    return (struct stretch){(uint32_t)met->entry->shape.basicsize,
                            bytes < ITEMS_BYTES ? (uint32_t)bytes : ITEMS_BYTES};
}

/* Where what is hashed stands; no bytes: nothing is known to stay as it is. */
static struct stretch stretch_of(const struct object_layout *layout,
                                 const struct met_object *met, bool *is_immutable)
{
    const struct object_view *view = &met->view;
    const struct object_shape *shape = &met->entry->shape;
    const char *name = met->entry->kind->name;

    *is_immutable = true;
    if (shape->rule == OBJECT_STR)
        return str_text(layout, view);
    if (shape->rule == OBJECT_INT)
        return (struct stretch){layout->ob_size, 24};
    if (!strcmp(name, "tuple"))
        return tuple_items(layout, met);
    if (!strcmp(name, "float"))
        return (struct stretch){16, 8};
    if (!strcmp(name, "complex"))
        return (struct stretch){16, 16};
    if (!strcmp(name, "bytes")) /* ob_shash stands in front of the bytes */
        return (struct stretch){32, TEXT_BYTES};
    *is_immutable = false;
    if (shape->rule == OBJECT_LIST)
        return (struct stretch){layout->list_items, 8};
    if (shape->rule == OBJECT_DICT)
        return (struct stretch){layout->dict_keys, 16};
    if (shape->rule == OBJECT_SET)
        return (struct stretch){layout->set_table, 8};
    return (struct stretch){16, shape->basicsize > 16 + FIELDS_BYTES
                                    ? FIELDS_BYTES
                                    : (uint32_t)shape->basicsize - 16};
}

/* 3.11+: where attributes are, when they are not in the object. */
static uint64_t hash_managed(const struct object_layout *layout,
                             const struct met_object *met, uint64_t hash)
{
    uint64_t values, dict;

    if (!met->entry->shape.is_managed)
        return hash;
    object_managed(layout, met->view.bytes, &values, &dict);
    return mix(mix(hash, values), dict);
}

static struct stretch inline_values(const struct object_layout *layout,
                                    const struct met_object *met)
{
    const struct object_shape *shape = &met->entry->shape;
    uint32_t at = layout->minor == 13 ? 16 : (uint32_t)shape->basicsize;

    return (struct stretch){at + 8, shape->has_inline_values ? ITEMS_BYTES : 0};
}

void object_evidence(const struct walk *walk, const struct met_object *met,
                     struct object_trace *trace, struct birth_evidence *evidence)
{
    const struct object_layout *layout = &walk->layout.object;
    const struct object_shape *shape = &met->entry->shape;
    struct stretch stretch = stretch_of(layout, met, &evidence->is_immutable);
    struct statics statics = {walk->statics_start,
                              evidence->is_immutable ? 0 : walk->statics_bytes};
    uint64_t hash = hash_stretch(&met->view, stretch, &statics, met->entry->kind->id + 1);

    hash = hash_stretch(&met->view, inline_values(layout, met), &statics, hash);
    hash = hash_managed(layout, met, hash);
    trace->kind = met->entry->kind->id;
    trace->content = byte_of(hash);
    evidence->has_content =
        shape->basicsize > 16 || shape->is_managed || shape->has_inline_values;
    evidence->is_tracked = met->is_tracked;
    evidence->may_return =
        met->entry->is_plain_dict || !strcmp(met->entry->kind->name, "tuple");
    if (!met->is_tracked || met->view.bytes == NULL)
        return;
    trace->next = byte_of(u64_at(met->view.bytes - GC_HEAD_BYTES, 0) & GC_LINK_MASK);
    trace->previous = byte_of(u64_at(met->view.bytes - GC_HEAD_BYTES, 8) & GC_LINK_MASK);
}

struct object_place object_place_of(const struct walk *walk, const struct met_object *met)
{
    uint64_t pool_bytes = walk->layout.pymalloc.pool_bytes;
    struct object_place place = {.address = met->view.address};

    if (met->is_in_malloc || !pool_bytes || !met->block_bytes ||
        met->block_bytes > PYMALLOC_BLOCK_MAX)
        return place;
    place.pool = met->view.address & ~(pool_bytes - 1);
    place.block = (uint32_t)((met->view.address - place.pool - POOL_HEADER_BYTES) /
                             met->block_bytes);
    return place;
}
