#include "tui/kind_tables.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const struct column size_columns[] = {
    {.name = "up-to",
     .heading = "UP TO",
     .help = "size of an object: as sys.getsizeof, tables and items in it",
     .type = VALUE_LABEL,
     .width = 9,
     .ascending_first = true,
     .sort_key = 'A'},
    {.name = "count",
     .heading = "COUNT",
     .help = "objects of such a size",
     .type = VALUE_COUNT,
     .width = 11,
     .sort_key = 'O'},
    {.name = "share",
     .heading = "OF ALL",
     .help = "share of the kind's objects",
     .type = VALUE_BAR,
     .width = 12,
     .grow = 1,
     .weight = 1},
    {.name = "size",
     .heading = "SIZE",
     .help = "sum of sys.getsizeof",
     .type = VALUE_BYTES,
     .width = 9,
     .weight = 2},
    {.name = "memory",
     .heading = "BYTES",
     .help = "what the allocators gave, parts included",
     .type = VALUE_BYTES,
     .width = 9,
     .weight = 3,
     .sort_key = 'B'},
    {.name = "used",
     .heading = "USED",
     .help = "size in per cent of memory",
     .type = VALUE_USE,
     .width = 5,
     .weight = 1,
     .share_of = 4,
     .share_in = 5},
};

static const struct column refcount_columns[] = {
    {.name = "refcount",
     .heading = "REFCOUNT",
     .help = "how many references the object has",
     .type = VALUE_LABEL,
     .width = 16,
     .ascending_first = true,
     .sort_key = 'A'},
    {.name = "count",
     .heading = "COUNT",
     .help = "objects with so many",
     .type = VALUE_COUNT,
     .width = 11,
     .sort_key = 'O'},
    {.name = "share",
     .heading = "OF ALL",
     .help = "share of the kind's objects",
     .type = VALUE_BAR,
     .width = 12,
     .grow = 1},
};

static const struct column largest_columns[] = {
    {.name = "address",
     .heading = "ADDRESS",
     .help = "of the object: id() of it",
     .type = VALUE_TEXT,
     .width = 16},
    {.name = "size",
     .heading = "SIZE",
     .help = "as sys.getsizeof says",
     .type = VALUE_BYTES,
     .width = 9,
     .weight = 2},
    {.name = "memory",
     .heading = "BYTES",
     .help = "what the allocators gave, parts included",
     .type = VALUE_BYTES,
     .width = 9,
     .weight = 3,
     .sort_key = 'B'},
    {.name = "refcount",
     .heading = "REFCOUNT",
     .help = "references to it; none is told of an immortal object",
     .type = VALUE_COUNT,
     .width = 9,
     .weight = 1,
     .sort_key = 'O'},
    {.name = "value",
     .heading = "VALUE",
     .help = "how its value begins, with --show-values",
     .type = VALUE_TEXT,
     .width = 16,
     .grow = 1},
};

static const struct column duplicate_columns[] = {
    {.name = "kind",
     .heading = "KIND",
     .help = "str, bytes or int",
     .type = VALUE_TEXT,
     .width = 6,
     .ascending_first = true,
     .sort_key = 'A'},
    {.name = "count",
     .heading = "COUNT",
     .help = "objects with this value",
     .type = VALUE_COUNT,
     .width = 10,
     .sort_key = 'O'},
    {.name = "wasted",
     .heading = "WASTED",
     .help = "memory of all of them but one",
     .type = VALUE_BYTES,
     .width = 9,
     .sort_key = 'B'},
    {.name = "length",
     .heading = "LENGTH",
     .help = "bytes of the value",
     .type = VALUE_BYTES,
     .width = 8,
     .weight = 1},
    {.name = "address",
     .heading = "ONE OF THEM",
     .help = "the address of one of the objects",
     .type = VALUE_TEXT,
     .width = 16,
     .weight = 1},
    {.name = "value",
     .heading = "VALUE",
     .help = "how it begins, with --show-values",
     .type = VALUE_TEXT,
     .width = 16,
     .grow = 1},
};

struct table *sizes_of_kind_new(void)
{
    return table_new(size_columns, COUNT_OF(size_columns), 0);
}

struct table *refcounts_new(void)
{
    return table_new(refcount_columns, COUNT_OF(refcount_columns), 0);
}

struct table *largest_new(void)
{
    return table_new(largest_columns, COUNT_OF(largest_columns), 2);
}

struct table *duplicates_table_new(void)
{
    return table_new(duplicate_columns, COUNT_OF(duplicate_columns), 2);
}

static struct value number(uint64_t value)
{
    return (struct value){.number = reading_exact((int64_t)value)};
}

static struct value share(uint64_t part, uint64_t whole)
{
    return number(whole ? part * 1000 / whole : 0);
}

static struct value label(const char *text, uint64_t order)
{
    return (struct value){.number = reading_exact((int64_t)order), .text = text};
}

/* A row for the object at the address. */
static struct table_row row_of(uint64_t identity)
{
    struct table_row row;

    memset(&row, 0, sizeof(row));
    row.identity = identity;
    return row;
}

void sizes_of_kind_update(struct table *table, struct kind_texts *texts,
                          const struct kind_detail *detail)
{
    table_begin_rows(table, DETAIL_SIZES);
    for (size_t i = 0; detail && i < DETAIL_SIZES; i++) {
        const struct detail_size *size = &detail->sizes[i];
        struct table_row row = row_of(i + 1);

        if (!size->count)
            continue;
        units_bytes(texts->label[i], reading_exact((int64_t)detail_size_most(i)));
        row.values[0] = label(texts->label[i], detail_size_most(i));
        row.values[1] = number(size->count);
        row.values[2] = share(size->count, detail->count);
        row.values[3] = number(size->size_bytes);
        row.values[4] = number(size->memory_bytes);
        row.values[5] = number(
            size->memory_bytes ? size->size_bytes * 100000 / size->memory_bytes : 0);
        table_add_row(table, &row);
    }
    table_end_rows(table);
}

void refcounts_update(struct table *table, struct kind_texts *texts,
                      const struct kind_detail *detail)
{
    table_begin_rows(table, DETAIL_REFCOUNTS + 1);
    for (size_t i = 0; detail && i <= DETAIL_REFCOUNTS; i++) {
        uint64_t count = i < DETAIL_REFCOUNTS ? detail->refcounts[i] : detail->immortal;
        struct table_row row = row_of(i + 1);

        if (!count)
            continue;
        if (i < DETAIL_REFCOUNTS)
            detail_refcount_words(texts->label[i], i);
        else
            snprintf(texts->label[i], UNITS_MAX, "immortal");
        row.values[0] = label(texts->label[i], i);
        row.values[1] = number(count);
        row.values[2] = share(count, detail->count);
        table_add_row(table, &row);
    }
    table_end_rows(table);
}

void largest_update(struct table *table, struct kind_texts *texts,
                    const struct kind_detail *detail)
{
    table_begin_rows(table, DETAIL_INSTANCES);
    for (size_t i = 0; detail && i < detail->n_instances; i++) {
        const struct detail_instance *instance = &detail->instances[i];
        struct table_row row = row_of(instance->address);

        snprintf(texts->label[i], UNITS_MAX, "%#" PRIx64, instance->address);
        memcpy(texts->value[i], instance->value, sizeof(texts->value[i]));
        row.values[0].text = texts->label[i];
        row.values[1] = number(instance->size_bytes);
        row.values[2] = number(instance->memory_bytes);
        if (!instance->is_immortal)
            row.values[3] = number(instance->refcount);
        row.values[4].text = texts->value[i];
        table_add_row(table, &row);
    }
    table_end_rows(table);
}

void duplicates_update(struct table *table, struct kind_texts *texts,
                       const struct duplicates *duplicates)
{
    table_begin_rows(table, DUPLICATES_ROWS);
    for (size_t i = 0; duplicates && i < duplicates->n_rows; i++) {
        const struct duplicate_row *value = &duplicates->rows[i];
        struct table_row row = row_of(value->address);

        snprintf(texts->label[i], UNITS_MAX, "%#" PRIx64, value->address);
        memcpy(texts->value[i], value->value, sizeof(texts->value[i]));
        row.values[0].text = value->kind->name;
        row.values[1] = number(value->count);
        row.values[2] = number(value->wasted_bytes);
        row.values[3].number = value->value_bytes;
        row.values[4].text = texts->label[i];
        row.values[5].text = texts->value[i];
        table_add_row(table, &row);
    }
    table_end_rows(table);
}
