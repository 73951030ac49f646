/*
 * csv.h - JSON objects as CSV in long form, a line for each value. Pure but for `out`.
 */
#ifndef HEAPTOP_SINK_CSV_H
#define HEAPTOP_SINK_CSV_H

#include <stdio.h>

#include <jansson.h>

/* Where in the sample a value stands. */
struct csv_place {
    const char *head; /* the fields before the others, as they are printed */
    const char *section, *name;
};

/* `but` is the member that is left out, for it is the object's name; or NULL. */
void csv_print_object(FILE *out, const struct csv_place *place, json_t *object,
                      const char *but);

#endif
