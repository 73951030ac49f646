#include "tui/pins_view.h"

#include <string.h>

#include "heaptop/snapshot.h"
#include "heaptop/units.h"
#include "model/pins.h"
#include "tui/detail.h"
#include "tui/line.h"

enum {
    COLUMN_KIND,
    COLUMN_OWNER,
    COLUMN_SHARE,
    COLUMN_OBJECTS,
    COLUMN_PARTS,
    COLUMN_BYTES,
    COLUMN_ARENAS,
    COLUMN_ALONE,
    COLUMN_RETURNS,
    COLUMN_YOUNG,
    COLUMN_OLD,
};

static const struct column columns[] = {
    {.name = "kind",
     .heading = "KIND",
     .help = "what is in use in arenas that are mostly free",
     .type = VALUE_TEXT,
     .width = 16,
     .grow = 1,
     .ascending_first = true,
     .cuts_middle = true,
     .is_name = true,
     .sort_key = 'K'},
    {.name = "owner",
     .heading = "HELD BY",
     .help = "what refers to most of the objects, one level up; - = not known",
     .type = VALUE_TEXT,
     .width = 20,
     .grow = 1,
     .weight = 6,
     .ascending_first = true},
    {.name = "share",
     .heading = "SHARE",
     .help = "of the references to them that were found: by what HELD BY names",
     .type = VALUE_USE,
     .width = 5,
     .weight = 6},
    {.name = "objects",
     .heading = "OBJECTS",
     .help = "objects of the kind in these arenas",
     .type = VALUE_COUNT,
     .width = 9,
     .sort_key = 'O'},
    {.name = "parts",
     .heading = "PARTS",
     .help = "blocks that they have besides their own: tables, items",
     .type = VALUE_COUNT,
     .width = 7,
     .weight = 3},
    {.name = "bytes",
     .heading = "BYTES",
     .help = "of the blocks of both",
     .type = VALUE_BYTES,
     .width = 7,
     .sort_key = 'B'},
    {.name = "arenas",
     .heading = "ARENAS",
     .help = "in which the kind has something",
     .type = VALUE_COUNT,
     .width = 7,
     .sort_key = 'A'},
    {.name = "alone",
     .heading = "ALONE",
     .help = "arenas in which nothing else is in use",
     .type = VALUE_COUNT,
     .width = 7,
     .weight = 5},
    {.name = "returns",
     .heading = "RETURNS",
     .help = "what of RES these arenas are, that it keeps alone",
     .type = VALUE_BYTES,
     .width = 8},
    {.name = "young",
     .heading = "YOUNG",
     .help = "of the objects: in the collector's generations 0 and 1",
     .type = VALUE_COUNT,
     .width = 7,
     .weight = 1},
    {.name = "old",
     .heading = "OLD",
     .help =
         "of the objects: in the oldest generation, or frozen; the rest is not tracked",
     .type = VALUE_COUNT,
     .width = 7,
     .weight = 2},
};

struct table *pins_table_new(void)
{
    struct table *table =
        table_new(columns, sizeof(columns) / sizeof(columns[0]), COLUMN_ARENAS);

    table_show_rest(table, true);
    return table;
}

static struct value number(uint64_t value)
{
    return (struct value){.number = reading_exact((int64_t)value)};
}

void pins_table_update(struct table *table, const struct pins_section *section)
{
    table_begin_rows(table, section ? section->n_rows : 0);
    for (size_t i = 0; section && i < section->n_rows; i++) {
        const struct pin_row *pin = &section->rows[i];
        struct table_row row;

        memset(&row, 0, sizeof(row));
        row.identity = (uint64_t)pin->kind->id + 1;
        row.values[COLUMN_KIND].text = pin->kind->name;
        row.values[COLUMN_OWNER].text = *pin->owner ? pin->owner : "-";
        if (pin->references)
            row.values[COLUMN_SHARE].number = reading_exact(
                (int64_t)(pin->owner_references * 100000 / pin->references));
        row.values[COLUMN_OBJECTS] = number(pin->objects);
        row.values[COLUMN_PARTS] = number(pin->parts);
        row.values[COLUMN_BYTES] = number(pin->bytes);
        row.values[COLUMN_ARENAS] = number(pin->arenas);
        row.values[COLUMN_ALONE] = number(pin->alone);
        row.values[COLUMN_RETURNS] = number(pin->return_bytes);
        if (section->are_generations_known) {
            row.values[COLUMN_YOUNG] = number(pin->young);
            row.values[COLUMN_OLD] = number(pin->old);
        }
        table_add_row(table, &row);
    }
    table_end_rows(table);
}

static void owners_words(const struct pins_section *section, int64_t now_mono_ns,
                         struct part *part)
{
    char age[UNITS_MAX];

    switch (section->owners) {
    case PIN_OWNERS_UNKNOWN:
        part_add(part, ROLE_DIM, "owners: not looked up yet");
        break;
    case PIN_OWNERS_KNOWN:
        units_duration(age, reading_exact(now_mono_ns - section->owners_mono_ns));
        part_add(part, ROLE_DIM, "owners %s ago", age);
        break;
    case PIN_OWNERS_TOO_LITTLE:
        part_add(part, ROLE_DIM, "owners: too little to return, H asks");
        break;
    case PIN_OWNERS_TOO_DEAR:
        part_add(part, ROLE_DIM, "owners: too dear to look up, H asks");
        break;
    }
}

/* The selected kind's owner whole, and what had no room in the table. */
static void draw_selected(const struct pins_section *section, const struct pin_row *pin,
                          int64_t now_mono_ns, struct canvas *canvas, int y, int x,
                          int width)
{
    char young[UNITS_MAX], old[UNITS_MAX], rest[UNITS_MAX], by[UNITS_MAX], of[UNITS_MAX];
    struct line line;

    line_init(&line);
    if (*pin->owner)
        part_add(line_part(&line, 0), ROLE_VALUE, "held by %s", pin->owner);
    else if (section->owners != PIN_OWNERS_KNOWN)
        owners_words(section, now_mono_ns, line_part(&line, 0));
    if (pin->references)
        part_add(line_part(&line, 2), ROLE_DIM, "%s of %s references",
                 units_count(by, reading_exact((int64_t)pin->owner_references)),
                 units_count(of, reading_exact((int64_t)pin->references)));
    if (section->are_generations_known)
        part_add(line_part(&line, 1), ROLE_DIM, "%s young, %s old, %s not tracked",
                 units_count(young, reading_exact((int64_t)pin->young)),
                 units_count(old, reading_exact((int64_t)pin->old)),
                 units_count(rest, reading_exact((int64_t)pin->untracked)));
    line_draw(&line, canvas, y, x + 1, width - 1);
}

void pins_draw_bottom(const struct pins_section *section, int64_t now_mono_ns,
                      struct table *table, struct canvas *canvas, struct rect *rect)
{
    const struct table_row *selected = table_selected(table);

    if (!section || !selected || rect->height < 4)
        return;
    for (size_t i = 0; i < section->n_rows; i++)
        if (selected->identity == (uint64_t)section->rows[i].kind->id + 1) {
            rect->height--;
            draw_selected(section, &section->rows[i], now_mono_ns, canvas,
                          rect->y + rect->height, rect->x, rect->width);
            return;
        }
}

/* As many steps as have room, the dearest at the end. */
static void draw_steps(const struct pins_section *section, struct canvas *canvas, int y,
                       int x, int width)
{
    size_t room = width > 40 ? (size_t)(width - 16) / 26 : 1;
    struct line line;

    line_init(&line);
    part_add(line_part(&line, 0), ROLE_DIM, "freeing");
    for (size_t i = 0; i < room && i < section->n_steps; i++) {
        size_t last = section->n_steps - 1;
        size_t at = section->n_steps <= room ? i : last * (i + 1) / room;
        const struct pin_step *step = &section->steps[at];
        char objects[UNITS_MAX], bytes[UNITS_MAX];

        part_add(line_part(&line, (int)i + 1), ROLE_VALUE, "%s objects returns %s",
                 units_count(objects, reading_exact((int64_t)step->objects)),
                 units_bytes(bytes, reading_exact((int64_t)step->return_bytes)));
    }
    line_draw(&line, canvas, y, x + 1, width - 1);
}

/* The class that hoards most. */
static void draw_hoard(const struct pins_section *section, struct canvas *canvas, int y,
                       int x, int width)
{
    const struct pin_class *class = &section->classes[0];
    char blocks[UNITS_MAX], pools[UNITS_MAX], free_bytes[UNITS_MAX];

    if (!section->n_classes)
        return;
    canvas_textf(canvas, y, x + 1, width - 1, ROLE_NORMAL,
                 "%s blocks of %u B keep %s pools: %s in them is free for no other size",
                 units_count(blocks, reading_exact((int64_t) class->blocks)),
                 (unsigned)class->block_bytes,
                 units_count(pools, reading_exact((int64_t) class->pools)),
                 units_bytes(free_bytes, reading_exact((int64_t) class->free_bytes)));
}

static void draw_facts(const struct pins_section *section, int64_t now_mono_ns,
                       struct canvas *canvas, int y, int x, int width)
{
    char arenas[UNITS_MAX], age[UNITS_MAX], cost[UNITS_MAX], skipped[UNITS_MAX];
    struct line line;

    line_init(&line);
    part_add(line_part(&line, 0), ROLE_VALUE, "%s arenas are less than half in use",
             units_count(arenas, reading_exact((int64_t)section->arenas)));
    part_add(line_part(&line, 1), ROLE_DIM, "looked at %s ago, in %s",
             units_duration(age, reading_exact(now_mono_ns - section->taken_mono_ns)),
             units_duration(cost, reading_exact(section->cpu_ns)));
    if (section->arenas_skipped)
        part_add(line_part(&line, 3), ROLE_WARNING, "%s not: they hold too much",
                 units_count(skipped, reading_exact((int64_t)section->arenas_skipped)));
    owners_words(section, now_mono_ns, line_part(&line, 2));
    line_draw(&line, canvas, y, x + 1, width - 1);
}

void pins_draw_top(const struct pins_section *section, int64_t now_mono_ns,
                   struct canvas *canvas, struct rect *rect)
{
    char words[PINS_WORDS_MAX];
    int x = rect->x, width = rect->width;

    if (!section || rect->height < 9)
        return;
    draw_facts(section, now_mono_ns, canvas, rect->y++, x, width);
    rect->height--;
    if (pins_words(section, words)) {
        canvas_text(canvas, rect->y++, x + 1, width - 1, ROLE_VALUE, words);
        rect->height--;
    }
    if (section->n_steps) {
        draw_steps(section, canvas, rect->y++, x, width);
        rect->height--;
    }
    draw_hoard(section, canvas, rect->y++, x, width);
    rect->height--;
}
