/*
 * tui_private.h - what the files of the loop share: tui.c runs it, tui_target.c
 * owns the target's session, tui_command.c does the commands, tui_overlay.c what
 * lies over the screen, tui_picker.c the picker. Main thread only.
 */
#ifndef HEAPTOP_TUI_TUI_PRIVATE_H
#define HEAPTOP_TUI_TUI_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/history.h"
#include "sampler/sampler.h"
#include "target/candidates.h"
#include "tui/canvas.h"
#include "tui/dialog.h"
#include "tui/help.h"
#include "tui/keys.h"
#include "tui/menu.h"
#include "tui/picker.h"
#include "tui/prompt.h"
#include "tui/screen.h"
#include "tui/term.h"
#include "tui/tui.h"

/* What lies over the screen and gets the keys. */
enum overlay {
    OVERLAY_NONE = 0,
    OVERLAY_PROMPT,
    OVERLAY_MENU,
    OVERLAY_DIALOG,
    OVERLAY_HELP,
};

/* What the prompt, the menu or the dialog is about. */
enum purpose {
    PURPOSE_NONE = 0,
    PURPOSE_FIND,
    PURPOSE_FILTER,
    PURPOSE_INTERVAL,
    PURPOSE_SORT,
    PURPOSE_COLUMNS,
    PURPOSE_MARK,
    PURPOSE_COLLECT,
    PURPOSE_NOTICE,
};

struct tui {
    const struct tui_options *options;
    struct term *term;
    struct canvas canvas;
    struct keys keys;

    /* One target; all NULL while there is none. */
    struct history *history;
    struct screen *screen;
    struct sampler *sampler;
    int64_t interval_ns, n_samples;
    bool is_ended;       /* the target ended; the last sample stays */
    bool is_failed;      /* the sampler sends nothing more */
    bool is_waiting;     /* for the result of an action */
    bool is_looking;     /* an inspection was asked for and has not come */
    uint64_t seen_arena; /* the one that was asked for last */

    bool is_picking;
    struct picker *picker;
    struct candidates candidates;
    int64_t list_due_ns; /* when the list is to be read again */
    char list_filter[PROMPT_TEXT_BYTES];
    char list_note[400]; /* until the next key */

    enum overlay overlay;
    enum purpose purpose;
    struct prompt prompt;
    char prompt_label[64];
    struct menu menu;
    struct dialog dialog;
    struct help help;
    char find[PROMPT_TEXT_BYTES]; /* for n and N */
    uint64_t found_from;          /* the row where Esc goes back to */
    bool has_found_from;
    char filter_before[PROMPT_TEXT_BYTES]; /* while the prompt is open */

    bool is_dirty; /* must be drawn */
    bool is_over;
    int signal;      /* that ended the loop, or 0 */
    struct err *err; /* the caller's; filled when is_bad */
    bool is_bad;     /* ended by an error */
};

/* tui_target.c: the target's session */
int tui_prepare_view(struct tui *tui, struct err *err);
int tui_start_target(struct tui *tui, struct target *target, struct err *err);
int tui_stop_target(struct tui *tui, struct err *err);
void tui_take_messages(struct tui *tui);
void tui_ask_collect(struct tui *tui);
void tui_collect(struct tui *tui, int generation);
bool tui_can_act(const struct tui *tui);
/* Asks for a close look at the arena that the screen wants: a new one at once, and the
 * same again with each new sample. */
void tui_look_closely(struct tui *tui, bool has_new_sample);

/* tui_command.c: the commands of the loop */
void tui_command(struct tui *tui, enum command_id command);
void tui_say(struct tui *tui, enum role role, const char *text);
void tui_set_interval(struct tui *tui, int64_t interval_ns);
bool tui_find(struct tui *tui, int direction, bool from_here);
/* The table of the screen or of the picker; may be NULL. */
struct table *tui_table(struct tui *tui);

/* tui_overlay.c: prompt, menus, dialog, help */
void tui_open_prompt(struct tui *tui, enum purpose purpose);
void tui_open_menu(struct tui *tui, enum purpose purpose);
void tui_open_help(struct tui *tui);
void tui_notice(struct tui *tui, const char *title, const struct err *err);
void tui_close_overlay(struct tui *tui);
void tui_draw_overlay(struct tui *tui);
void tui_overlay_key(struct tui *tui, const struct key *key);

/* tui_picker.c */
void tui_open_picker(struct tui *tui);
void tui_refresh_picker(struct tui *tui);
void tui_set_list_filter(struct tui *tui, const char *filter);
void tui_draw_picker(struct tui *tui);
void tui_picker_key(struct tui *tui, const struct key *key);

#endif
