/*
 * log.h - what heaptop itself did, for --verbose and for bug reports.
 *
 * Off unless log_open() was called; never written to the terminal while the
 * screen is up. Thread-safe: one write(2) a line.
 */
#ifndef HEAPTOP_UTIL_LOG_H
#define HEAPTOP_UTIL_LOG_H

/* Lines go to this descriptor from now on; -1 ends the log. Borrows the descriptor. */
void log_open(int descriptor);
void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
