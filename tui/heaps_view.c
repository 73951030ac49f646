#include "tui/heaps_view.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "heaptop/units.h"
#include "tui/detail.h"
#include "tui/glyphs.h"
#include "tui/line.h"
#include "tui/shades_legend.h"
#include "util/xalloc.h"

#define STRIP_CELLS 64
#define NAME_BYTES  40
#define TOPS_SHOWN  8

enum {
    COLUMN_HEAP,
    COLUMN_BYTES,
    COLUMN_USE,
    COLUMN_FREE,
    COLUMN_LARGEST,
    COLUMN_RUNS,
    COLUMN_TOP,
    COLUMN_STRIP,
};

static const struct column columns[] = {
    {.name = "heap",
     .heading = "HEAP",
     .help = "the main arena's, or one of an arena that threads share",
     .type = VALUE_LABEL,
     .width = 17,
     .ascending_first = true,
     .is_name = true},
    {.name = "heap-bytes",
     .heading = "BYTES",
     .help = "of its memory",
     .type = VALUE_BYTES,
     .width = 7},
    {.name = "heap-use",
     .heading = "USE%",
     .help = "share of it that is in use",
     .type = VALUE_USE,
     .width = 5},
    {.name = "heap-free",
     .heading = "FREE",
     .help = "chunks that are free, without the top",
     .type = VALUE_BYTES,
     .width = 7},
    {.name = "largest",
     .heading = "LARGEST",
     .help = "the longest free stretch: nothing larger fits without growing",
     .type = VALUE_BYTES,
     .width = 8,
     .weight = 1},
    {.name = "runs",
     .heading = "RUNS",
     .help = "stretches of chunks in use; many mean that it is in pieces",
     .type = VALUE_COUNT,
     .width = 7,
     .weight = 2},
    {.name = "heap-top",
     .heading = "TOP",
     .help = "free at its end: this alone is given back without a trim",
     .type = VALUE_BYTES,
     .width = 7,
     .weight = 3},
    {.name = "cells",
     .heading = "BY ADDRESS",
     .help = "one cell for each stretch, shaded by how much is in use",
     .type = VALUE_SHADES,
     .width = 16,
     .grow = 1},
};

void heaps_table_init(struct arenas_table *heaps)
{
    memset(heaps, 0, sizeof(*heaps));
    heaps->table = table_new(columns, sizeof(columns) / sizeof(columns[0]), COLUMN_BYTES);
    table_show_rest(heaps->table, true);
}

static int shade_of(uint8_t cell)
{
    static const uint8_t shades[] = {SHADE_FREE, SHADE_LOW,  SHADE_HALF,
                                     SHADE_MOST, SHADE_FULL, SHADE_UNTOUCHED};

    return cell < sizeof(shades) ? shades[cell] : SHADE_TORN;
}

static const struct heap_row *heap_at(const struct malloc_section *section,
                                      uint64_t address)
{
    for (size_t i = 0; section && i < section->n_heap_rows; i++)
        if (section->heap_rows[i].address == address)
            return &section->heap_rows[i];
    return NULL;
}

/* Long heaps are told by every nth cell group: the worst of what is folded is lost, the
 * mean stays. */
static void write_strip(const struct malloc_section *section, const struct heap_row *heap,
                        char strip[STRIP_CELLS + 1])
{
    const uint8_t *cells = section->heap_cells + heap->first_cell;
    size_t count = heap->n_cells < STRIP_CELLS ? heap->n_cells : STRIP_CELLS;

    for (size_t i = 0; i < count; i++) {
        size_t first = i * heap->n_cells / count, end = (i + 1) * heap->n_cells / count;
        unsigned sum = 0, tops = 0;

        for (size_t at = first; at < end; at++) {
            tops += cells[at] == HEAP_CELL_TOP;
            sum += cells[at] == HEAP_CELL_TOP ? 0 : cells[at];
        }
        uint8_t cell = (uint8_t)((sum + (end - first) / 2) / (end - first));

        strip[i] = (char)('0' + shade_of(tops * 2 > end - first ? (uint8_t)HEAP_CELL_TOP
                                                                : cell));
    }
    strip[count] = '\0';
}

static struct value bytes_of(uint64_t bytes)
{
    return (struct value){.number = reading_exact((int64_t)bytes)};
}

static void fill_row(struct table_row *row, const struct heap_row *heap)
{
    memset(row, 0, sizeof(*row));
    row->identity = heap->address;
    row->values[COLUMN_HEAP].number = reading_exact((int64_t)heap->address);
    row->values[COLUMN_BYTES] = bytes_of(heap->bytes);
    if (heap->bytes)
        row->values[COLUMN_USE] = bytes_of(heap->used_bytes * 1000 / heap->bytes * 100);
    row->values[COLUMN_FREE] = bytes_of(heap->free_bytes);
    row->values[COLUMN_LARGEST] = bytes_of(heap->largest_free_bytes);
    row->values[COLUMN_RUNS] = bytes_of(heap->used_runs);
    row->values[COLUMN_TOP] = bytes_of(heap->top_bytes);
}

void heaps_table_update(struct arenas_table *heaps, const struct malloc_section *section)
{
    size_t count = section ? section->n_heap_rows : 0;
    size_t each = NAME_BYTES + STRIP_CELLS + 1;

    if (count * each > heaps->capacity) {
        heaps->texts = xreallocarray(heaps->texts, count, each);
        heaps->capacity = count * each;
    }
    table_begin_rows(heaps->table, count);
    for (size_t i = 0; i < count; i++) {
        const struct heap_row *heap = &section->heap_rows[i];
        char *name = heaps->texts + i * each, *strip = name + NAME_BYTES;
        struct table_row row;

        fill_row(&row, heap);
        snprintf(name, NAME_BYTES, "%s%" PRIx64, heap->arena ? "" : "main ",
                 heap->address);
        write_strip(section, heap, strip);
        row.values[COLUMN_HEAP].text = name;
        row.values[COLUMN_STRIP].text = strip;
        table_add_row(heaps->table, &row);
    }
    table_end_rows(heaps->table);
}

static const char *const shades[SHADES] = {
    [SHADE_FULL] = "in use", [SHADE_MOST] = "over 2/3", [SHADE_HALF] = "over 1/3",
    [SHADE_LOW] = "less",    [SHADE_FREE] = "free",     [SHADE_UNTOUCHED] = "top",
};

void heaps_draw_top(const struct malloc_section *section, struct canvas *canvas,
                    struct rect *rect)
{
    char heaps[UNITS_MAX], used[UNITS_MAX], free_bytes[UNITS_MAX], trim[UNITS_MAX];
    struct line line;

    if (!section || !section->n_heap_rows || rect->height < 8)
        return;
    line_init(&line);
    part_add(line_part(&line, 0), ROLE_VALUE, "%s heaps of malloc",
             units_count(heaps, reading_exact((int64_t)section->n_heap_rows)));
    part_add(line_part(&line, 1), ROLE_NORMAL, "%s in use, %s free",
             units_bytes(used, section->used_bytes),
             units_bytes(free_bytes, section->free_bytes));
    part_add(line_part(&line, 2), ROLE_NORMAL, "a trim would return %s",
             units_bytes(trim, section->trim_bytes));
    line_draw(&line, canvas, rect->y, rect->x + 1, rect->width - 1);
    shades_legend_draw(shades, canvas, rect->y + 1, rect->x, rect->width);
    rect->y += 2;
    rect->height -= 2;
}

/* ---- one heap ---- */

/* The lines that it takes. */
static int draw_cells(const struct malloc_section *section, const struct heap_row *heap,
                      struct canvas *canvas, struct rect rect)
{
    size_t width = rect.width > 2 ? (size_t)rect.width - 2 : 1;
    size_t lines = (heap->n_cells + width - 1) / width;

    if (lines > (size_t)rect.height)
        lines = rect.height > 0 ? (size_t)rect.height : 0;
    for (size_t i = 0; i < heap->n_cells && i < lines * width; i++)
        canvas_text(canvas, rect.y + (int)(i / width), rect.x + 1 + (int)(i % width), 1,
                    ROLE_GRAPH,
                    glyphs_shade(canvas->use_unicode,
                                 shade_of(section->heap_cells[heap->first_cell + i])));
    return (int)lines;
}

static void draw_tops(const struct malloc_section *section, uint64_t heap,
                      struct detail *detail)
{
    char bytes[UNITS_MAX], returned[UNITS_MAX];
    int shown = 0;

    detail_heading(detail, "ON TOP OF IT: WHAT KEEPS IT FROM SHRINKING");
    for (size_t i = 0; i < section->n_tops && shown < TOPS_SHOWN; i++) {
        const struct heap_top_row *top = &section->tops[i];
        char name[UNITS_MAX];

        if (top->heap != heap)
            continue;
        shown++;
        snprintf(name, sizeof(name), "%" PRIx64, top->address);
        detail_line(detail, name, "%s  %s; freed with all above: %s comes back",
                    units_bytes(bytes, reading_exact((int64_t)top->bytes)),
                    top->kind ? top->kind->name : "a part, or not Python's",
                    units_bytes(returned, reading_exact((int64_t)top->return_bytes)));
    }
}

bool heap_draw(const struct malloc_section *section, uint64_t address,
               struct canvas *canvas, struct rect rect)
{
    const struct heap_row *heap = heap_at(section, address);
    char bytes[UNITS_MAX], cell[UNITS_MAX], runs[UNITS_MAX], largest[UNITS_MAX];
    struct detail detail;
    struct rect rest;
    int lines;

    if (!heap)
        return false;
    detail_init(&detail, canvas, rect);
    detail_line(&detail, "in use", "%s in %s stretches",
                units_bytes(bytes, reading_exact((int64_t)heap->used_bytes)),
                units_count(runs, reading_exact((int64_t)heap->used_runs)));
    detail_line(&detail, "free", "%s in %s stretches, the longest %s",
                units_bytes(bytes, reading_exact((int64_t)heap->free_bytes)),
                units_count(runs, reading_exact((int64_t)heap->free_runs)),
                units_bytes(largest, reading_exact((int64_t)heap->largest_free_bytes)));
    detail_heading(&detail, "BY ADDRESS, A CELL FOR %s",
                   units_bytes(cell, reading_exact((int64_t)heap->cell_bytes)));
    rest = detail_rest(&detail);
    rest.height -= 5;
    lines = draw_cells(section, heap, canvas, rest);
    rest = detail_rest(&detail);
    rest.y += lines;
    rest.height -= lines;
    if (rest.height < 2)
        return true;
    detail_init(&detail, canvas, rest);
    draw_tops(section, address, &detail);
    return true;
}
