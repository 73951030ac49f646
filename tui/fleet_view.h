/*
 * fleet_view.h - the table of --tree: one row for each process of a service, the sums,
 * and below it why the selected one stands out. As picker.h: no curses, no keys; the loop
 * and batch text draw through it.
 */
#ifndef HEAPTOP_TUI_FLEET_VIEW_H
#define HEAPTOP_TUI_FLEET_VIEW_H

#include <stdbool.h>
#include <sys/types.h>

#include "heaptop/err.h"
#include "model/fleet.h"
#include "tui/canvas.h"
#include "tui/command.h"
#include "tui/table.h"

struct fleet_view;

struct fleet_view *fleet_view_new(void);
void fleet_view_free(struct fleet_view *view);

/* Shows this sample; what it needs is copied. */
void fleet_view_update(struct fleet_view *view, const struct fleet_sample *sample);
void fleet_view_draw(struct fleet_view *view, struct canvas *canvas);
/* For batch text: the same without bar and notes, then a line for each outlier and for
 * each that cannot be read, and what all share. */
int fleet_view_lines(const struct fleet_view *view, int width);
void fleet_view_draw_lines(struct fleet_view *view, struct canvas *canvas);

bool fleet_view_command(struct fleet_view *view, enum command_id command);
bool fleet_view_click(struct fleet_view *view, int y, int x, bool *chosen);
/* The selected process, or 0 (the row of the sums). */
pid_t fleet_view_selected(const struct fleet_view *view);
struct table *fleet_view_table(struct fleet_view *view);
void fleet_view_set_filter(struct fleet_view *view, const char *pattern);
/* Words below the table, until the next command. */
void fleet_view_message(struct fleet_view *view, const char *text);

/* For --sort help. */
size_t fleet_view_columns(const struct column **columns);

#endif
