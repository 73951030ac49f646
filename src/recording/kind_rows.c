#include "recording/kind_rows.h"

#include <stdlib.h>
#include <string.h>

#include "util/xalloc.h"

struct changed_row {
    struct kind_row row; /* first: it is sorted by it */
    uint32_t slot;
};

void kind_rows_release(struct kind_rows *kinds)
{
    free(kinds->rows);
    free(kinds->slots);
    memset(kinds, 0, sizeof(*kinds));
}

/* Rows that did not change stay in their order. */
static void drop_changed(struct kind_rows *kinds, const struct plane *plane)
{
    size_t count = 0;

    for (size_t i = 0; i < kinds->count; i++) {
        if (plane_is_touched(plane, kinds->slots[i]))
            continue;
        kinds->rows[count] = kinds->rows[i];
        kinds->slots[count++] = kinds->slots[i];
    }
    kinds->count = count;
}

static size_t count_changed(const struct plane *plane)
{
    size_t count = 0;

    for (size_t slot = plane_next_touched(plane, 0); slot < plane->slots;
         slot = plane_next_touched(plane, slot + 1))
        count++;
    return count;
}

static struct changed_row *read_changed(const struct rows_source *source, size_t *count)
{
    const struct plane *plane = source->views[SHEET_KINDS].plane;
    struct changed_row *rows = xcalloc(count_changed(plane) + 1, sizeof(*rows));

    *count = 0;
    for (size_t slot = plane_next_touched(plane, 0); slot < plane->slots;
         slot = plane_next_touched(plane, slot + 1)) {
        if (!rows_has(source, SHEET_KINDS, slot))
            continue;
        rows_read(source, SHEET_KINDS, slot, &rows[*count].row);
        rows[(*count)++].slot = (uint32_t)slot;
    }
    if (*count)
        qsort(rows, *count, sizeof(*rows), kind_row_compare);
    return rows;
}

/* From the end: each row moves once. */
static void merge(struct kind_rows *kinds, const struct changed_row *changed,
                  size_t n_changed)
{
    size_t left = kinds->count, total = left + n_changed;

    kinds->rows = xreallocarray(kinds->rows, total + 1, sizeof(*kinds->rows));
    kinds->slots = xreallocarray(kinds->slots, total + 1, sizeof(*kinds->slots));
    kinds->count = total;
    while (n_changed) {
        const struct changed_row *next = &changed[n_changed - 1];

        total--;
        if (left && kind_row_compare(&kinds->rows[left - 1], &next->row) > 0) {
            left--;
            kinds->rows[total] = kinds->rows[left];
            kinds->slots[total] = kinds->slots[left];
        } else {
            n_changed--;
            kinds->rows[total] = next->row;
            kinds->slots[total] = next->slot;
        }
    }
}

void kind_rows_update(struct kind_rows *kinds, const struct rows_source *source)
{
    struct plane *plane = source->views[SHEET_KINDS].plane;
    struct changed_row *changed;
    size_t n_changed;

    if (!plane)
        return;
    drop_changed(kinds, plane);
    changed = read_changed(source, &n_changed);
    merge(kinds, changed, n_changed);
    free(changed);
    plane_untouch(plane);
}
