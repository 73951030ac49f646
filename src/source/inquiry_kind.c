/* What the objects of one kind are like: sizes, refcounts, the largest. */
#include "source/inquiry.h"

#include <stdlib.h>
#include <string.h>

#include "layout/object_layout.h"
#include "model/kind_detail.h"
#include "source/objects_measure.h"
#include "source/objects_pass.h"
#include "util/bytes.h"
#include "util/xalloc.h"

#define DICT_BYTES 96 /* of a dict, its GC head before it not counted */

static const char dict_of[] = "dict of ";

struct kind_inquiry {
    struct objects_pass pass;
    struct measure measure;
    struct kind_detail *detail;
    const struct kind *kind;
    const char *owner; /* "dict of X": the name of X; else NULL */
};

static void add_object(struct kind_inquiry *inquiry, const struct met_object *met)
{
    struct kind_detail *detail = inquiry->detail;
    uint64_t word = u64_at(met->view.bytes, 0);
    struct detail_instance instance = {.address = met->view.address};
    struct measured measured;

    measure_object(&inquiry->measure, met, &measured);
    instance.size_bytes = measured.size_bytes;
    instance.memory_bytes = measured.memory_bytes;
    instance.refcount = (uint32_t)word;
    instance.is_immortal = word & inquiry->pass.walk.layout.object.refcnt_immortal;
    kind_detail_add(detail, &instance);
    detail->tracked += met->is_tracked;
    detail->in_malloc += met->is_in_malloc;
}

/* The dict of an instance: read where it lies, for who owns it is known here only. */
static void add_dict_of(struct kind_inquiry *inquiry, const struct met_object *owner)
{
    struct walk *walk = &inquiry->pass.walk;
    uint8_t bytes[GC_HEAD_BYTES + DICT_BYTES];
    struct met_object met = {0};
    struct measured measured;

    measure_object(&inquiry->measure, owner, &measured);
    if (!measured.dict || measure_read(&inquiry->measure, measured.dict - GC_HEAD_BYTES,
                                       bytes, sizeof(bytes)))
        return;
    met.view = (struct object_view){bytes + GC_HEAD_BYTES, DICT_BYTES, measured.dict};
    met.entry = types_get(&walk->types, u64_at(met.view.bytes, 8));
    if (!met.entry || !met.entry->is_plain_dict ||
        !walk_is_alive(walk, u64_at(met.view.bytes, 0)))
        return;
    met.block_bytes = measure_block(&inquiry->measure, met.entry, &met.view);
    met.is_tracked = u64_at(bytes, 0) != 0;
    met.is_in_malloc = !arena_map_has(&walk->map, measured.dict);
    add_object(inquiry, &met);
}

static void kind_visit(void *with, const struct met_object *met)
{
    struct kind_inquiry *inquiry = with;

    if (met->entry->kind == inquiry->kind && !met->entry->is_plain_dict)
        add_object(inquiry, met);
    else if (inquiry->owner && met->entry->shape.has_parts &&
             !strcmp(met->entry->kind->name, inquiry->owner))
        add_dict_of(inquiry, met);
}

static int kind_begin(const struct inquiry *asked, struct source_context *context,
                      void **state, struct err *err)
{
    struct kind_inquiry *inquiry = xcalloc(1, sizeof(*inquiry));

    *state = inquiry;
    inquiry->detail = xcalloc(1, sizeof(*inquiry->detail));
    inquiry->kind = asked->kind;
    if (!asked->kind)
        return err_set(err, ERR_USAGE, "no kind was named");
    if (!strncmp(asked->kind->name, dict_of, sizeof(dict_of) - 1))
        inquiry->owner = asked->kind->name + sizeof(dict_of) - 1;
    if (objects_pass_begin(&inquiry->pass, context, kind_visit, inquiry, err))
        return -1;
    return measure_begin(&inquiry->measure, &inquiry->pass.walk, err);
}

static enum source_result kind_step(void *state, struct source_context *context,
                                    struct answer **answer, struct err *err)
{
    struct kind_inquiry *inquiry = state;

    (void)err;
    if (!objects_pass_step(&inquiry->pass, context->deadline_mono_ns))
        return SOURCE_MORE;
    objects_pass_facts(&inquiry->pass, &inquiry->detail->answer.walk);
    *answer = &inquiry->detail->answer;
    inquiry->detail = NULL;
    return SOURCE_DONE;
}

static void kind_end(void *state)
{
    struct kind_inquiry *inquiry = state;

    measure_release(&inquiry->measure);
    objects_pass_release(&inquiry->pass);
    free(inquiry->detail);
    free(inquiry);
}

const struct inquiry_ops inquiry_kind = {
    .name = INQUIRY_KIND,
    .begin = kind_begin,
    .step = kind_step,
    .end = kind_end,
};
