#include "model/born.h"

#include <stdlib.h>
#include <string.h>

#include "model/kind.h"
#include "util/xalloc.h"

#define ROWS_MAX (KINDS_MAX + 1)

static bool is_beside_the_same(const struct object_trace *then,
                               const struct object_trace *now)
{
    return (then->next && then->next == now->next) ||
           (then->previous && then->previous == now->previous);
}

enum birth birth_judge(const struct object_trace *then, const struct object_trace *now,
                       const struct birth_evidence *evidence)
{
    if (!then || then->kind != now->kind)
        return BIRTH_NEW;
    if (evidence->is_immutable && evidence->has_content && then->content != now->content)
        return BIRTH_NEW;
    if (evidence->is_tracked && then->is_old && evidence->are_positions_known &&
        !evidence->may_return)
        return evidence->is_recent ? BIRTH_NEW : BIRTH_OLD;
    if (evidence->has_content && then->content == now->content)
        return BIRTH_OLD_INFERRED;
    if (evidence->is_tracked)
        return is_beside_the_same(then, now) ? BIRTH_OLD_INFERRED : BIRTH_NEW_INFERRED;
    return evidence->has_content ? BIRTH_NEW_INFERRED : BIRTH_OLD_INFERRED;
}

/* ---- sets ---- */

struct remembered_set *object_sets_find(struct object_sets *sets, uint32_t mark)
{
    for (size_t i = 0; mark && i < OBJECT_SETS_KEPT; i++)
        if (sets->sets[i].mark == mark)
            return &sets->sets[i];
    return NULL;
}

struct remembered_set *object_sets_add(struct object_sets *sets, uint32_t mark)
{
    struct remembered_set *set = &sets->sets[sets->next];

    sets->next = (sets->next + 1) % OBJECT_SETS_KEPT;
    object_set_release(&set->objects);
    memset(set, 0, sizeof(*set));
    set->mark = mark;
    return set;
}

void object_sets_release(struct object_sets *sets)
{
    for (size_t i = 0; i < OBJECT_SETS_KEPT; i++)
        object_set_release(&sets->sets[i].objects);
    memset(sets, 0, sizeof(*sets));
}

/* ---- the answer ---- */

static void born_release(struct answer *answer)
{
    struct born *born = (struct born *)answer;

    free(born->rows);
    free(born->objects);
}

struct born *born_new(void)
{
    struct born *born = xcalloc(1, sizeof(*born));

    born->answer.release = born_release;
    born->rows = calloc(ROWS_MAX, sizeof(*born->rows));
    return born;
}

static void keep_address(struct born *born, const struct kind *kind, uint64_t address,
                         bool is_inferred)
{
    if (born->n_objects == born->objects_capacity) {
        size_t wanted = born->objects_capacity ? born->objects_capacity * 2 : 1024;
        void *grown = wanted <= BORN_ADDRESSES_MAX
                          ? reallocarray(born->objects, wanted, sizeof(*born->objects))
                          : NULL;

        if (!grown)
            return;
        born->objects = grown;
        born->objects_capacity = wanted;
    }
    born->objects[born->n_objects++] =
        (struct born_object){address, kind->id, is_inferred};
}

static void count(struct born_row *row, uint64_t bytes, enum birth birth)
{
    bool is_born = birth >= BIRTH_NEW_INFERRED;

    row->born += is_born;
    row->born_inferred += birth == BIRTH_NEW_INFERRED;
    row->born_bytes += is_born ? bytes : 0;
    row->kept += !is_born;
    row->kept_inferred += birth == BIRTH_OLD_INFERRED;
}

void born_add(struct born *born, const struct kind *kind, uint64_t address,
              uint64_t bytes, enum birth birth)
{
    if (!born->rows || kind->id >= ROWS_MAX)
        return;
    born->rows[kind->id].kind = kind;
    count(&born->rows[kind->id], bytes, birth);
    count(&born->sum, bytes, birth);
    born->now++;
    if (birth >= BIRTH_NEW_INFERRED)
        keep_address(born, kind, address, birth == BIRTH_NEW_INFERRED);
}

static int row_compare(const void *left, const void *right)
{
    const struct born_row *a = left, *b = right;

    if (a->born != b->born)
        return a->born < b->born ? 1 : -1;
    if (a->gone != b->gone)
        return a->gone < b->gone ? 1 : -1;
    return (a->kind->id > b->kind->id) - (a->kind->id < b->kind->id);
}

/* Kinds of which nothing is left have no row. */
void born_end(struct born *born, const struct object_set *then)
{
    uint32_t *counts = calloc(ROWS_MAX, sizeof(*counts));

    born->then = then->count;
    if (counts)
        object_set_count(then, counts, ROWS_MAX);
    for (size_t i = 0; born->rows && counts && i < ROWS_MAX; i++) {
        struct born_row *row = &born->rows[i];

        row->gone = counts[i] > row->kept ? counts[i] - row->kept : 0;
        born->sum.gone += row->gone;
        if (row->kind)
            born->rows[born->n_rows++] = *row;
    }
    free(counts);
    if (born->n_rows)
        qsort(born->rows, born->n_rows, sizeof(*born->rows), row_compare);
}
