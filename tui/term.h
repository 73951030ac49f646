/*
 * term.h - the terminal: started, sized, shown on, suspended, and always put back.
 *
 * One terminal a process; the struct is its handle. Main thread only. Nothing but
 * this file and canvas_curses.c knows of curses. Errors say why a terminal cannot be
 * used and what to do instead; after term_start() succeeded nothing fails.
 */
#ifndef HEAPTOP_TUI_TERM_H
#define HEAPTOP_TUI_TERM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "heaptop/err.h"
#include "tui/canvas.h"

struct term;

struct term_options {
    bool use_color, use_unicode, use_mouse; /* as far as the terminal can */
};

int term_start(const struct term_options *options, struct term **term, struct err *err);
/* Puts the terminal back and frees. */
void term_stop(struct term *term);

/* Lines and columns as they are now, 1 to TERM_SIZE_MAX. */
#define TERM_SIZE_MAX 1000
void term_size(struct term *term, int *height, int *width);
/* In a UTF-8 locale, and wanted. */
bool term_uses_unicode(const struct term *term);

int term_input_fd(const struct term *term);
/* Bytes typed; 0 = none now; -1 = the terminal is gone. */
ssize_t term_read(struct term *term, void *bytes, size_t size);

void term_show(struct term *term, const struct canvas *canvas);
/* The cursor rests where the canvas says, seen or not: screen readers follow it. */
void term_show_cursor(struct term *term, bool is_shown);
/* The next term_show() sends every cell. */
void term_forget(struct term *term);

/* False: this terminal has no mouse. */
bool term_set_mouse(struct term *term, bool use_mouse);
bool term_uses_mouse(const struct term *term);

/* Gives the terminal back, stops this process, and takes it again. */
void term_suspend(struct term *term);
/* Takes the terminal again after somebody else may have changed it (SIGCONT). */
void term_resume(struct term *term);

#endif
