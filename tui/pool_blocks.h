/*
 * pool_blocks.h - one pool, block by block: a letter for each kind that lives there.
 */
#ifndef HEAPTOP_TUI_POOL_BLOCKS_H
#define HEAPTOP_TUI_POOL_BLOCKS_H

#include "model/inspection.h"
#include "tui/canvas.h"

void pool_blocks_draw(struct canvas *canvas, struct rect rect,
                      const struct inspection *inspection, size_t pool);

#endif
