/*
 * server.h - answers GET /metrics with the newest text, as a process of its own that has
 * nobody's rights and reads nothing but the board. At most SERVER_CLIENTS at a time,
 * each for a few seconds and a few kilobytes.
 */
#ifndef HEAPTOP_PUBLISH_SERVER_H
#define HEAPTOP_PUBLISH_SERVER_H

#include "heaptop/err.h"
#include "publish/board.h"

#define SERVER_CLIENTS        16
#define SERVER_CLIENT_BYTES   16384 /* for its head, and what goes out next */
#define SERVER_CLIENT_SECONDS 10    /* without a byte */

/* -1: this heaptop was built without libmicrohttpd. */
int server_check(struct err *err);

/* The life of the process. `socket` listens. */
void server_main(const struct board *board, int socket) __attribute__((noreturn));

#endif
