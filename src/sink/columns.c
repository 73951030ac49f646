#include "sink/columns.h"

#include <string.h>

struct column_row {
    const char *name;
    enum partition_sort sort;
    bool ascending_first;
    const char *help;
};

static const struct column_row column_rows[] = {
    {"memory", PARTITION_BY_MEMORY, false, "what the allocators gave for the objects"},
    {"size", PARTITION_BY_SIZE, false, "the sum of sys.getsizeof"},
    {"count", PARTITION_BY_COUNT, false, "number of objects"},
    {"kind", PARTITION_BY_KIND, true, "name of the kind"},
};

#define N_COLUMNS (sizeof(column_rows) / sizeof(column_rows[0]))

int columns_sort(const char *sort, struct partition_options *options, struct err *err)
{
    const char *name;

    if (!sort)
        return 0;
    name = sort + (*sort == '+' || *sort == '-');
    for (size_t i = 0; i < N_COLUMNS; i++) {
        if (strcmp(column_rows[i].name, name) != 0)
            continue;
        options->sort = column_rows[i].sort;
        options->ascending =
            *sort == '+' || (*sort != '-' && column_rows[i].ascending_first);
        return 0;
    }
    err_set(err, ERR_USAGE, "there is no column \"%.60s\" to sort by", name);
    return err_remedy(err, "--sort=help lists the columns");
}

void columns_print(FILE *out)
{
    fputs("columns for --sort; + is smallest first, - is largest first\n\n"
          "in JSON:\n",
          out);
    for (size_t i = 0; i < N_COLUMNS; i++)
        fprintf(out, "  %-14s %s\n", column_rows[i].name, column_rows[i].help);
}
