/*
 * free_lists_table.h - the free lists as a table: type, length, entries, bytes, arenas.
 */
#ifndef HEAPTOP_TUI_FREE_LISTS_TABLE_H
#define HEAPTOP_TUI_FREE_LISTS_TABLE_H

#include "heaptop/snapshot.h"
#include "tui/table.h"

struct table *free_lists_table_new(void);
void free_lists_table_update(struct table *table,
                             const struct free_lists_section *section);

#endif
