#include "tui/tui.h"

#include "tui/fleet_view.h"
#include "tui/pane.h"
#include "tui/table.h"

static void print_all(FILE *out, const struct column *columns, size_t count)
{
    for (size_t i = 0; i < count; i++)
        fprintf(out, "  %-14s %s\n", columns[i].name, columns[i].help);
}

static void print_pane(FILE *out, const struct pane_ops *pane)
{
    void *state = pane->table ? pane->create() : NULL;
    struct table *table = state ? pane->table(state) : NULL;
    const struct column *columns = NULL;
    size_t count = table ? table_columns(table, &columns) : 0;

    if (count)
        fprintf(out, "\non the screen and in text, tab %s:\n", pane->name);
    print_all(out, columns, count);
    if (state)
        pane->destroy(state);
}

void tui_print_columns(FILE *out)
{
    const struct column *columns;
    size_t count;

    for (const struct pane_ops *const *pane = panes; *pane; pane++)
        print_pane(out, *pane);
    count = fleet_view_columns(&columns);
    fprintf(out, "\nof --tree:\n");
    print_all(out, columns, count);
}
