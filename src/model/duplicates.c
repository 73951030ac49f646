#include "model/duplicates.h"

#include <string.h>

const struct duplicates *duplicates_of(const struct answer *answer)
{
    return answer && answer->inquiry.topic &&
                   !strcmp(answer->inquiry.topic, INQUIRY_DUPLICATES)
               ? (const struct duplicates *)answer
               : NULL;
}

struct duplicate_kind *duplicates_kind(struct duplicates *duplicates,
                                       const struct kind *kind)
{
    size_t at = 0;

    while (at < duplicates->n_kinds && duplicates->kinds[at].kind != kind)
        at++;
    if (at == DUPLICATES_KINDS)
        return NULL;
    if (at == duplicates->n_kinds)
        duplicates->kinds[duplicates->n_kinds++].kind = kind;
    return &duplicates->kinds[at];
}

static bool is_worse(const struct duplicate_row *row, const struct duplicate_row *than)
{
    if (row->wasted_bytes != than->wasted_bytes)
        return row->wasted_bytes > than->wasted_bytes;
    return row->count != than->count ? row->count > than->count
                                     : row->address < than->address;
}

void duplicates_add(struct duplicates *duplicates, const struct duplicate_row *row)
{
    struct duplicate_kind *kind = duplicates_kind(duplicates, row->kind);
    size_t at = duplicates->n_rows;

    if (kind) {
        kind->values++;
        kind->duplicates += row->count - 1;
        kind->wasted_bytes += row->wasted_bytes;
    }
    while (at && is_worse(row, &duplicates->rows[at - 1]))
        at--;
    if (at == DUPLICATES_ROWS)
        return;
    if (duplicates->n_rows < DUPLICATES_ROWS)
        duplicates->n_rows++;
    memmove(duplicates->rows + at + 1, duplicates->rows + at,
            (duplicates->n_rows - at - 1) * sizeof(*row));
    duplicates->rows[at] = *row;
}
