#include "source/pins_owners.h"

#include <string.h>

#include "util/utf8.h"

#define OBJECTS_OF_KIND_MAX 512 /* looked up, spread over all */
#define LINKS_OF_KIND_MAX   1024

/* Is it one of those by which the kind keeps arenas? Where it has objects in arenas of
 * which hardly anything is in use, only these are. */
static bool does_keep(const struct pin_block *block, const struct pin_row *row,
                      bool is_cheap)
{
    bool is_object = block->what == PIN_OBJECT || block->what == PIN_DICT;

    return (is_object && (!row->cheap || is_cheap)) ||
           (block->what == PIN_PART && !block->kind);
}

/* Which of the kinds it belongs to, as far as these are looked up; NULL = none. A part
 * whose object lies in none of these arenas has a row as well. */
static struct pin_owner *owner_of_block(struct pins_owners *owners,
                                        const struct pin_block *block)
{
    const struct kind *kind = pins_blocks_kind(block);

    for (size_t i = 0; kind && i < owners->n_kinds; i++)
        if (owners->kinds[i].kind == kind)
            return &owners->kinds[i];
    return NULL;
}

static bool add_to_search(struct pins_owners *owners, const struct pins_blocks *blocks,
                          const struct pin_block *block, uint64_t arena_address,
                          uint32_t group)
{
    uint64_t address = arena_address + block->offset;

    if (block->what == PIN_PART)
        return holders_search_add_part(
            &owners->search, address + blocks->walk->layout.pymalloc.debug_prefix_bytes,
            group);
    return holders_search_add(&owners->search, address + block->head, group);
}

/* Every so many objects of the kind one is looked up. */
static void add_objects_of(struct pins_owners *owners, const struct pins_section *section,
                           const struct pins_blocks *blocks, size_t number,
                           uint64_t met[PIN_OWNED_KINDS])
{
    const struct pin_arena *arena = &blocks->arenas->arenas[number];
    bool is_cheap = pin_arena_is_cheap(blocks->arenas, arena);

    for (size_t i = blocks->first[number]; i < blocks->first[number + 1]; i++) {
        const struct pin_block *block = &blocks->blocks[i];
        struct pin_owner *owner = owner_of_block(owners, block);
        uint32_t group = owner ? (uint32_t)(owner - owners->kinds) : 0;
        const struct pin_row *row = &section->rows[group];
        uint64_t blocks_of_kind = row->cheap     ? row->cheap
                                  : row->objects ? row->objects
                                                 : row->parts;

        if (owner && does_keep(block, row, is_cheap) &&
            met[group]++ % (blocks_of_kind / OBJECTS_OF_KIND_MAX + 1) == 0 &&
            add_to_search(owners, blocks, block, arena->row->first_pool, group))
            owner->looked_up++;
    }
}

static void add_objects(struct pins_owners *owners, const struct pins_section *section,
                        const struct pins_blocks *blocks)
{
    uint64_t met[PIN_OWNED_KINDS] = {0};

    for (size_t i = 0; i < blocks->next; i++)
        add_objects_of(owners, section, blocks, i, met);
}

int pins_owners_begin(struct pins_owners *owners, const struct pins_section *section,
                      const struct pins_blocks *blocks,
                      const struct source_context *context, struct err *err)
{
    memset(owners, 0, sizeof(*owners));
    while (owners->n_kinds < section->n_rows && owners->n_kinds < PIN_OWNED_KINDS) {
        owners->kinds[owners->n_kinds].kind = section->rows[owners->n_kinds].kind;
        owners->links_left[owners->n_kinds++] = LINKS_OF_KIND_MAX;
    }
    add_objects(owners, section, blocks);
    owners->search.links_left = owners->links_left;
    owners->search.ignores_types = true;
    return holders_search_begin(&owners->search, context, err);
}

enum source_result pins_owners_step(struct pins_owners *owners, int64_t deadline_mono_ns,
                                    struct err *err)
{
    return holders_search_step(&owners->search, deadline_mono_ns, err);
}

/* The way in which most of the references hold the objects of one kind. */
static void name_owner(struct pins_owners *owners, uint32_t group)
{
    static const char nothing[] = "(a frame or C code)";
    const struct holders_search *search = &owners->search;
    struct pin_owner *owner = &owners->kinds[group];
    struct holders *holders = holders_new();
    char label[HOLDER_LABEL_MAX];

    for (size_t i = 0; i < search->held.count; i++) {
        const struct holder_link *link = &search->held.links[i];
        bool is_root;

        if (link->group != group)
            continue;
        owner->references += link->count;
        is_root = holder_label(&search->owners, link, label);
        holders_add(holders, label, link->kind, link->count, link->holder, is_root);
    }
    holders_sort(holders);
    if (holders->n_rows) {
        owner->owner_references = holders->rows[0].references;
        utf8_clean_copy(owner->words, sizeof(owner->words), holders->rows[0].label,
                        strlen(holders->rows[0].label));
    } else if (owner->looked_up && search->pass.walk.facts.complete && !search->is_cut) {
        memcpy(owner->words, nothing, sizeof(nothing));
    }
    answer_free(&holders->answer);
}

void pins_owners_name(struct pins_owners *owners)
{
    struct walk_facts facts;

    objects_pass_facts(&owners->search.pass, &facts);
    for (size_t i = 0; i < owners->n_kinds; i++)
        name_owner(owners, (uint32_t)i);
}

void pins_owners_release(struct pins_owners *owners)
{
    holders_search_release(&owners->search);
    memset(&owners->search, 0, sizeof(owners->search));
}

void pins_owners_fill(const struct pins_owners *owners, struct pin_row *rows,
                      size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < owners->n_kinds; k++) {
            const struct pin_owner *owner = &owners->kinds[k];

            if (owner->kind != rows[i].kind)
                continue;
            rows[i].looked_up = owner->looked_up;
            rows[i].references = owner->references;
            rows[i].owner_references = owner->owner_references;
            memcpy(rows[i].owner, owner->words, sizeof(rows[i].owner));
        }
}
