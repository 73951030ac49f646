#include "recording/rows.h"

#include <stdlib.h>
#include <string.h>

#include "model/kind.h"
#include "model/pins.h"
#include "util/utf8.h"
#include "util/xalloc.h"

void rows_know_column(struct rows_view *view, enum sheet_id sheet, const char *name,
                      const char *type, size_t column)
{
    const struct sheet_shape *shape = &sheet_shapes[sheet];

    for (size_t i = 0; i < shape->n_fields && i < FIELDS_MAX; i++)
        if (!strcmp(shape->fields[i].name, name) &&
            !strcmp(field_type_name(shape->fields[i].type), type))
            view->columns[i] = column;
}

static const struct kind *name_of(const struct rows_source *source, int64_t number)
{
    static const char lost[] = "(a lost name)";
    static const struct kind nothing = {0, ""};

    if (number > 0 && (uint64_t)number < source->n_names && source->names[number])
        return source->names[number];
    return number ? kind_intern(lost, sizeof(lost) - 1) : &nothing;
}

static void write_text(const struct rows_source *source, const struct field *field,
                       int64_t number, uint8_t *at)
{
    const struct kind *name = name_of(source, number);
    const void *pointer = field->type == FIELD_KIND ? (const void *)name : name->name;

    if (field->type == FIELD_TEXT)
        utf8_clean_copy((char *)at, field->bytes, name->name, strlen(name->name));
    else
        memcpy(at, &pointer, sizeof(pointer));
}

static int64_t within(int64_t value, int64_t most)
{
    return value < 0 ? 0 : value > most ? most : value;
}

static void write_field(const struct rows_source *source, const struct field *field,
                        int64_t value, int64_t state, uint8_t *at)
{
    struct reading reading = {value, (enum reading_state)within(state, READING_ESTIMATE)};

    if (field->type == FIELD_READING) {
        if (!reading_is_known(reading))
            reading.value = 0;
        memcpy(at, &reading, sizeof(reading));
    } else if (field->type >= FIELD_TEXT) {
        write_text(source, field, value, at);
    } else {
        if (field->type == FIELD_CHOICE)
            value = within(value, field->most);
        memcpy(at, &value, field->bytes); /* little-endian */
    }
}

void rows_read(const struct rows_source *source, enum sheet_id sheet, size_t slot,
               void *row)
{
    const struct rows_view *view = &source->views[sheet];
    const struct sheet_shape *shape = &sheet_shapes[sheet];

    for (size_t i = 0; i < shape->n_fields; i++) {
        const struct field *field = &shape->fields[i];
        uint8_t *at = (uint8_t *)row + field->offset;
        size_t column = view->columns[i];

        if (column)
            write_field(source, field, *plane_value(view->plane, column, slot),
                        field->type == FIELD_READING
                            ? *plane_value(view->plane, column + 1, slot)
                            : 0,
                        at);
        else if (field->type >= FIELD_NAME)
            write_text(source, field, 0, at);
    }
}

bool rows_has(const struct rows_source *source, enum sheet_id sheet, size_t slot)
{
    struct plane *plane = source->views[sheet].plane;

    return plane && slot<plane->slots && * plane_value(plane, 0, slot)> 0;
}

struct placed {
    int64_t place;
    size_t slot;
};

static int placed_compare(const void *left, const void *right)
{
    const struct placed *a = left, *b = right;

    if (a->place != b->place)
        return a->place < b->place ? -1 : 1;
    return a->slot < b->slot ? -1 : a->slot > b->slot;
}

/* Mostly they are, and asking is cheaper than sorting. */
static bool are_in_order(const struct placed *placed, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (placed[i].place < placed[i - 1].place)
            return false;
    return true;
}

void *rows_read_all(const struct rows_source *source, enum sheet_id sheet, size_t *count)
{
    struct plane *plane = source->views[sheet].plane;
    size_t bytes = sheet_shapes[sheet].struct_bytes, slots = plane ? plane->slots : 0;
    struct placed *placed = calloc(slots + 1, sizeof(*placed));
    uint8_t *rows = NULL;

    *count = 0;
    for (size_t i = 0; placed && i < slots; i++)
        if (rows_has(source, sheet, i))
            placed[(*count)++] = (struct placed){*plane_value(plane, 0, i), i};
    if (!are_in_order(placed, *count))
        qsort(placed, *count, sizeof(*placed), placed_compare);
    if (*count)
        rows = calloc(*count, bytes);
    if (!rows)
        *count = 0;
    for (size_t i = 0; i < *count; i++)
        rows_read(source, sheet, placed[i].slot, rows + i * bytes);
    free(placed);
    return rows;
}

/* The rows of a table that has room for `most`. */
static size_t read_table(const struct rows_source *source, enum sheet_id sheet,
                         void *table, size_t most)
{
    size_t count;
    void *rows = rows_read_all(source, sheet, &count);

    if (count > most)
        count = most;
    if (count)
        memcpy(table, rows, count * sheet_shapes[sheet].struct_bytes);
    free(rows);
    return count;
}

/* The rows in the snapshot's own memory. */
static const void *keep_rows(const struct rows_source *source, enum sheet_id sheet,
                             struct snapshot_builder *builder, size_t *count)
{
    void *rows = rows_read_all(source, sheet, count);
    const void *kept =
        builder_copy(builder, rows, *count, sheet_shapes[sheet].struct_bytes);

    if (!kept)
        *count = 0;
    free(rows);
    return kept;
}

static void build_pymalloc(const struct rows_source *source,
                           struct snapshot_builder *builder)
{
    struct pymalloc_section *section;

    if (!rows_has(source, SHEET_PYMALLOC, 0) || !(section = builder_pymalloc(builder)))
        return;
    rows_read(source, SHEET_PYMALLOC, 0, section);
    section->n_size_classes =
        read_table(source, SHEET_SIZE_CLASSES, section->size_classes, SIZE_CLASSES_MAX);
}

static void build_gc(const struct rows_source *source, struct snapshot_builder *builder)
{
    struct gc_section *section;

    if (!rows_has(source, SHEET_GC, 0) || !(section = builder_gc(builder)))
        return;
    rows_read(source, SHEET_GC, 0, section);
    section->n_generations =
        read_table(source, SHEET_GENERATIONS, section->generations, GENERATIONS_MAX);
}

/* A top that is no object has no kind. */
static void build_tops(const struct rows_source *source, struct snapshot_builder *builder,
                       struct malloc_section *section)
{
    struct heap_top_row *tops = rows_read_all(source, SHEET_TOPS, &section->n_tops);

    for (size_t i = 0; i < section->n_tops; i++)
        if (!tops[i].kind->name[0])
            tops[i].kind = NULL;
    section->tops = builder_copy(builder, tops, section->n_tops, sizeof(*tops));
    if (!section->tops)
        section->n_tops = 0;
    free(tops);
}

/* A heap whose cells are not all there has none. */
static void build_heaps(const struct rows_source *source,
                        struct snapshot_builder *builder, struct malloc_section *section)
{
    size_t n_rows, n_blocks;
    struct heap_row *rows = rows_read_all(source, SHEET_HEAPS, &n_rows);
    void *cells = rows_read_all(source, SHEET_HEAP_CELLS, &n_blocks);
    size_t n_cells = n_blocks * RECORDED_CELLS_EACH;

    for (size_t i = 0; i < n_rows; i++)
        if (rows[i].n_cells > n_cells || rows[i].first_cell > n_cells - rows[i].n_cells)
            rows[i].first_cell = rows[i].n_cells = 0;
    section->heap_rows = builder_copy(builder, rows, n_rows, sizeof(*rows));
    section->heap_cells = builder_copy(builder, cells, n_cells, 1);
    if (section->heap_rows && section->heap_cells)
        section->n_heap_rows = n_rows;
    free(rows);
    free(cells);
}

static void build_malloc(const struct rows_source *source,
                         struct snapshot_builder *builder)
{
    struct malloc_section *section;

    if (!rows_has(source, SHEET_MALLOC, 0) || !(section = builder_malloc(builder)))
        return;
    rows_read(source, SHEET_MALLOC, 0, section);
    section->rows = keep_rows(source, SHEET_MALLOC_ROWS, builder, &section->n_rows);
    build_heaps(source, builder, section);
    build_tops(source, builder, section);
}

static void build_account(const struct rows_source *source,
                          struct snapshot_builder *builder)
{
    struct account_section *section;

    if (!rows_has(source, SHEET_ACCOUNT, 0) || !(section = builder_account(builder)))
        return;
    rows_read(source, SHEET_ACCOUNT, 0, section);
    read_table(source, SHEET_PARTS, section->parts, ACCOUNT_PARTS);
    section->mappings = keep_rows(source, SHEET_MAPPINGS, builder, &section->n_mappings);
}

static void build_free_lists(const struct rows_source *source,
                             struct snapshot_builder *builder)
{
    struct free_lists_section *section;

    if (!rows_has(source, SHEET_FREE_LISTS, 0) ||
        !(section = builder_free_lists(builder)))
        return;
    rows_read(source, SHEET_FREE_LISTS, 0, section);
    section->rows = keep_rows(source, SHEET_FREE_LIST_ROWS, builder, &section->n_rows);
}

void rows_build_sections(const struct rows_source *source,
                         struct snapshot_builder *builder)
{
    struct process_section *process;

    if (rows_has(source, SHEET_SAMPLE, 0))
        rows_read(source, SHEET_SAMPLE, 0, builder->snapshot);
    if (rows_has(source, SHEET_PROCESS, 0) && (process = builder_process(builder)))
        rows_read(source, SHEET_PROCESS, 0, process);
    build_pymalloc(source, builder);
    build_gc(source, builder);
    build_malloc(source, builder);
    build_account(source, builder);
    build_free_lists(source, builder);
}

const struct objects_section *rows_build_objects(const struct rows_source *source,
                                                 const struct kind_row *kinds,
                                                 size_t n_kinds)
{
    struct objects_section facts;

    if (!rows_has(source, SHEET_OBJECTS, 0))
        return NULL;
    memset(&facts, 0, sizeof(facts));
    rows_read(source, SHEET_OBJECTS, 0, &facts);
    return objects_seal(&facts, kinds, n_kinds);
}

static void split_cells(const struct recorded_arena *rows, size_t count,
                        size_t pools_each, struct arena_picture *arenas, uint8_t *cells)
{
    for (size_t i = 0; i < count; i++) {
        arenas[i] = rows[i].arena;
        if (arenas[i].pools > pools_each)
            arenas[i].pools = (uint8_t)pools_each;
        memcpy(cells + i * pools_each, rows[i].cells, pools_each);
    }
}

const struct arenas_section *rows_build_arenas(const struct rows_source *source)
{
    const struct arenas_section *section = NULL;
    struct arenas_section facts;
    struct recorded_arena *rows;
    struct arena_picture *arenas;
    uint8_t *cells;

    memset(&facts, 0, sizeof(facts));
    if (!rows_has(source, SHEET_ARENAS, 0))
        return NULL;
    rows_read(source, SHEET_ARENAS, 0, &facts);
    if (facts.pools_each > RECORDED_CELLS_MAX)
        return NULL;
    rows = rows_read_all(source, SHEET_ARENA_ROWS, &facts.n_arenas);
    arenas = calloc(facts.n_arenas + 1, sizeof(*arenas));
    cells = calloc(facts.n_arenas + 1, RECORDED_CELLS_MAX);
    if (arenas && cells) {
        split_cells(rows, facts.n_arenas, facts.pools_each, arenas, cells);
        facts.arenas = arenas;
        facts.cells = cells;
        section = arenas_seal(&facts);
    }
    free(rows);
    free(arenas);
    free(cells);
    return section;
}

const struct pins_section *rows_build_pins(const struct rows_source *source)
{
    const struct pins_section *section;
    struct pins_section facts;
    size_t count;
    void *rows;

    if (!rows_has(source, SHEET_PINS, 0))
        return NULL;
    memset(&facts, 0, sizeof(facts));
    rows_read(source, SHEET_PINS, 0, &facts);
    facts.n_steps = read_table(source, SHEET_PIN_STEPS, facts.steps, PIN_STEPS_MAX);
    facts.n_classes =
        read_table(source, SHEET_PIN_CLASSES, facts.classes, PIN_CLASSES_MAX);
    rows = rows_read_all(source, SHEET_PIN_ROWS, &count);
    section = pins_seal(&facts, rows, count);
    free(rows);
    return section;
}
