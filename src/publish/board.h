/*
 * board.h - between heaptop and a publisher's process: memory that both see, with the
 * newest text in each format, and a socket on which heaptop says that it is there and
 * the process answers that it was taken. Until then heaptop does not touch it.
 */
#ifndef HEAPTOP_PUBLISH_BOARD_H
#define HEAPTOP_PUBLISH_BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "heaptop/err.h"
#include "sink/exposition.h"

/* Of both texts together; addresses only, until something is written. */
#define BOARD_BYTES ((size_t)32 << 20)

/* The texts lie one behind the other, in the order of their formats. */
struct board_notice {
    uint64_t lengths[EXPOSITION_FORMATS];
};

struct board_answer {
    bool is_done;
    struct err err;
};

/* A publisher's own process. */
struct board {
    const char *bytes;
    int socket;
};

/* Waits for the next texts. False: heaptop is gone, or makes no sense. */
bool board_next(const struct board *board, struct board_notice *notice);
const char *board_text(const struct board *board, const struct board_notice *notice,
                       enum exposition_format format);
/* They were taken; `err` says what failed, or is ERR_NONE. */
void board_answer(const struct board *board, const struct err *err);

#endif
