/*
 * pins_view.h - what keeps arenas: a view of the Arenas tab. A few lines of words, the
 * price of getting arenas back, and the kinds in a table.
 */
#ifndef HEAPTOP_TUI_PINS_VIEW_H
#define HEAPTOP_TUI_PINS_VIEW_H

#include "heaptop/pins.h"
#include "tui/canvas.h"
#include "tui/table.h"

struct table *pins_table_new(void);
/* NULL: nothing is known. Names are borrowed from the section's kinds. */
void pins_table_update(struct table *table, const struct pins_section *section);

/* The line below the table, on the selected row; takes it off the rectangle. */
void pins_draw_bottom(const struct pins_section *section, int64_t now_mono_ns,
                      struct table *table, struct canvas *canvas, struct rect *rect);

/* The lines above the table; takes them off the rectangle. */
void pins_draw_top(const struct pins_section *section, int64_t now_mono_ns,
                   struct canvas *canvas, struct rect *rect);

#endif
