/* The arenas section: sealed whole, compared, shared. */
#include "heaptop/arenas.h"

#include <stdatomic.h>
#include <string.h>

#include "model/builder.h"
#include "util/arena.h"

#define ARENAS_MAX_BYTES ((size_t)256 << 20)

static atomic_int *reference_count(const struct arenas_section *section)
{
    return (atomic_int *)(uintptr_t)&section->references;
}

const struct arenas_section *arenas_ref(const struct arenas_section *section)
{
    atomic_fetch_add(reference_count(section), 1);
    return section;
}

void arenas_unref(const struct arenas_section *section)
{
    if (section && atomic_fetch_sub(reference_count(section), 1) == 1)
        arena_free(section->memory);
}

const struct arenas_section *arenas_seal(const struct arenas_section *facts)
{
    size_t n_cells = facts->n_arenas * facts->pools_each;
    struct arena *memory = arena_new(ARENAS_MAX_BYTES);
    struct arenas_section *section =
        memory ? arena_alloc(memory, 1, sizeof(*section)) : NULL;
    struct arena_picture *arenas =
        section ? arena_alloc(memory, facts->n_arenas + 1, sizeof(*arenas)) : NULL;
    uint8_t *cells = arenas ? arena_alloc(memory, n_cells + 1, 1) : NULL;

    if (!cells) {
        arena_free(memory);
        return NULL;
    }
    if (facts->n_arenas)
        memcpy(arenas, facts->arenas, facts->n_arenas * sizeof(*arenas));
    if (n_cells)
        memcpy(cells, facts->cells, n_cells);
    *section = *facts;
    section->arenas = arenas;
    section->cells = cells;
    section->memory = memory;
    section->references = 1;
    return section;
}

bool arenas_are_same(const struct arenas_section *a, const struct arenas_section *b)
{
    return a->n_arenas == b->n_arenas && a->pools_each == b->pools_each &&
           a->is_order_exact == b->is_order_exact &&
           !memcmp(a->arenas, b->arenas, a->n_arenas * sizeof(*a->arenas)) &&
           !memcmp(a->cells, b->cells, a->n_arenas * a->pools_each);
}
