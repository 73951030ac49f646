/*
 * textfile.h - a file for node_exporter's textfile collector: always whole, because the
 * new one takes the old one's name, and readable by everybody (0644).
 */
#ifndef HEAPTOP_PUBLISH_TEXTFILE_H
#define HEAPTOP_PUBLISH_TEXTFILE_H

#include <stddef.h>

#include "heaptop/err.h"
#include "publish/board.h"

#define TEXTFILE_PATH_BYTES 1024

/* Can a file be made beside `path`? */
int textfile_try(const char *path, struct err *err);
int textfile_write(const char *path, const char *text, size_t length, struct err *err);

/* The life of the process that writes it. */
void textfile_main(const struct board *board, const char *path) __attribute__((noreturn));

#endif
