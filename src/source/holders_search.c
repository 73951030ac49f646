#include "source/holders_search.h"

#include "model/kind.h"
#include "target/residency.h"
#include "target/target.h"

#define OWNER_PASSES 3

bool holders_search_add(struct holders_search *search, uint64_t address, uint32_t group)
{
    return address_map_add(&search->objects, address, group * 2);
}

bool holders_search_add_part(struct holders_search *search, uint64_t address,
                             uint32_t group)
{
    search->has_parts = true;
    return holders_search_add(search, address, group);
}

/* ---- who has the containers ---- */

static void add_owner(struct holders_search *search, const struct reference *found)
{
    struct holder_links *owners = &search->owners;
    struct holder_link link = holder_link_of(search->met, found);
    uint32_t at = address_map_get(&owners->by_address, found->word);

    /* Whose dict it is says more than who else has it. */
    if (at < owners->count) {
        if (found->by == BY_DICT)
            owners->links[at] = link;
        return;
    }
    if (address_map_add(&owners->by_address, found->word, (uint32_t)owners->count) &&
        !holder_links_add(owners, &link))
        search->is_cut = true;
}

static void find_owner(void *with, const struct reference *found)
{
    struct holders_search *search = with;

    if (address_map_get(&search->wanted, found->word) != ADDRESS_MAP_NONE &&
        found->word != search->met->view.address)
        add_owner(search, found);
}

/* Containers of these links whose owner is not known yet; false when there is none. */
static bool want_owners(struct holders_search *search, const struct holder_links *links)
{
    struct address_map *known = &search->owners.by_address;

    address_map_release(&search->wanted);
    for (size_t i = 0; i < links->count; i++)
        if (holder_is_container(links->links[i].kind) &&
            address_map_get(known, links->links[i].holder) == ADDRESS_MAP_NONE)
            address_map_add(&search->wanted, links->links[i].holder, 0);
    return search->wanted.count > 0;
}

/* ---- who refers to the objects ---- */

/* Of one holder: entries of a container are one link, unless it is a dict, whose key may
 * be an attribute. */
static bool is_same_link(const struct holder_link *link, const struct holder_link *other)
{
    return link->by == other->by && link->at == other->at && link->group == other->group;
}

/* Is there room for another link of the group? */
static bool take_link(struct holders_search *search, uint32_t group)
{
    if (!search->links_left)
        return true;
    if (!search->links_left[group])
        return false;
    search->links_left[group]--;
    return true;
}

static void find_holder(void *with, const struct reference *found)
{
    struct holders_search *search = with;
    struct holder_links *held = &search->held;
    struct holder_link link = holder_link_of(search->met, found);
    uint32_t at;

    /* Whose dict a module's is need not be looked for later. */
    if (found->by == BY_DICT && link.kind == search->module)
        add_owner(search, found);
    at = address_map_get(&search->objects, found->word);
    if (at == ADDRESS_MAP_NONE || found->word == link.holder ||
        (search->ignores_types && found->by == BY_TYPE))
        return;
    search->n_held += !(at & 1);
    address_map_set(&search->objects, found->word, at | 1);
    link.group = at / 2;
    for (size_t i = held->count; i > search->first && i + 8 > held->count; i--)
        if (is_same_link(&held->links[i - 1], &link)) {
            held->links[i - 1].count++;
            return;
        }
    if (!take_link(search, link.group) || !holder_links_add(held, &link))
        search->is_cut = true;
}

/* ---- the passes ---- */

/* That there can be in tables; the bound of one pass. */
static uint64_t words_of(const struct target *target)
{
    struct residency residency = {0};
    struct err ignored = ERR_INIT;
    uint64_t words;

    residency.is_cut =
        residency_scan(&residency, target->fds.pagemap, &target->maps, &ignored) != 0;
    words = residency_words(&residency);
    residency_release(&residency);
    return words;
}

static void search_visit(void *with, const struct met_object *met)
{
    struct holders_search *search = with;

    search->met = met;
    search->first = search->held.count;
    if (search->stage == FIND_OBJECTS)
        search->find(search->find_with, met);
    else
        references_visit(&search->references, met);
    if (search->stage == FIND_HOLDERS && search->has_parts)
        references_parts(&search->references, met);
}

static void begin_stage(struct holders_search *search, enum search_stage stage)
{
    search->stage = stage;
    search->references.words_left = search->words;
    search->references.visit = stage == FIND_OWNERS ? find_owner : find_holder;
}

int holders_search_begin(struct holders_search *search,
                         const struct source_context *context, struct err *err)
{
    static const char module[] = "module";

    search->module = kind_intern(module, sizeof(module) - 1);
    if (objects_pass_begin(&search->pass, context, search_visit, search, err))
        return -1;
    search->references.walk = &search->pass.walk;
    search->references.with = search;
    search->held.references = search->owners.references = &search->references;
    search->words = words_of(context->target);
    begin_stage(search, search->find ? FIND_OBJECTS : FIND_HOLDERS);
    return 0;
}

/* What the pass that is over leads to: another one? */
static bool needs_pass(struct holders_search *search)
{
    switch (search->stage) {
    case FIND_OBJECTS:
        if (!search->objects.count)
            return false;
        begin_stage(search, FIND_HOLDERS);
        return true;
    case FIND_HOLDERS:
        begin_stage(search, FIND_OWNERS);
        return want_owners(search, &search->held);
    case FIND_OWNERS:
        return search->n_owner_passes < OWNER_PASSES &&
               want_owners(search, &search->owners);
    }
    return false;
}

enum source_result holders_search_step(struct holders_search *search,
                                       int64_t deadline_mono_ns, struct err *err)
{
    if (!objects_pass_step(&search->pass, deadline_mono_ns))
        return SOURCE_MORE;
    search->is_cut |= search->references.is_excessive;
    if (!needs_pass(search))
        return SOURCE_DONE;
    search->n_owner_passes += search->stage == FIND_OWNERS;
    return objects_pass_again(&search->pass, err) ? SOURCE_FAILED : SOURCE_MORE;
}

void holders_search_release(struct holders_search *search)
{
    objects_pass_release(&search->pass);
    address_map_release(&search->objects);
    address_map_release(&search->wanted);
    holder_links_release(&search->held);
    holder_links_release(&search->owners);
}
