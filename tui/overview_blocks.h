/*
 * overview_blocks.h - the graph and the block "WHERE RES GOES" of the overview.
 */
#ifndef HEAPTOP_TUI_OVERVIEW_BLOCKS_H
#define HEAPTOP_TUI_OVERVIEW_BLOCKS_H

#include "model/history.h"
#include "tui/canvas.h"

/* RES and pymalloc over the time that the history covers, an hour at most. */
void overview_draw_graph(struct canvas *canvas, struct rect rect,
                         const struct history *history);
/* Only what is known: arenas, other anonymous memory, files, shared memory. */
void overview_draw_where(struct canvas *canvas, struct rect rect,
                         const struct snapshot *snapshot);

#endif
