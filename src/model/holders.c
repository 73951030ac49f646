#include "model/holders.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/utf8.h"
#include "util/xalloc.h"

static void release(struct answer *answer)
{
    free(((struct holders *)answer)->rows);
}

struct holders *holders_new(void)
{
    struct holders *holders = xcalloc(1, sizeof(*holders));

    holders->answer.release = release;
    return holders;
}

static struct holder_row *row_of(struct holders *holders, const char *label)
{
    for (size_t i = 0; i < holders->n_rows; i++)
        if (!strcmp(holders->rows[i].label, label))
            return &holders->rows[i];
    if (holders->n_rows == HOLDER_ROWS_MAX)
        return NULL;
    if (holders->n_rows == holders->capacity) {
        holders->capacity = holders->capacity ? holders->capacity * 2 : 16;
        holders->rows =
            xreallocarray(holders->rows, holders->capacity, sizeof(*holders->rows));
    }
    struct holder_row *row = &holders->rows[holders->n_rows++];

    memset(row, 0, sizeof(*row));
    snprintf(row->label, sizeof(row->label), "%s", label);
    return row;
}

void holders_add(struct holders *holders, const char *raw_label, const struct kind *kind,
                 uint64_t references, uint64_t address, bool is_root)
{
    char label[HOLDER_LABEL_MAX];
    struct holder_row *row;

    utf8_clean_copy(label, sizeof(label), raw_label, strlen(raw_label));
    row = row_of(holders, label);
    if (!row) {
        holders->rest += references;
        return;
    }
    row->references += references;
    row->kind = kind;
    row->is_root = is_root;
    if (row->last != address) {
        row->last = address;
        row->last_references = 0;
        row->holders++;
    }
    row->last_references += references;
    if (row->last_references <= row->most)
        return;
    row->most = row->last_references;
    row->address = address;
}

static int row_compare(const void *left, const void *right)
{
    const struct holder_row *a = left, *b = right;

    if (a->references != b->references)
        return a->references < b->references ? 1 : -1;
    if (a->is_root != b->is_root)
        return a->is_root ? -1 : 1;
    return strcmp(a->label, b->label);
}

void holders_sort(struct holders *holders)
{
    if (holders->n_rows)
        qsort(holders->rows, holders->n_rows, sizeof(*holders->rows), row_compare);
}
