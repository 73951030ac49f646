/*
 * What the objects of one kind are like: sizes, refcounts, generations, the largest, and
 * of a class what __slots__ would save.
 *
 * The instances of a type are met by the pass. A dict is met with its owner, because only
 * that one knows whose it is; for those without an owner a first pass notes all that have
 * one.
 *
 * Whose a part is that several could have, or that a field of C leads to, only a walk of
 * all objects finds out: one that counts comes first, and its sum is the kind's memory.
 */
#include "source/inquiry.h"

#include <stdlib.h>
#include <string.h>

#include "layout/object_layout.h"
#include "model/kind_detail.h"
#include "source/kind_class.h"
#include "source/kind_generations.h"
#include "source/noted_pass.h"
#include "source/object_value.h"
#include "util/address_set.h"
#include "util/bytes.h"
#include "util/xalloc.h"

#define DICT_BYTES 64 /* of a dict, its GC head before it not counted */

static const char dict_of[] = "dict of ";
static const char dict_no_owner[] = "dict (no owner)";

enum kind_focus {
    FOCUS_INSTANCES = 0,
    FOCUS_DICTS_OF,
    FOCUS_DICTS_OF_NOBODY,
};

struct kind_inquiry {
    struct noted_pass noted; /* notes which dicts have owners */
    struct kind_class class;
    struct kind_detail *detail;
    const struct kind *kind;
    enum kind_focus focus;
    bool shows_values;
    struct address_set dicts; /* counted already, or owned */
};

/* The dict at the address, as if the pass had met it; `bytes` takes its beginning. */
static bool read_dict(struct kind_inquiry *inquiry, uint64_t address,
                      uint8_t bytes[GC_HEAD_BYTES + DICT_BYTES], struct met_object *met)
{
    struct walk *walk = &inquiry->noted.pass.walk;

    if (!address || measure_read(&inquiry->noted.measure, address - GC_HEAD_BYTES, bytes,
                                 GC_HEAD_BYTES + DICT_BYTES))
        return false;
    *met = (struct met_object){
        .view = {bytes + GC_HEAD_BYTES, DICT_BYTES, address},
        .entry = types_get(&walk->types, u64_at(bytes, GC_HEAD_BYTES + 8)),
        .is_tracked = u64_at(bytes, 0) != 0,
        .is_in_malloc = !arena_map_has(&walk->map, address),
    };
    if (!met->entry || !met->entry->is_plain_dict ||
        !walk_is_alive(walk, u64_at(met->view.bytes, 0)))
        return false;
    met->block_bytes = measure_block(&inquiry->noted.measure, met->entry, &met->view);
    return true;
}

static void add_object(struct kind_inquiry *inquiry, const struct met_object *met,
                       const struct measured *measured)
{
    struct kind_detail *detail = inquiry->detail;
    const struct object_layout *layout = &inquiry->noted.pass.walk.layout.object;
    uint64_t word = u64_at(met->view.bytes, layout->ob_refcnt);
    struct detail_instance instance = {
        .address = met->view.address,
        .size_bytes = measured->size_bytes,
        .memory_bytes = measured->memory_bytes,
        .refcount = (uint32_t)word,
        .is_immortal = word & layout->refcnt_immortal,
    };

    kind_detail_add(detail, &instance);
    detail->tracked += met->is_tracked;
    detail->in_malloc += met->is_in_malloc;
}

static void add_instance(struct kind_inquiry *inquiry, const struct met_object *met)
{
    uint8_t bytes[GC_HEAD_BYTES + DICT_BYTES];
    struct met_object dict;
    struct measured measured, of_dict = {0};
    bool has_dict;

    measure_object(&inquiry->noted.measure, met, &measured);
    add_object(inquiry, met, &measured);
    if (!met->entry->is_heap)
        return;
    has_dict = read_dict(inquiry, measured.dict, bytes, &dict);
    if (has_dict)
        measure_object(&inquiry->noted.measure, &dict, &of_dict);
    kind_class_add(&inquiry->class, &inquiry->noted.measure, inquiry->detail, met,
                   has_dict ? &dict : NULL, of_dict.memory_bytes);
}

static void add_dict(struct kind_inquiry *inquiry, uint64_t address)
{
    uint8_t bytes[GC_HEAD_BYTES + DICT_BYTES];
    struct met_object met;
    struct measured measured;

    if (!address || !address_set_add(&inquiry->dicts, address) ||
        !read_dict(inquiry, address, bytes, &met))
        return;
    measure_object(&inquiry->noted.measure, &met, &measured);
    add_object(inquiry, &met, &measured);
}

static uint64_t dict_of_object(struct kind_inquiry *inquiry, const struct met_object *met)
{
    struct object_part parts[OBJECT_PARTS_MAX];
    size_t count = met->entry->shape.has_parts
                       ? object_parts(&inquiry->noted.pass.walk.layout.object,
                                      &met->entry->shape, &met->view, parts)
                       : 0;

    for (size_t i = 0; i < count; i++)
        if (parts[i].what == OBJECT_PART_DICT)
            return parts[i].address;
    return 0;
}

static void kind_visit(void *with, const struct met_object *met)
{
    struct kind_inquiry *inquiry = with;
    struct measured measured;

    switch (inquiry->focus) {
    case FOCUS_INSTANCES:
        if (met->entry->kind == inquiry->kind && !met->entry->is_plain_dict)
            add_instance(inquiry, met);
        break;
    case FOCUS_DICTS_OF:
        if (!strcmp(met->entry->kind->name, inquiry->kind->name + sizeof(dict_of) - 1))
            add_dict(inquiry, dict_of_object(inquiry, met));
        break;
    case FOCUS_DICTS_OF_NOBODY:
        if (inquiry->noted.is_noting) {
            address_set_add(&inquiry->dicts, dict_of_object(inquiry, met));
        } else if (met->entry->is_plain_dict &&
                   !address_set_has(&inquiry->dicts, met->view.address)) {
            measure_object(&inquiry->noted.measure, met, &measured);
            add_object(inquiry, met, &measured);
        }
        break;
    }
}

static bool is_one(void *with, const struct type_entry *entry, uint64_t object)
{
    struct kind_inquiry *inquiry = with;

    if (inquiry->focus == FOCUS_INSTANCES)
        return entry->kind == inquiry->kind && !entry->is_plain_dict;
    return entry->is_plain_dict &&
           (inquiry->focus == FOCUS_DICTS_OF) == address_set_has(&inquiry->dicts, object);
}

static int kind_begin(const struct inquiry *asked, struct source_context *context,
                      void **state, struct err *err)
{
    struct kind_inquiry *inquiry = xcalloc(1, sizeof(*inquiry));

    *state = inquiry;
    inquiry->detail = xcalloc(1, sizeof(*inquiry->detail));
    inquiry->kind = asked->kind;
    inquiry->shows_values = asked->shows_values;
    inquiry->noted.is_counting = true;
    if (!asked->kind)
        return err_set(err, ERR_USAGE, "no kind was named");
    if (!strcmp(asked->kind->name, dict_no_owner)) {
        inquiry->focus = FOCUS_DICTS_OF_NOBODY;
        inquiry->noted.is_noting = true;
    } else if (!strncmp(asked->kind->name, dict_of, sizeof(dict_of) - 1)) {
        inquiry->focus = FOCUS_DICTS_OF;
    }
    return noted_pass_begin(&inquiry->noted, context, kind_visit, inquiry, err);
}

/* Read anew: it may have gone since it was met, and then has no value. */
static void preview(struct kind_inquiry *inquiry, struct detail_instance *instance)
{
    struct walk *walk = &inquiry->noted.pass.walk;
    uint8_t bytes[VALUE_HEADER_BYTES];
    struct met_object met = {.block_bytes = instance->memory_bytes};
    struct object_value value;

    if (value_read(&inquiry->noted.measure, instance->address, bytes, &met) ||
        met.entry->kind != inquiry->kind)
        return;
    value = value_of(&walk->layout.object, &met);
    value_preview(&inquiry->noted.measure, &value, instance->value,
                  sizeof(instance->value));
}

/* The memory that the tables would say, if it is of the same objects. */
static void take_memory(struct kind_inquiry *inquiry)
{
    const struct objects_section *counted = inquiry->noted.counted;

    for (size_t i = 0; counted && i < counted->n_kinds; i++) {
        const struct kind_row *row = &counted->kinds[i];

        if (row->kind == inquiry->kind && row->count == inquiry->detail->count)
            inquiry->detail->memory_bytes = row->memory_bytes;
    }
}

static void kind_finish(struct kind_inquiry *inquiry)
{
    struct kind_detail *detail = inquiry->detail;

    for (size_t i = 0; i < detail->n_instances && inquiry->shows_values; i++)
        preview(inquiry, &detail->instances[i]);
    take_memory(inquiry);
    kind_generations(&inquiry->noted.pass.walk, is_one, inquiry, detail);
    kind_class_end(&inquiry->class, &inquiry->noted.pass.walk, detail);
    objects_pass_facts(&inquiry->noted.pass, &detail->answer.walk);
    detail->answer.walk.complete &= !inquiry->dicts.is_full;
}

static enum source_result kind_step(void *state, struct source_context *context,
                                    struct answer **answer, struct err *err)
{
    struct kind_inquiry *inquiry = state;
    enum source_result result =
        noted_pass_step(&inquiry->noted, context->deadline_mono_ns, err);

    if (result != SOURCE_DONE)
        return result;
    kind_finish(inquiry);
    *answer = &inquiry->detail->answer;
    inquiry->detail = NULL;
    return SOURCE_DONE;
}

static void kind_end(void *state)
{
    struct kind_inquiry *inquiry = state;

    noted_pass_release(&inquiry->noted);
    address_set_release(&inquiry->dicts);
    free(inquiry->detail);
    free(inquiry);
}

const struct inquiry_ops inquiry_kind = {
    .name = INQUIRY_KIND,
    .begin = kind_begin,
    .step = kind_step,
    .end = kind_end,
};
