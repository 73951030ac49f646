/*
 * Who holds objects: passes over all objects, one after the other. The first finds those
 * that are asked for, the second who refers to them, the next who has the dicts and lists
 * among these, so that they can be named.
 */
#include "source/inquiry.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "source/holder_names.h"
#include "source/objects_pass.h"
#include "util/bytes.h"
#include "util/xalloc.h"

#define OWNER_PASSES 3

enum holders_stage {
    FIND_OBJECTS = 0, /* of the kind */
    FIND_HOLDERS,
    FIND_OWNERS, /* of the containers among them, and of their owners */
};

struct holders_inquiry {
    struct inquiry asked;
    const char *dict_owner; /* "dict of X": the name of X; else NULL */
    struct objects_pass pass;
    struct references references;
    enum holders_stage stage;
    int n_owner_passes;
    struct address_map objects; /* asked for: 1 when something refers to it */
    struct address_map wanted;  /* containers whose owner is looked for */
    struct holder_links held;   /* who refers to what was asked for */
    struct holder_links owners; /* who has a container, by its address */
    uint64_t n_held;
    const struct met_object *met; /* under way */
    size_t first;                 /* of its links */
    struct holders *answer;
    bool is_cut;
};

/* ---- what is asked for ---- */

static void find_dict(void *with, const struct reference *reference)
{
    struct holders_inquiry *inquiry = with;

    if (reference->by == BY_DICT)
        address_map_add(&inquiry->objects, reference->word, 0);
}

static void find_object(struct holders_inquiry *inquiry, const struct met_object *met)
{
    if (met->entry->kind == inquiry->asked.kind)
        address_map_add(&inquiry->objects, met->view.address, 0);
    else if (inquiry->dict_owner && !strcmp(met->entry->kind->name, inquiry->dict_owner))
        references_visit(&inquiry->references, met);
}

/* ---- who refers to it ---- */

/* Of one holder: entries of a container are one link, unless it is a dict, whose key may
 * be an attribute. */
static bool is_same_link(const struct holder_link *link, const struct reference *found)
{
    return link->by == found->by && link->at == found->at;
}

static void find_holder(void *with, const struct reference *found)
{
    struct holders_inquiry *inquiry = with;
    const struct met_object *met = inquiry->met;
    struct holder_links *held = &inquiry->held;
    uint32_t at = address_map_get(&inquiry->objects, found->word);
    struct holder_link link = holder_link_of(met, found);

    if (at == ADDRESS_MAP_NONE || found->word == met->view.address)
        return;
    inquiry->n_held += at == 0;
    address_map_set(&inquiry->objects, found->word, 1);
    for (size_t i = held->count; i > inquiry->first && i + 8 > held->count; i--)
        if (is_same_link(&held->links[i - 1], found)) {
            held->links[i - 1].count++;
            return;
        }
    if (!holder_links_add(held, &link))
        inquiry->is_cut = true;
}

/* ---- who has the containers ---- */

static void find_owner(void *with, const struct reference *found)
{
    struct holders_inquiry *inquiry = with;
    const struct met_object *met = inquiry->met;
    struct holder_links *owners = &inquiry->owners;
    struct holder_link link = holder_link_of(met, found);
    uint32_t at;

    if (address_map_get(&inquiry->wanted, found->word) == ADDRESS_MAP_NONE ||
        found->word == met->view.address)
        return;
    at = address_map_get(&owners->by_address, found->word);
    /* Whose dict it is says more than who else has it. */
    if (at < owners->count) {
        if (found->by == BY_DICT)
            owners->links[at] = link;
        return;
    }
    if (address_map_add(&owners->by_address, found->word, (uint32_t)owners->count) &&
        !holder_links_add(owners, &link))
        inquiry->is_cut = true;
}

/* Containers of these links whose owner is not known yet; false when there is none. */
static bool want_owners(struct holders_inquiry *inquiry, const struct holder_links *links,
                        size_t first)
{
    struct address_map *known = &inquiry->owners.by_address;

    address_map_release(&inquiry->wanted);
    for (size_t i = first; i < links->count; i++)
        if (holder_is_container(links->links[i].kind) &&
            address_map_get(known, links->links[i].holder) == ADDRESS_MAP_NONE)
            address_map_add(&inquiry->wanted, links->links[i].holder, 0);
    return inquiry->wanted.count > 0;
}

/* ---- the passes ---- */

static void holders_visit(void *with, const struct met_object *met)
{
    struct holders_inquiry *inquiry = with;

    inquiry->met = met;
    inquiry->first = inquiry->held.count;
    if (inquiry->stage == FIND_OBJECTS)
        find_object(inquiry, met);
    else
        references_visit(&inquiry->references, met);
}

static void begin_stage(struct holders_inquiry *inquiry, enum holders_stage stage)
{
    static reference_visitor *const visitors[] = {find_dict, find_holder, find_owner};

    inquiry->stage = stage;
    inquiry->references.visit = visitors[stage];
}

/* True when another pass is needed, which is begun; -1: it cannot be. */
static int next_pass(struct holders_inquiry *inquiry, struct err *err)
{
    bool is_needed;

    if (inquiry->stage == FIND_OBJECTS) {
        if (!inquiry->objects.count)
            return err_set(err, ERR_GONE, "there is no object of the kind %.100s",
                           inquiry->asked.kind->name);
        begin_stage(inquiry, FIND_HOLDERS);
        return objects_pass_again(&inquiry->pass, err) ? -1 : 1;
    }
    if (inquiry->stage == FIND_HOLDERS) {
        begin_stage(inquiry, FIND_OWNERS);
        is_needed = want_owners(inquiry, &inquiry->held, 0);
    } else {
        is_needed = inquiry->n_owner_passes < OWNER_PASSES &&
                    want_owners(inquiry, &inquiry->owners, 0);
    }
    if (!is_needed)
        return 0;
    inquiry->n_owner_passes++;
    return objects_pass_again(&inquiry->pass, err) ? -1 : 1;
}

static void name_objects(struct holders_inquiry *inquiry)
{
    struct holders *answer = inquiry->answer;

    if (inquiry->asked.address)
        snprintf(answer->of, sizeof(answer->of), "the object at %#" PRIx64,
                 inquiry->asked.address);
    else
        snprintf(answer->of, sizeof(answer->of), "%s", inquiry->asked.kind->name);
}

static void make_answer(struct holders_inquiry *inquiry)
{
    struct holders *answer = inquiry->answer;
    char label[HOLDER_LABEL_MAX];

    name_objects(inquiry);
    answer->objects = inquiry->objects.count;
    answer->held = inquiry->n_held;
    for (size_t i = 0; i < inquiry->held.count; i++) {
        const struct holder_link *link = &inquiry->held.links[i];
        bool is_root = holder_label(&inquiry->owners, link, label);

        holders_add(answer, label, link->count, link->holder, is_root);
    }
    holders_sort(answer);
    objects_pass_facts(&inquiry->pass, &answer->answer.walk);
    answer->answer.walk.complete &= !inquiry->is_cut && !inquiry->objects.is_full;
}

static int holders_begin(const struct inquiry *asked, struct source_context *context,
                         void **state, struct err *err)
{
    static const char dict_of[] = "dict of ";
    struct holders_inquiry *inquiry = xcalloc(1, sizeof(*inquiry));

    *state = inquiry;
    inquiry->asked = *asked;
    inquiry->answer = holders_new();
    if (!asked->kind && !asked->address)
        return err_set(err, ERR_USAGE, "no kind and no object was named");
    if (!asked->address && !strncmp(asked->kind->name, dict_of, sizeof(dict_of) - 1))
        inquiry->dict_owner = asked->kind->name + sizeof(dict_of) - 1;
    if (objects_pass_begin(&inquiry->pass, context, holders_visit, inquiry, err))
        return -1;
    inquiry->references.walk = &inquiry->pass.walk;
    inquiry->references.with = inquiry;
    inquiry->held.references = inquiry->owners.references = &inquiry->references;
    begin_stage(inquiry, asked->address ? FIND_HOLDERS : FIND_OBJECTS);
    if (asked->address)
        address_map_add(&inquiry->objects, asked->address, 0);
    return 0;
}

static enum source_result holders_step(void *state, struct source_context *context,
                                       struct answer **answer, struct err *err)
{
    struct holders_inquiry *inquiry = state;
    int more;

    if (!objects_pass_step(&inquiry->pass, context->deadline_mono_ns))
        return SOURCE_MORE;
    more = next_pass(inquiry, err);
    if (more < 0)
        return SOURCE_FAILED;
    if (more)
        return SOURCE_MORE;
    make_answer(inquiry);
    *answer = &inquiry->answer->answer;
    inquiry->answer = NULL;
    return SOURCE_DONE;
}

static void holders_end(void *state)
{
    struct holders_inquiry *inquiry = state;

    objects_pass_release(&inquiry->pass);
    address_map_release(&inquiry->objects);
    address_map_release(&inquiry->wanted);
    holder_links_release(&inquiry->held);
    holder_links_release(&inquiry->owners);
    if (inquiry->answer)
        answer_free(&inquiry->answer->answer);
    free(inquiry);
}

const struct inquiry_ops inquiry_holders = {
    .name = INQUIRY_HOLDERS,
    .begin = holders_begin,
    .step = holders_step,
    .end = holders_end,
};
