/*
 * gc_table.h - the generations as a table: GC and Overview show it.
 */
#ifndef HEAPTOP_TUI_GC_TABLE_H
#define HEAPTOP_TUI_GC_TABLE_H

#include "tui/pane.h"
#include "tui/table.h"

struct table *gc_table_new(void);
void gc_table_update(struct table *table, const struct gc_section *gc);

#endif
