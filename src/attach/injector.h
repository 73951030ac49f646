/*
 * injector.h - the child process that gets the agent in.
 *
 * It is forked from heaptop, prepares everything, borrows one thread for a
 * moment, and ends. A crash or a time-out there costs nothing: its end is also
 * the only way to let go of a thread that refuses to stop.
 */
#ifndef HEAPTOP_ATTACH_INJECTOR_H
#define HEAPTOP_ATTACH_INJECTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "heaptop/err.h"
#include "target/target.h"

/* One message on the socket; with it comes the descriptor of the agent's page
 * unless the page is private. */
struct injector_report {
    struct err err; /* ERR_NONE: the agent is in */
    int64_t diverted_ns;
    uint64_t region, image, image_bytes;
    uint32_t stops;
    bool did_not_stop;     /* a thread: this injector's end lets it go, another may try */
    char other_malloc[64]; /* a file's name as the target gives it; "" = glibc's malloc */
    bool page_is_private;
    bool found_leftover;
    bool is_remote;       /* by remote execution */
    char why_remote[320]; /* why not by ptrace; "" = it was asked for */
};

/* What is the same for all targets, once in the process that forks injectors: what is
 * written there the injector need not touch for the first time. Any thread. */
void injector_prepare(void);

/* Runs in the child and never returns. The target's mappings were just read. The region's
 * address is also stored at `region` unless that is NULL. */
void injector_main(struct target *target, int socket, uint64_t *region)
    __attribute__((noreturn));

/* Sends the report, with the descriptor unless that is -1. */
void injector_send(int socket, const struct injector_report *report, int fd);

/* Receives the report: 1 = here it is, 0 = not yet, -1 = the child died. */
int injector_receive(int socket, struct injector_report *report, int *page_fd);

#endif
