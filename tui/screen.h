/*
 * screen.h - one whole screen of a target: header, tabs, the pane, status line,
 * bottom bar; and the state of the view (tab, sort, filter, delta, mark, pause).
 *
 * Knows nothing of curses, keys or the sampler: the loop (tui.c), batch text
 * (sink_text.c) and the golden tests all draw through it.
 */
#ifndef HEAPTOP_TUI_SCREEN_H
#define HEAPTOP_TUI_SCREEN_H

#include <stdbool.h>
#include <stdint.h>

#include "heaptop/err.h"
#include "model/history.h"
#include "recording/recorder.h"
#include "tui/canvas.h"
#include "tui/command.h"
#include "tui/pane.h"
#include "tui/table.h"

struct screen;

/* Borrows the history, which must outlive the screen. */
struct screen *screen_new(struct history *history);
void screen_free(struct screen *screen);
/* Another history, of another moment of a recording: tab, sorting and filter stay. The
 * one before may be freed after it. */
void screen_use_history(struct screen *screen, struct history *history);
/* In the place of LIVE: "REPLAY 12/70"; "" is none. */
void screen_show_replay(struct screen *screen, const char *label);
/* What is being recorded, into which file; "": nothing. */
void screen_show_recording(struct screen *screen, const char *label);
/* Looking back goes on in what it recorded, beyond what the history keeps; NULL: there is
 * none. Borrowed. */
void screen_look_back_in(struct screen *screen, struct recorder *recorder);
/* Do Left and Right of the tab on show move in time? */
bool screen_moves_in_time(const struct screen *screen);

/* New data came: rebuilds the rows of the visible pane (unless paused). */
void screen_update(struct screen *screen);

/* Draws everything into the canvas, at any size from 1x1. */
void screen_draw(struct screen *screen, struct canvas *canvas);

/* Handles every command that concerns only the view (tabs, moving, sorting,
 * delta, mark, pause, header, strong-sort, enter, back). False: not one of them. */
bool screen_command(struct screen *screen, enum command_id command);
/* A capital letter that sorts. */
bool screen_sort_key(struct screen *screen, char key);

enum screen_click {
    SCREEN_CLICK_NOTHING = 0,
    SCREEN_CLICK_HANDLED,
    SCREEN_CLICK_COMMAND, /* a label of the bottom bar: *command says which */
};
enum screen_click screen_click(struct screen *screen, int y, int x,
                               enum command_id *command);

bool screen_show_pane(struct screen *screen, const char *name); /* false: no such pane */
bool screen_sort_by(struct screen *screen, const char *sort);   /* "[+-]column" */
void screen_set_filter(struct screen *screen, const char *pattern);
const char *screen_filter(const struct screen *screen);
bool screen_find(struct screen *screen, const char *pattern, int direction,
                 bool from_here);

/* The table of the focus, for the sort menu and the column chooser; may be NULL. */
struct table *screen_table(struct screen *screen);

/* Shows the last sample that is not later than this in every tab, and stays there. */
void screen_show_time(struct screen *screen, int64_t wall_ns);

/* The sample that is shown, or NULL. Borrowed. */
const struct snapshot *screen_shown(const struct screen *screen);
/* Marks a snapshot (NULL: the one that is shown) and compares with it from now on.
 * The name may be NULL. */
void screen_mark_here(struct screen *screen, const struct snapshot *snapshot,
                      const char *name);
/* The mark that deltas compare with; 0 = the newest. */
void screen_choose_mark(struct screen *screen, uint32_t number);
void screen_show_delta(struct screen *screen, enum delta_mode mode);
/* One line above the bottom bar until the next message or `until_mono_ns`. */
void screen_message(struct screen *screen, enum role role, const char *text);
/* The bottom bar shows the actions dimmed when false. */
void screen_allow_actions(struct screen *screen, bool allowed);
void screen_use_mouse(struct screen *screen, bool mouse);

/* The arena that the pane on show wants to be looked at closely; 0 = none. */
uint64_t screen_wanted_arena(const struct screen *screen);
/* Takes it over; NULL: it could not be had. */
void screen_take_inspection(struct screen *screen, struct inspection *inspection);

/* The plugin that the pane on show wants to be started: 1 + its index; 0 = none. */
size_t screen_wanted_plugin(const struct screen *screen);

/* What the pane on show asks about the objects; its topic is NULL when it asks nothing.
 */
void screen_wanted_inquiry(const struct screen *screen, struct inquiry *inquiry);
/* Takes the answer over; NULL: it could not be had, and `why` says why. */
void screen_take_answer(struct screen *screen, const struct inquiry *inquiry,
                        struct answer *answer, const char *why);
/* --show-values: answers may show what objects contain. */
void screen_show_values(struct screen *screen, bool shows_values);

/* For batch text: the header in its full form, at any width. */
int screen_header_lines(const struct screen *screen);
void screen_draw_header(struct screen *screen, struct canvas *canvas);
/* For batch text: one table with its heading, all its rows or at most `rows`. */
void screen_draw_pane(struct screen *screen, struct canvas *canvas, struct rect rect);

#endif
