#include "tui/pool_blocks.h"

#include <string.h>

#include "heaptop/units.h"
#include "tui/detail.h"

#define LETTERS      26
#define LEGEND_LEAST 3
#define LEGEND_WIDTH 38

/* What is drawn of one pool. */
struct block_letters {
    const struct inspection *inspection;
    const struct inspected_pool *pool;
    uint16_t kinds[LETTERS]; /* the most frequent: A, B, ... */
    uint32_t blocks[LETTERS];
    size_t count;
};

static char letter_of(const struct block_letters *letters, uint16_t block)
{
    switch (block) {
    case BLOCK_UNTOUCHED:
        return '_';
    case BLOCK_FREE:
        return '.';
    case BLOCK_PART:
        return '=';
    case BLOCK_FREE_LIST:
        return '~';
    default:
        break;
    }
    for (size_t i = 0; i < letters->count; i++)
        if (letters->kinds[i] + BLOCK_KIND == block)
            return (char)('A' + i);
    return '+';
}

static enum role role_of(uint16_t block)
{
    if (block == BLOCK_UNTOUCHED || block == BLOCK_FREE)
        return ROLE_DIM;
    return block >= BLOCK_OTHER_KIND ? ROLE_KIND : ROLE_GRAPH;
}

/* The lines that the grid takes. */
static int draw_grid(struct canvas *canvas, struct rect rect,
                     const struct block_letters *letters)
{
    int width = rect.width - 2, lines;
    uint32_t count = letters->pool->n_blocks, shown = count;

    if (width < 1 || rect.height < 1)
        return 0;
    lines = (int)((count + (uint32_t)width - 1) / (uint32_t)width);
    if (lines > rect.height) {
        lines = rect.height;
        shown = (uint32_t)(width * (lines - 1));
        canvas_textf(canvas, rect.y + lines - 1, rect.x + 1, width, ROLE_DIM,
                     "(%u more blocks)", (unsigned)(count - shown));
    }
    for (uint32_t i = 0; i < shown; i++) {
        uint16_t block = letters->pool->blocks[i];
        char text[2] = {letter_of(letters, block), '\0'};

        canvas_text(canvas, rect.y + (int)(i / (uint32_t)width),
                    rect.x + 1 + (int)(i % (uint32_t)width), 1, role_of(block), text);
    }
    return lines;
}

static void draw_legend(struct canvas *canvas, struct rect rect,
                        const struct block_letters *letters)
{
    int columns = rect.width / LEGEND_WIDTH > 0 ? rect.width / LEGEND_WIDTH : 1;
    int width = rect.width / columns;

    canvas_text(canvas, rect.y, rect.x + 1, rect.width - 1, ROLE_DIM,
                "= part of an object  ~ kept for reuse  . free  _ never used  + other "
                "kinds");
    for (size_t i = 0; i < letters->count; i++) {
        int y = rect.y + 1 + (int)i / columns, x = rect.x + 1 + (int)i % columns * width;
        char count[UNITS_MAX];

        if (y >= rect.y + rect.height)
            return;
        canvas_textf(canvas, y, x, width - 2, ROLE_NORMAL, "%c %s %s", (char)('A' + i),
                     units_count(count, reading_exact(letters->blocks[i])),
                     letters->inspection->kinds[letters->kinds[i]].kind->name);
    }
}

void pool_blocks_draw(struct canvas *canvas, struct rect rect,
                      const struct inspection *inspection, size_t pool)
{
    struct block_letters letters = {.inspection = inspection,
                                    .pool = &inspection->pools[pool]};
    struct detail detail;
    struct rect rest;
    int lines;

    letters.count =
        inspection_pool_kinds(inspection, pool, letters.kinds, letters.blocks, LETTERS);
    detail_init(&detail, canvas, rect);
    detail_heading(&detail, "BLOCKS OF %u B: %u IN USE, %u FREE, %u NEVER USED",
                   (unsigned)letters.pool->block_bytes, (unsigned)letters.pool->used,
                   (unsigned)letters.pool->free, (unsigned)letters.pool->untouched);
    rest = detail_rest(&detail);
    rest.height -= LEGEND_LEAST;
    lines = draw_grid(canvas, rest, &letters);
    rest = detail_rest(&detail);
    rest.y += lines;
    rest.height -= lines;
    if (rest.height > 0)
        draw_legend(canvas, rest, &letters);
}
