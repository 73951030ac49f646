/*
 * columns.h - the columns of a table of kinds by name, for --sort.
 *
 * The text sink's tables have columns of their own (tui/table.h); these are the
 * ones that every output has. No state; any thread.
 */
#ifndef HEAPTOP_SINK_COLUMNS_H
#define HEAPTOP_SINK_COLUMNS_H

#include <stdbool.h>
#include <stdio.h>

#include "heaptop/err.h"
#include "model/partition.h"

/* "[+-]column" in partition's terms. -1: there is no such column. NULL: by memory. */
int columns_sort(const char *sort, struct partition_options *options, struct err *err);

void columns_print(FILE *out);

#endif
