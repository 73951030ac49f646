/*
 * tui.h - the screen. main() hands over; tui_run() returns the exit status.
 */
#ifndef HEAPTOP_TUI_TUI_H
#define HEAPTOP_TUI_TUI_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "heaptop/err.h"
#include "recording/recorder.h"
#include "sampler/sampler.h"

struct tui_options {
    pid_t pid;           /* 0: begin with the picker */
    const char *pattern; /* the picker's first filter, or NULL; or of the tree */
    bool is_tree;        /* --tree: of `root` or `pattern`; pid is 0 then */
    pid_t root;
    const char *read;        /* --read: a recording instead of a target, or NULL */
    const char *begin, *end; /* the part of it, or NULL */
    const char *compare;     /* --compare: another recording to compare with, or NULL */
    const char *sort;        /* --sort, or NULL */
    const char *filter;      /* --filter, or NULL */
    const char *pane;        /* --pane: the first tab, or NULL */
    int64_t mark_every_ns;   /* --mark-every; 0: never */
    int64_t iterations;      /* end after so many samples; 0: go on */
    bool use_color, use_unicode, use_mouse;
    bool shows_values;         /* --show-values */
    struct recorder *recorder; /* idle; NULL: there is none */
    struct sampler_options sampler;
};

/* Opens the target itself (so the picker can open others later). 0 or -1 + err;
 * the terminal is restored in either case. */
int tui_run(const struct tui_options *options, struct err *err);

/* For --sort help: the columns of every tab's table, with their help. */
void tui_print_columns(FILE *out);

#endif
