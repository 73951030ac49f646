/*
 * kinds_table.h - the partition by kind as a table: Types and Overview show it.
 */
#ifndef HEAPTOP_TUI_KINDS_TABLE_H
#define HEAPTOP_TUI_KINDS_TABLE_H

#include "tui/pane.h"
#include "tui/table.h"

/* The short form leaves out size and tracked until they are chosen. */
struct table *kinds_table_new(bool is_short);
/* What the rows were made of: between two walks they need not be made again. */
struct kinds_seen {
    const struct objects_section *now, *older; /* compared, never followed */
    int64_t now_ns, older_ns;                  /* ends of their walks */
    enum delta_mode delta;
    bool has_rows;
    bool has_parts_row; /* set by the owner: a last row for blocks of no object */
};

void kinds_table_update(struct table *table, struct kinds_seen *seen,
                        const struct view_input *input);
/* The row of a table of kinds -> its kind in the newest section, or NULL. */
const struct kind_row *kinds_find(const struct objects_section *objects, uint64_t id);

/* Heads the table's columns of changes "D MARK", "D PREV" or "D /S". */
void delta_show(struct table *table, const struct view_input *input);
/* Are there changes to show? */
bool delta_is_shown(const struct view_input *input);
/* A change as the view wants it: thousandths per second when it shows rates. */
struct reading delta_value(const struct view_input *input, int64_t change,
                           int64_t elapsed_ns);
/* The bytes a minute of a series; unknown while no growth is claimed. */
struct reading growth_per_minute(struct growth *growth, uint64_t key);
/* In the middle of an empty pane: why there is nothing. */
void pane_draw_nothing(struct canvas *canvas, struct rect rect, const char *words);

#endif
