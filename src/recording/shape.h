/*
 * shape.h - what a recording knows of the structs of snapshot.h: for each section a
 * sheet, for each member a field with a name and a type.
 *
 * A recording is described by these names, not by the sizes of C structs: a file of an
 * older heaptop lacks some fields, one of a newer heaptop has some more, and both can be
 * read. A member that is added to a section gets a line in shape.c; the unit test finds
 * the one that was forgotten. Names in a file are never used for anything else later.
 */
#ifndef HEAPTOP_RECORDING_SHAPE_H
#define HEAPTOP_RECORDING_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "heaptop/arenas.h"
#include "heaptop/pins.h"
#include "heaptop/plugins.h"

enum field_type {
    FIELD_SIGNED = 0,
    FIELD_UNSIGNED,
    FIELD_CHOICE,  /* of 0 ... most: an enum or a bool */
    FIELD_READING, /* two values: the number and its state */
    FIELD_TEXT,    /* characters in the struct; the value is a name's number */
    FIELD_NAME,    /* a pointer to text that is never freed; likewise */
    FIELD_KIND,    /* a pointer to a kind; likewise */
};

struct field {
    const char *name;
    enum field_type type;
    size_t offset, bytes; /* in the struct */
    int64_t most;         /* of a choice */
};

enum sheet_id {
    SHEET_SAMPLE = 0, /* one row of what is in struct snapshot itself */
    SHEET_PROCESS,
    SHEET_PYMALLOC,
    SHEET_SIZE_CLASSES,
    SHEET_GC,
    SHEET_GENERATIONS,
    SHEET_OBJECTS,
    SHEET_KINDS,
    SHEET_ARENAS,
    SHEET_ARENA_ROWS,
    SHEET_MALLOC,
    SHEET_MALLOC_ROWS,
    SHEET_ACCOUNT,
    SHEET_PARTS,
    SHEET_MAPPINGS,
    SHEET_FREE_LISTS,
    SHEET_FREE_LIST_ROWS,
    SHEET_PINS,
    SHEET_PIN_ROWS,
    SHEET_PIN_STEPS,
    SHEET_PIN_CLASSES,
    SHEET_HEAPS,
    SHEET_HEAP_CELLS,
    SHEET_TOPS,
    SHEET_PLUGINS,
    SHEET_PLUGIN_COLUMNS,
    SHEET_PLUGIN_ROWS,
    SHEET_PLUGIN_TEXTS,
    SHEETS,
};

struct sheet_shape {
    const char *name;
    size_t struct_bytes;
    const struct field *fields;
    size_t n_fields;
};

extern const struct sheet_shape sheet_shapes[SHEETS];

/* A row of SHEET_ARENA_ROWS: an arena with a byte for each of its pools. */
#define RECORDED_CELLS_MAX 256
struct recorded_arena {
    struct arena_picture arena;
    uint64_t cells[RECORDED_CELLS_MAX / 8];
};

/* A row of SHEET_HEAP_CELLS: the next so many of all cells of malloc's heaps. */
#define RECORDED_CELLS_EACH 64
struct recorded_cells {
    uint64_t words[RECORDED_CELLS_EACH / 8];
};

/* What plugins answered, of all of them one after the other; `plugin` is the place of who
 * did. A row of SHEET_PLUGINS is a struct plugin_view. */
struct recorded_plugin_column {
    uint64_t plugin;
    struct plugin_column column;
};

struct recorded_plugin_row {
    uint64_t plugin;
    uint64_t depth; /* 1 + the depth; 0: it is no tree */
    /* A text that is known has a number that is known, too. */
    struct plugin_cell cells[PLUGIN_COLUMNS_MAX];
};

enum recorded_text {
    RECORDED_TITLE = 0,
    RECORDED_LINE,
    RECORDED_ACTION, /* its name; then its call and its words */
    RECORDED_CALL,
    RECORDED_WORDS,
    RECORDED_MORE, /* goes on where the text before it was cut */
};

/* Texts that are often new are not names, of which there is an end. */
#define RECORDED_TEXT_BYTES 240
struct recorded_plugin_text {
    uint64_t plugin;
    uint64_t what; /* enum recorded_text */
    uint64_t words[RECORDED_TEXT_BYTES / 8];
};

/* The name of a type, in the file. */
const char *field_type_name(enum field_type type);
/* How many values a field has: 2 for a reading. */
static inline size_t field_values(const struct field *field)
{
    return field->type == FIELD_READING ? 2 : 1;
}
/* Of all fields of a row, and the one in front that says whether there is a row. */
size_t sheet_values(const struct sheet_shape *shape);

#endif
