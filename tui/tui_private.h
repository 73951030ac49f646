/*
 * tui_private.h - what the files of the loop share: tui.c runs it, tui_target.c
 * owns the target's session, tui_action.c what may be done to it, tui_command.c does the
 * commands, tui_overlay.c what lies over the screen, tui_marks.c marks and times,
 * tui_picker.c the picker, tui_fleet.c the table of --tree. Main thread only.
 */
#ifndef HEAPTOP_TUI_TUI_PRIVATE_H
#define HEAPTOP_TUI_TUI_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>

#include "fleet/fleet.h"
#include "model/history.h"
#include "recording/replay.h"
#include "sampler/sampler.h"
#include "sink/feed.h"
#include "target/candidates.h"
#include "tui/canvas.h"
#include "tui/dialog.h"
#include "tui/fleet_view.h"
#include "tui/help.h"
#include "tui/keys.h"
#include "tui/menu.h"
#include "tui/picker.h"
#include "tui/prompt.h"
#include "tui/screen.h"
#include "tui/term.h"
#include "tui/tui.h"

#define TUI_LEFT_MAX 256

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
    PURPOSE_MARK_NAME,
    PURPOSE_TIME,
    PURPOSE_RECORD,   /* the file to record into */
    PURPOSE_ACTIONS,  /* the menu of them */
    PURPOSE_ACTION,   /* the question before one */
    PURPOSE_PROGRESS, /* one runs */
    PURPOSE_QUIT,     /* although one runs */
    PURPOSE_NOTICE,
};

/* The action that is asked about, or runs, or ran last. */
struct tui_action {
    const struct action_ops *ops; /* NULL: none yet */
    struct action_arguments arguments;
    struct action_offer offer; /* of a plugin; its action NULL: none */
    struct action_plan plan;
    int64_t ordered_mono_ns;
    bool is_running;               /* ordered, and its result has not come */
    bool is_waiting;               /* and the user waits for it */
    const struct snapshot *before; /* a reference, until the walk after it has come */
    int64_t ended_mono_ns;         /* 0 until it is over */
    char last[256];                /* its report, for the next dialog; "" = none yet */
};

struct tui {
    const struct tui_options *options;
    struct term *term;
    struct canvas canvas;
    struct keys keys;
    int64_t typed_ns; /* when bytes came last */

    /* One target; all NULL while there is none. */
    struct history *history;
    struct screen *screen;
    struct sampler *sampler;
    struct replay *replay; /* instead of a target; has the history then */
    bool is_playing;       /* the recording goes on by itself */
    int64_t play_due_ns;   /* when it does */
    int64_t interval_ns, n_samples;
    bool is_ended;        /* the target ended; the last sample stays */
    bool has_executed;    /* and runs another program, to which `a` attaches at once */
    char executed[200];   /* what to say then */
    bool is_failed;       /* the sampler sends nothing more */
    bool is_looking;      /* an inspection was asked for and has not come */
    uint64_t seen_arena;  /* the one that was asked for last */
    struct inquiry asked; /* of the sampler, last; its topic NULL: nothing */
    struct inquiry remembering; /* its topic NULL: nothing */
    struct tui_action action;
    struct feed feed; /* of plugins that are sinks */

    bool is_picking;
    struct picker *picker;
    struct candidates candidates;
    int64_t list_due_ns; /* when the list is to be read again */
    char list_filter[PROMPT_TEXT_BYTES];
    char list_note[400]; /* until the next key */

    /* --tree; NULL without. While the table is on show there is no target. */
    struct fleet *fleet;
    struct fleet_view *fleet_view;
    bool is_in_fleet;
    pid_t lent_pid; /* whose history this is, lent by the fleet; 0: it is our own */
    char fleet_filter[PROMPT_TEXT_BYTES];

    enum overlay overlay;
    enum purpose purpose;
    struct prompt prompt;
    char prompt_label[64];
    const struct snapshot *marked; /* a reference, while its mark is being named */
    int64_t mark_due_ns;           /* --mark-every: the next one; 0 = never */
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
/* Screen and history go, or back to the fleet. */
void tui_forget_target(struct tui *tui);
/* Says so when the sampler is stuck; about once a second. */
void tui_check_sampler(struct tui *tui);
void tui_take_messages(struct tui *tui);
/* That the target has ended, and what `a` does now. */
void tui_say_ended(struct tui *tui);
/* Asks for a close look at the arena that the screen wants: a new one at once, and the
 * same again with each new sample. */
void tui_look_closely(struct tui *tui, bool has_new_sample);
/* Starts the plugin that the pane on show wants. */
void tui_use_plugin(struct tui *tui);
/* Asks the sampler what the pane on show wants to know, unless it was asked. */
void tui_ask(struct tui *tui);

/* tui_action.c: the menu of actions, the question, waiting, the report */
bool tui_can_act(const struct tui *tui);
void tui_open_actions(struct tui *tui);
void tui_ask_action(struct tui *tui, const struct action_ops *action);
/* What was chosen in the menu of actions. */
void tui_ask_chosen_action(struct tui *tui, int value);
void tui_explain_action(struct tui *tui);
bool tui_run_action(struct tui *tui);
void tui_show_progress(struct tui *tui);
bool tui_stop_waiting(struct tui *tui);
bool tui_ask_quit(struct tui *tui);
/* Before its target is left: none begins any more, and what becomes of the one that was
 * ordered; "" = none was. */
void tui_left_action(struct tui *tui, char text[TUI_LEFT_MAX]);
void tui_take_result(struct tui *tui, const struct action_result *result);
void tui_report_kinds(struct tui *tui, const struct snapshot *snapshot);
void tui_forget_action(struct tui *tui);

/* tui_replay.c: a recording instead of a target */
int tui_start_replay(struct tui *tui, struct err *err);
/* Once the terminal is there. */
void tui_replay_begin(struct tui *tui);
/* Commands that move in a recording; false: not one of them, or there is none. */
bool tui_replay_command(struct tui *tui, enum command_id command);
/* The prompt's time; false: it is none. */
bool tui_replay_go(struct tui *tui, const char *text);
/* The next sample, when its time has come. */
void tui_play(struct tui *tui);

/* tui_record.c: a recording of what is on the screen */
/* Asks for the file, or ends the recording. */
void tui_toggle_recording(struct tui *tui);
/* Into the prompt's file. False: that cannot be, and the prompt stays. */
bool tui_begin_recording(struct tui *tui);
/* The newest sample, if there is a recording. */
void tui_record(struct tui *tui, const struct snapshot *snapshot);
/* `words` says what became of it; "" = there was none. */
void tui_end_recording(struct tui *tui, char words[TUI_LEFT_MAX]);

/* The objects of this mark are to be remembered. */
void tui_remember(struct tui *tui, uint32_t mark);

/* tui_command.c: the commands of the loop */
void tui_command(struct tui *tui, enum command_id command);
void tui_say(struct tui *tui, enum role role, const char *text);
void tui_set_interval(struct tui *tui, int64_t interval_ns);
/* The next of the usual ones. */
void tui_step_interval(struct tui *tui, bool is_faster);
bool tui_find(struct tui *tui, int direction, bool from_here);
/* The table of the screen or of the picker; may be NULL. */
struct table *tui_table(struct tui *tui);

/* tui_overlay.c: prompt, menus, dialog, help */
void tui_open_overlay(struct tui *tui, enum overlay overlay, enum purpose purpose);
void tui_open_prompt(struct tui *tui, enum purpose purpose);
void tui_open_menu(struct tui *tui, enum purpose purpose);
void tui_open_help(struct tui *tui);
void tui_notice(struct tui *tui, const char *title, const struct err *err);
void tui_close_overlay(struct tui *tui);
void tui_draw_overlay(struct tui *tui);
void tui_overlay_key(struct tui *tui, const struct key *key);

/* tui_marks.c: marks and times by name */
void tui_ask_mark(struct tui *tui);
void tui_keep_mark(struct tui *tui);
void tui_add_marks(struct tui *tui);
/* 0: compares with the walk before. */
void tui_choose_mark(struct tui *tui, uint32_t number);
void tui_mark_silently(struct tui *tui, bool is_automatic, const char *why);
/* False when the prompt's text is no time. */
bool tui_go_to_time(struct tui *tui);

/* tui_picker.c */
void tui_open_picker(struct tui *tui);
/* Attaches to the program that the target has executed; false when it has not. */
bool tui_attach_executed(struct tui *tui);
void tui_refresh_picker(struct tui *tui);
void tui_set_list_filter(struct tui *tui, const char *filter);
void tui_draw_picker(struct tui *tui);
void tui_picker_key(struct tui *tui, const struct key *key);

/* tui_fleet.c */
int tui_open_fleet(struct tui *tui, struct err *err);
void tui_close_fleet(struct tui *tui);
void tui_step_fleet(struct tui *tui);
void tui_set_fleet_filter(struct tui *tui, const char *filter);
void tui_draw_fleet(struct tui *tui);
void tui_fleet_key(struct tui *tui, const struct key *key);
/* False: the table is not on show. */
bool tui_fleet_command(struct tui *tui, enum command_id command);
/* From one process to the table; false: there is none, or an action runs. */
bool tui_back_to_fleet(struct tui *tui);

#endif
