/*
 * picker.h - the list of CPython processes to attach to. As screen.h: no curses,
 * no keys; the loop drives it.
 */
#ifndef HEAPTOP_TUI_PICKER_H
#define HEAPTOP_TUI_PICKER_H

#include <stdbool.h>
#include <sys/types.h>

#include "heaptop/err.h"
#include "target/candidates.h"
#include "tui/canvas.h"
#include "tui/command.h"
#include "tui/table.h"

struct picker;

struct picker *picker_new(void);
void picker_free(struct picker *picker);

/* Shows this list (borrowed until the next update). `filter` as candidates_filter. */
void picker_update(struct picker *picker, const struct candidates *list,
                   const char *filter);
void picker_draw(struct picker *picker, struct canvas *canvas);
bool picker_command(struct picker *picker, enum command_id command);
/* A typed digit selects the row whose PID begins with the digits typed so far. */
void picker_digit(struct picker *picker, char digit);
/* Selects this process; false when it is not in the list. */
bool picker_select(struct picker *picker, pid_t pid);
bool picker_click(struct picker *picker, int y, int x, bool *chosen);
/* The selected process, or 0. */
pid_t picker_selected(const struct picker *picker);
struct table *picker_table(struct picker *picker);
/* Words below the list; without any, why the selected process cannot be read. */
void picker_message(struct picker *picker, const char *text);
/* There is a screen behind, to which Esc goes back. */
void picker_can_go_back(struct picker *picker, bool can_go_back);

#endif
