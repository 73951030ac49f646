/*
 * screen_private.h - the inside of struct screen: only screen.c and
 * screen_draw.c include it.
 */
#ifndef HEAPTOP_TUI_SCREEN_PRIVATE_H
#define HEAPTOP_TUI_SCREEN_PRIVATE_H

#include "tui/header.h"
#include "tui/screen.h"

#define SCREEN_PANES 12
#define SCREEN_HITS  64

/* What a click on the tabs or the bottom bar means. */
struct hit {
    int y, x, width;
    enum command_id command;
    size_t tab; /* 1 + its number, and no command; 0: a command */
};

struct screen {
    struct history *history;
    struct history *past; /* owned; as it was at `shown`, see screen_shown_history() */
    void *panes[SCREEN_PANES];
    size_t n_panes, current;
    size_t came_from; /* where the hidden pane was opened */

    const struct snapshot *shown;        /* a reference: frozen when paused */
    const struct snapshot *older;        /* a reference, or NULL */
    const struct snapshot *older_sample; /* likewise */
    enum delta_mode delta;
    uint32_t mark_number; /* 0 = the newest */
    bool is_past;         /* `shown` is an older sample, chosen by the cursor in time */
    bool is_paused, is_header_hidden, is_strong;
    bool allows_actions, uses_mouse;
    char replay[32]; /* "" = live */
    char recording[512];
    struct recorder *recorder; /* borrowed; NULL = nothing is recorded */
    char *filter, *pattern;
    struct inspection *inspection; /* owned; NULL = none */
    struct answer *answer;         /* owned; NULL = none */
    struct inquiry asked;          /* what it answers, or answer_why tells of */
    char answer_why[400];
    bool shows_values;

    char message[512];
    enum role message_role;
    int64_t message_mono_ns; /* of the newest sample when it was set */

    struct rect body;
    struct hit hits[SCREEN_HITS];
    size_t n_hits;
};

const struct pane_ops *screen_pane(const struct screen *screen);
/* The mark that is compared with, or NULL when there is none. */
const struct mark *screen_mark(const struct screen *screen);
/* DELTA_MARK without a mark is DELTA_PREVIOUS. */
enum delta_mode screen_delta(const struct screen *screen);
const char *screen_breadcrumb(const struct screen *screen);
/* Borrowed, until `shown` changes. */
const struct history *screen_shown_history(struct screen *screen);
/* Shows what the current pane shows from `shown` anew. screen.c */
void screen_update_pane(struct screen *screen);
/* Left and Right where they move in time, and the commands for it; false: not one of
 * them. screen_time.c */
bool screen_time_command(struct screen *screen, enum command_id command);
/* The pane that says who holds the selected kind, and back from it. screen_holders.c */
bool screen_open_holders(struct screen *screen);
bool screen_leave_holders(struct screen *screen);
/* Opens the list of plugins. */
bool screen_open_plugins(struct screen *screen);
/* screen_tabs.c: tabs are counted from 0, those of plugins behind those of panes. */
void screen_show_tab(struct screen *screen, size_t number);
void screen_next_tab(struct screen *screen, int direction);
/* The first plugin's tab, from one of them the next; the list when there are none. */
void screen_next_plugin(struct screen *screen);
void screen_draw_tabs(struct screen *screen, struct canvas *canvas,
                      const struct rect *rect);
void screen_header_input(const struct screen *screen, struct header_input *input);

#endif
