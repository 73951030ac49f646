/*
 * heaps_view.h - malloc's heaps: a view of the Arenas tab. A row for each heap with its
 * picture; one heap opened shows all its cells, and what lies on its top.
 */
#ifndef HEAPTOP_TUI_HEAPS_VIEW_H
#define HEAPTOP_TUI_HEAPS_VIEW_H

#include "heaptop/snapshot.h"
#include "tui/canvas.h"
#include "tui/arenas_table.h"

void heaps_table_init(struct arenas_table *heaps);
/* NULL: nothing is known. */
void heaps_table_update(struct arenas_table *heaps, const struct malloc_section *section);

void heaps_draw_top(const struct malloc_section *section, struct canvas *canvas,
                    struct rect *rect);
/* False when there is no such heap any more. */
bool heap_draw(const struct malloc_section *section, uint64_t address,
               struct canvas *canvas, struct rect rect);

#endif
