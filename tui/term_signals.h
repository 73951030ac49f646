/*
 * term_signals.h - signals of the screen: the loop hears of them through a pipe,
 * and whatever happens the terminal is put back.
 *
 * The prepared bytes and settings are process-wide, because handlers can reach
 * nothing else. TERM, HUP, INT and QUIT are told to the loop, which answers with
 * term_signals_answered(); a second one, or a second without an answer, takes the
 * hard path. SEGV, BUS, ILL, FPE, ABRT and SYS take it at once: write(2) of the
 * prepared bytes, tcsetattr, and then the handler that was there before.
 */
#ifndef HEAPTOP_TUI_TERM_SIGNALS_H
#define HEAPTOP_TUI_TERM_SIGNALS_H

#include <stddef.h>
#include <termios.h>

#include "heaptop/err.h"

#define TERM_RESTORE_BYTES 256

/* Begins. `settings` are those that the terminal had before. */
int term_signals_begin(int terminal, const struct termios *settings, struct err *err);
void term_signals_end(void);

/* The bytes that put the terminal back, at most TERM_RESTORE_BYTES. Length 0: the
 * terminal is in order, nothing is to be put back. */
void term_signals_prepare(const char *bytes, size_t length);

/* Readable while signals wait. */
int term_signals_fd(void);
/* The next signal number, or 0. */
int term_signals_next(void);
/* The loop has seen the signal and acts on it: the clock of one second stops. */
void term_signals_answered(void);

/* Stops this process as Ctrl-Z does; returns when it goes on. */
void term_signals_stop(void);
/* Ends this process by the signal, as if it had never been caught. */
void term_signals_die(int number);

#endif
