/*
 * help.h - the help screen, made from commands.def: no key can be forgotten.
 */
#ifndef HEAPTOP_TUI_HELP_H
#define HEAPTOP_TUI_HELP_H

#include <stdbool.h>
#include <stddef.h>

#include "tui/canvas.h"
#include "tui/keys.h"
#include "tui/table.h"

struct help_line {
    char *keys; /* "" for a heading or a remark */
    char *text;
    bool is_dim; /* this key has no effect now */
};

struct help {
    struct help_line *lines;
    size_t count;
    int first_line, page; /* scrolling; page is set by help_draw() */
};

struct help_facts {
    bool can_act;        /* actions are possible */
    bool is_live;        /* there is a target and it lives */
    struct table *table; /* whose sort keys are listed; may be NULL */
};

void help_init(struct help *help, const struct help_facts *facts);
void help_release(struct help *help);
void help_draw(struct help *help, struct canvas *canvas);
/* False: the help is to be closed. */
bool help_key(struct help *help, const struct key *key);

#endif
