/* Arenas, folded into groups or one by one. */
#include "tui/arenas_table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/glyphs.h"
#include "util/xalloc.h"

#define STRIP_CELLS 64
#define NAME_BYTES  40

enum {
    GROUP_NAME,
    GROUP_ARENAS,
    GROUP_USED,
    GROUP_FREE,
    GROUP_POOLS_FREE,
    GROUP_STRIP,
};

static const struct column group_columns[] = {
    {.name = "group",
     .heading = "ARENAS BY FILL",
     .help = "usable: with a free pool; of these the fullest is used first",
     .type = VALUE_LABEL,
     .width = 27,
     .ascending_first = true},
    {.name = "arenas",
     .heading = "ARENAS",
     .help = "arenas in the group",
     .type = VALUE_COUNT,
     .width = 6,
     .is_summed = true},
    {.name = "used",
     .heading = "IN USE",
     .help = "bytes of blocks in use",
     .type = VALUE_BYTES,
     .width = 7,
     .weight = 2,
     .is_summed = true},
    {.name = "free",
     .heading = "NOT USED",
     .help = "the other bytes of these arenas",
     .type = VALUE_BYTES,
     .width = 8,
     .weight = 3,
     .is_summed = true},
    {.name = "pools-free",
     .heading = "POOLS FREE",
     .help = "empty pools and never-carved ones",
     .type = VALUE_COUNT,
     .width = 6,
     .weight = 1,
     .is_summed = true},
    {.name = "pools",
     .heading = "POOLS, FULLEST FIRST",
     .help = "all their pools, sorted by fill and folded",
     .type = VALUE_SHADES,
     .width = 20,
     .grow = 1},
};

enum {
    ARENA_ORDER,
    ARENA_ADDRESS,
    ARENA_USE,
    ARENA_FREE,
    ARENA_BLOCKS,
    ARENA_STRIP,
};

static const struct column arena_columns[] = {
    {.name = "order",
     .heading = "USED",
     .help = "when a new pool is taken from it; full: it has no free pool",
     .type = VALUE_LABEL,
     .width = 4,
     .ascending_first = true},
    {.name = "arena",
     .heading = "ARENA",
     .help = "address of the arena",
     .type = VALUE_LABEL,
     .width = 14,
     .weight = 2,
     .ascending_first = true,
     .is_name = true},
    {.name = "use",
     .heading = "USE%",
     .help = "share of its bytes in blocks that are in use",
     .type = VALUE_USE,
     .width = 5,
     .weight = 4,
     .sort_key = 'U'},
    {.name = "pools-free",
     .heading = "FREE",
     .help = "empty pools and never-carved ones",
     .type = VALUE_COUNT,
     .width = 4,
     .weight = 3},
    {.name = "blocks",
     .heading = "BLOCKS",
     .help = "blocks in use: what keeps the arena",
     .type = VALUE_COUNT,
     .width = 7,
     .weight = 1},
    {.name = "pools",
     .heading = "POOLS BY ADDRESS",
     .help = "one cell for each pool, shaded by fill",
     .type = VALUE_SHADES,
     .width = STRIP_CELLS},
};

static void init(struct arenas_table *table, const struct column *columns, size_t count)
{
    memset(table, 0, sizeof(*table));
    table->table = table_new(columns, count, 0);
}

void groups_table_init(struct arenas_table *groups)
{
    init(groups, group_columns, sizeof(group_columns) / sizeof(group_columns[0]));
}

void arenas_table_init(struct arenas_table *arenas)
{
    init(arenas, arena_columns, sizeof(arena_columns) / sizeof(arena_columns[0]));
}

void arenas_table_release(struct arenas_table *table)
{
    table_free(table->table);
    free(table->texts);
}

uint64_t arena_group(const struct arenas_section *section,
                     const struct arena_picture *arena)
{
    uint64_t tenth =
        section->arena_bytes_each
            ? arena->used_bytes * (uint64_t)ARENAS_TENTHS / section->arena_bytes_each
            : 0;

    if (tenth >= ARENAS_TENTHS)
        tenth = ARENAS_TENTHS - 1;
    /* The fullest stand first, as they are used first. */
    return (arena->order ? 0 : ARENAS_TENTHS) + (ARENAS_TENTHS - tenth);
}

void arena_group_name(uint64_t group, char *text, size_t size)
{
    unsigned tenth = ARENAS_TENTHS - 1 - (unsigned)((group - 1) % ARENAS_TENTHS);

    snprintf(text, size, "%s, %u-%u%% used",
             group > ARENAS_TENTHS ? "no free pool" : "usable", tenth * 10,
             tenth * 10 + 10);
}

size_t arena_find(const struct arenas_section *section, uint64_t address)
{
    size_t at = 0;

    while (section && at < section->n_arenas && section->arenas[at].address != address)
        at++;
    return at;
}

static int shade_of(uint8_t cell)
{
    static const uint8_t fills[POOL_FILLS] = {
        SHADE_LOW, SHADE_LOW, SHADE_HALF, SHADE_HALF, SHADE_MOST, SHADE_MOST, SHADE_FULL};

    if (pool_cell_is_used(cell))
        return fills[pool_cell_fill(cell)];
    if (cell == POOL_CELL_FREE)
        return SHADE_FREE;
    return cell == POOL_CELL_UNTOUCHED ? SHADE_UNTOUCHED : SHADE_TORN;
}

/* Room for the rows' texts; what was there is gone. */
static char *texts(struct arenas_table *table, size_t bytes)
{
    if (bytes > table->capacity) {
        table->texts = xreallocarray(table->texts, bytes, 1);
        table->capacity = bytes;
    }
    return table->texts;
}

/* What the arenas of one group have together. */
struct group_sums {
    uint64_t arenas, used_bytes, pools_free;
    uint64_t shades[SHADES];
};

static void add_to_group(struct group_sums *sums, const struct arenas_section *section,
                         size_t at)
{
    const struct arena_picture *arena = &section->arenas[at];
    const uint8_t *cells = arena_cells(section, at);

    sums->arenas++;
    sums->used_bytes += arena->used_bytes;
    sums->pools_free += (uint64_t)arena->pools_free + arena->pools_untouched;
    for (size_t i = 0; i < arena->pools && i < section->pools_each; i++)
        sums->shades[shade_of(cells[i])]++;
}

/* All the pools of the group as STRIP_CELLS cells, the fullest first. */
static void group_strip(const struct group_sums *sums, char *text)
{
    uint64_t total = 0, before = 0;
    size_t filled = 0;

    for (int shade = 0; shade < SHADES; shade++)
        total += sums->shades[shade];
    for (int shade = SHADES - 1; shade >= 0 && total; shade--) {
        before += sums->shades[shade];
        size_t until = (size_t)((before * STRIP_CELLS + total / 2) / total);

        /* Something is never drawn as nothing. */
        if (sums->shades[shade] && until <= filled && filled < STRIP_CELLS)
            until = filled + 1;
        while (filled < until && filled < STRIP_CELLS)
            text[filled++] = (char)('0' + shade);
    }
    text[filled] = '\0';
}

static struct value count_value(uint64_t count)
{
    return (struct value){.number = reading_exact((int64_t)count)};
}

static void add_group_row(struct arenas_table *groups, uint64_t group,
                          const struct group_sums *sums, uint64_t arena_bytes, char *text)
{
    struct table_row row;

    memset(&row, 0, sizeof(row));
    arena_group_name(group, text, NAME_BYTES);
    group_strip(sums, text + NAME_BYTES);
    row.identity = group;
    row.values[GROUP_NAME] = count_value(group);
    row.values[GROUP_NAME].text = text;
    row.values[GROUP_ARENAS] = count_value(sums->arenas);
    row.values[GROUP_USED] = count_value(sums->used_bytes);
    row.values[GROUP_FREE] = count_value(sums->arenas * arena_bytes - sums->used_bytes);
    row.values[GROUP_POOLS_FREE] = count_value(sums->pools_free);
    row.values[GROUP_STRIP].text = text + NAME_BYTES;
    table_add_row(groups->table, &row);
}

void groups_table_update(struct arenas_table *groups,
                         const struct arenas_section *section)
{
    const size_t row_bytes = NAME_BYTES + STRIP_CELLS + 1;
    struct group_sums sums[ARENAS_GROUPS + 1];
    char *text = texts(groups, ARENAS_GROUPS * row_bytes);

    memset(sums, 0, sizeof(sums));
    for (size_t i = 0; section && i < section->n_arenas; i++)
        add_to_group(&sums[arena_group(section, &section->arenas[i])], section, i);
    table_begin_rows(groups->table, ARENAS_GROUPS);
    for (uint64_t group = 1; group <= ARENAS_GROUPS; group++)
        if (sums[group].arenas)
            add_group_row(groups, group, &sums[group], section->arena_bytes_each,
                          text + (group - 1) * row_bytes);
    table_end_rows(groups->table);
}

static void arena_strip(const struct arenas_section *section, size_t at, char *text)
{
    const uint8_t *cells = arena_cells(section, at);
    size_t pools = section->arenas[at].pools;

    for (size_t i = 0; i < pools; i++)
        text[i] = (char)('0' + shade_of(cells[i]));
    text[pools] = '\0';
}

static void add_arena_row(struct arenas_table *arenas,
                          const struct arenas_section *section, size_t at, char *text)
{
    const struct arena_picture *arena = &section->arenas[at];
    double use = (double)arena->used_bytes * 100000 / (double)section->arena_bytes_each;
    char *order = text, *address = text + 12, *strip = text + 12 + 24;
    struct table_row row;

    memset(&row, 0, sizeof(row));
    if (arena->order)
        snprintf(order, 12, "%" PRIu32, arena->order);
    else
        snprintf(order, 12, "full");
    snprintf(address, 24, "%" PRIx64, arena->address);
    arena_strip(section, at, strip);
    row.identity = arena->address;
    /* Those without a free pool stand apart, behind the others. */
    row.values[ARENA_ORDER] =
        count_value(arena->order ? arena->order : UINT64_C(1) << 32);
    row.values[ARENA_ORDER].text = order;
    row.values[ARENA_ADDRESS] = count_value(arena->address);
    row.values[ARENA_ADDRESS].text = address;
    row.values[ARENA_USE].number = reading_exact((int64_t)(use + 0.5));
    row.values[ARENA_FREE] =
        count_value((uint64_t)arena->pools_free + arena->pools_untouched);
    row.values[ARENA_BLOCKS] = count_value(arena->blocks_used);
    row.values[ARENA_STRIP] = row.values[ARENA_USE];
    row.values[ARENA_STRIP].text = strip;
    table_add_row(arenas->table, &row);
}

void arenas_table_update(struct arenas_table *arenas,
                         const struct arenas_section *section, uint64_t group)
{
    size_t count = section ? section->n_arenas : 0;
    size_t row_bytes = 12 + 24 + (section ? section->pools_each : 0) + 1;
    char *text = texts(arenas, count * row_bytes + 1);

    table_begin_rows(arenas->table, count);
    for (size_t i = 0; i < count; i++)
        if (!group || arena_group(section, &section->arenas[i]) == group)
            add_arena_row(arenas, section, i, text + i * row_bytes);
    table_end_rows(arenas->table);
}
