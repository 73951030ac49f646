/*
 * kind_tables.h - the tables of one kind, and of equal values, made from answers to
 * inquiries.
 *
 * A table borrows texts until its next update, so its owner keeps them in a struct
 * kind_texts.
 */
#ifndef HEAPTOP_TUI_KIND_TABLES_H
#define HEAPTOP_TUI_KIND_TABLES_H

#include "heaptop/units.h"
#include "model/duplicates.h"
#include "model/kind_detail.h"
#include "tui/table.h"

#define KIND_TEXTS DUPLICATES_ROWS

struct kind_texts {
    char label[KIND_TEXTS][UNITS_MAX];
    char value[KIND_TEXTS][DETAIL_VALUE];
};

struct table *sizes_of_kind_new(void);
struct table *refcounts_new(void);
struct table *largest_new(void);
struct table *duplicates_table_new(void);

/* NULL: no rows. */
void sizes_of_kind_update(struct table *table, struct kind_texts *texts,
                          const struct kind_detail *detail);
void refcounts_update(struct table *table, struct kind_texts *texts,
                      const struct kind_detail *detail);
void largest_update(struct table *table, struct kind_texts *texts,
                    const struct kind_detail *detail);
void duplicates_update(struct table *table, struct kind_texts *texts,
                       const struct duplicates *duplicates);

#endif
