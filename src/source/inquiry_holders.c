/*
 * Who holds the objects of a kind, or one object: a search by kind or address, and its
 * links as an answer in words.
 */
#include "source/inquiry.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "source/holders_search.h"
#include "util/xalloc.h"

struct holders_inquiry {
    struct inquiry asked;
    const char *dict_owner; /* "dict of X": the name of X; else NULL */
    bool is_of_no_owner;    /* dicts that are nobody's __dict__ */
    struct address_map owned;
    bool are_owned_left_out;
    struct holders_search search;
    struct holders *answer;
};

/* ---- what is asked for ---- */

static void find_dict(void *with, const struct reference *reference)
{
    if (reference->by == BY_DICT)
        holders_search_add(with, reference->word, 0);
}

static void note_owned(void *with, const struct reference *reference)
{
    struct holders_search *search = with;
    struct holders_inquiry *inquiry = search->find_with;

    if (reference->by == BY_DICT)
        address_map_add(&inquiry->owned, reference->word, 0);
}

/* Whose a dict is may be met after it: all are noted, and those that have an owner. */
static void find_dict_of_no_owner(void *with, const struct met_object *met)
{
    struct holders_inquiry *inquiry = with;

    references_visit(&inquiry->search.references, met);
    if (!strcmp(met->entry->kind->name, "dict"))
        holders_search_add(&inquiry->search, met->view.address, 0);
}

/* When all were met, and before who refers to them is looked for. */
static void leave_out_owned(struct holders_inquiry *inquiry)
{
    struct address_map all = inquiry->search.objects;

    inquiry->are_owned_left_out = true;
    inquiry->search.objects = (struct address_map){0};
    for (size_t i = 0; i < all.n_slots; i++)
        if (all.addresses[i] &&
            address_map_get(&inquiry->owned, all.addresses[i]) == ADDRESS_MAP_NONE)
            holders_search_add(&inquiry->search, all.addresses[i], 0);
    inquiry->search.objects.is_full |= all.is_full || inquiry->owned.is_full;
    address_map_release(&all);
    address_map_release(&inquiry->owned);
}

static void find_object(void *with, const struct met_object *met)
{
    struct holders_inquiry *inquiry = with;

    if (met->entry->kind == inquiry->asked.kind)
        holders_search_add(&inquiry->search, met->view.address, 0);
    else if (inquiry->dict_owner && !strcmp(met->entry->kind->name, inquiry->dict_owner))
        references_visit(&inquiry->search.references, met);
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
    struct holders_search *search = &inquiry->search;
    struct holders *answer = inquiry->answer;
    char label[HOLDER_LABEL_MAX];

    name_objects(inquiry);
    answer->objects = search->objects.count;
    answer->held = search->n_held;
    for (size_t i = 0; i < search->held.count; i++) {
        const struct holder_link *link = &search->held.links[i];
        bool is_root = holder_label(&search->owners, link, label);

        holders_add(answer, label, link->kind, link->count, link->holder, is_root);
    }
    holders_sort(answer);
    objects_pass_facts(&search->pass, &answer->answer.walk);
    answer->answer.walk.complete &= !search->is_cut && !search->objects.is_full;
}

static int holders_begin(const struct inquiry *asked, struct source_context *context,
                         void **state, struct err *err)
{
    static const char dict_of[] = "dict of ", dict_no_owner[] = "dict (no owner)";
    struct holders_inquiry *inquiry = xcalloc(1, sizeof(*inquiry));

    *state = inquiry;
    inquiry->asked = *asked;
    inquiry->answer = holders_new();
    if (!asked->kind && !asked->address)
        return err_set(err, ERR_USAGE, "no kind and no object was named");
    if (!asked->address && !strncmp(asked->kind->name, dict_of, sizeof(dict_of) - 1))
        inquiry->dict_owner = asked->kind->name + sizeof(dict_of) - 1;
    inquiry->is_of_no_owner =
        !asked->address && !strcmp(asked->kind->name, dict_no_owner);
    if (asked->address) {
        holders_search_add(&inquiry->search, asked->address, 0);
    } else {
        inquiry->search.find =
            inquiry->is_of_no_owner ? find_dict_of_no_owner : find_object;
        inquiry->search.find_with = inquiry;
    }
    if (holders_search_begin(&inquiry->search, context, err))
        return -1;
    if (!asked->address)
        inquiry->search.references.visit =
            inquiry->is_of_no_owner ? note_owned : find_dict;
    return 0;
}

static enum source_result holders_step(void *state, struct source_context *context,
                                       struct answer **answer, struct err *err)
{
    struct holders_inquiry *inquiry = state;
    enum source_result result =
        holders_search_step(&inquiry->search, context->deadline_mono_ns, err);

    if (inquiry->is_of_no_owner && !inquiry->are_owned_left_out &&
        inquiry->search.stage != FIND_OBJECTS)
        leave_out_owned(inquiry);
    if (result != SOURCE_DONE)
        return result;
    if (!inquiry->search.objects.count) {
        err_set(err, ERR_GONE, "there is no object of the kind %.100s",
                inquiry->asked.kind->name);
        return SOURCE_FAILED;
    }
    make_answer(inquiry);
    *answer = &inquiry->answer->answer;
    inquiry->answer = NULL;
    return SOURCE_DONE;
}

static void holders_end(void *state)
{
    struct holders_inquiry *inquiry = state;

    holders_search_release(&inquiry->search);
    address_map_release(&inquiry->owned);
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
