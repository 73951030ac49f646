/*
 * rows.h - from the planes of a sample that was decoded, the sections of a snapshot.
 *
 * A view says in which column of the file a field of ours stands. Numbers that would
 * lead out of a table are brought back into it here, so that nobody who has a snapshot
 * needs to ask where it came from.
 */
#ifndef HEAPTOP_RECORDING_ROWS_H
#define HEAPTOP_RECORDING_ROWS_H

#include <stdbool.h>
#include <stddef.h>

#include "model/builder.h"
#include "recording/plane.h"
#include "recording/shape.h"

#define FIELDS_MAX 64

/* Of one sheet of ours. */
struct rows_view {
    struct plane *plane;        /* borrowed; NULL: the file has no such sheet */
    size_t columns[FIELDS_MAX]; /* of each field; 0: the file does not have it */
};

struct rows_source {
    const struct rows_view *views;   /* SHEETS of them */
    const struct kind *const *names; /* by number; entries may be NULL */
    size_t n_names;
};

/* A column of the file is a field of ours when name and type are the same. */
void rows_know_column(struct rows_view *view, enum sheet_id sheet, const char *name,
                      const char *type, size_t column);

/* Whether there is a row in the slot, and the row; its members that are not in the file
 * stay, but for names, which become "". */
bool rows_has(const struct rows_source *source, enum sheet_id sheet, size_t slot);
void rows_read(const struct rows_source *source, enum sheet_id sheet, size_t slot,
               void *row);

/* All rows of a sheet, in their places; *count of them. NULL: none, or no memory. Freed
 * by the caller. */
void *rows_read_all(const struct rows_source *source, enum sheet_id sheet, size_t *count);

/* What is in struct snapshot itself, and all sections but those below. */
void rows_build_sections(const struct rows_source *source,
                         struct snapshot_builder *builder);
/* NULL: there is none, or no memory. One reference is given. */
const struct objects_section *rows_build_objects(const struct rows_source *source,
                                                 const struct kind_row *kinds,
                                                 size_t n_kinds);
const struct arenas_section *rows_build_arenas(const struct rows_source *source);
const struct pins_section *rows_build_pins(const struct rows_source *source);

#endif
