/*
 * account_table.h - the parts of RES, and the mappings, as tables.
 */
#ifndef HEAPTOP_TUI_ACCOUNT_TABLE_H
#define HEAPTOP_TUI_ACCOUNT_TABLE_H

#include "tui/pane.h"
#include "tui/table.h"

struct table *account_table_new(void);
void account_table_update(struct table *table, const struct view_input *input);

struct table *mappings_table_new(void);
void mappings_table_update(struct table *table, const struct view_input *input);

#endif
