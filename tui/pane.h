/*
 * pane.h - turns (snapshot, history, view state) into cells.
 *
 * A pane is a const struct of functions at the end of its file and one line in
 * panes.def. update() is the only place that computes; draw() only reads.
 * A pane that is a table gives columns and rows to table.h and gets sorting,
 * finding, filtering, scrolling, selection by identity, the column chooser,
 * mouse and text output for nothing: copy pane_gc.c.
 */
#ifndef HEAPTOP_TUI_PANE_H
#define HEAPTOP_TUI_PANE_H

#include <stdbool.h>

#include "heaptop/snapshot.h"
#include "model/history.h"
#include "model/inquiry.h"
#include "model/inspection.h"
#include "tui/canvas.h"
#include "tui/command.h"

enum delta_mode {
    DELTA_OFF = 0,
    DELTA_PREVIOUS, /* since the previous walk or sample */
    DELTA_MARK,     /* since the chosen mark */
    DELTA_RATE,     /* per second, since the mark or else the previous */
    DELTA_MODES,
};

/* What every pane is drawn from. Borrowed during the call. */
struct view_input {
    const struct snapshot *snapshot; /* the one shown: frozen when paused; may be NULL */
    const struct snapshot *older;    /* what changes of kinds compare with, or NULL */
    /* The same for what is counted at each sample: without a mark the one before. */
    const struct snapshot *older_sample;
    const struct history *history; /* until the sample shown, unless shows_all_time */
    enum delta_mode delta;
    const char *filter;                  /* "" = none */
    const struct inspection *inspection; /* the last close look at an arena, or NULL */
    const struct answer *answer;         /* to what this pane wants() to know, or NULL */
    const char *answer_why;              /* it can't be had: a sentence; "" = may come */
};

enum pane_result {
    PANE_IGNORED = 0, /* not this pane's command */
    PANE_HANDLED,
};

struct pane_ops {
    const char *name;  /* --pane takes it: "types" */
    const char *title; /* on the tab: "Types" */
    void *(*create)(void);
    void (*destroy)(void *pane);
    void (*update)(void *pane, const struct view_input *input);
    /* Has the focus: the selection is drawn. */
    void (*draw)(void *pane, struct canvas *canvas, struct rect rect, bool has_focus);
    enum pane_result (*command)(void *pane, enum command_id command);
    /* The table inside, for find, sort, columns, mouse; NULL when there is none. */
    struct table *(*table)(void *pane);
    /* One line about the selected row, for the status line; optional. */
    void (*describe)(void *pane, struct strbuf *out);
    /* The tab that Enter on the selected row goes to; optional. */
    const char *(*opens)(void *pane);
    /* Who comes from another tab's row by Enter finds it open. */
    bool opens_row;
    /* A click fell here: the table below it gets the focus; optional. */
    void (*focus_at)(void *pane, int y, int x);
    /* What is open in place of the table ("app.cache.Entry"), or NULL; optional. */
    const char *(*breadcrumb)(void *pane);
    /* Left and Right move the sample that is shown, not the columns. */
    bool moves_in_time;
    /* Its history goes on behind the sample that is shown. */
    bool shows_all_time;
    /* The arena that the pane wants to be looked at closely, 0 = none; optional. */
    uint64_t (*wants_arena)(void *pane);
    /* What the pane asks about the objects (its topic NULL: nothing): asked once, and
     * anew on Space; the answer comes in a view_input. Optional. */
    void (*wants)(void *pane, struct inquiry *inquiry);
    /* Shows one of its views by name; false when it has none such; optional. */
    bool (*show_view)(void *pane, const char *name);
    /* The kind of the selected row, or NULL; optional. */
    const struct kind *(*kind)(void *pane);
    /* Another pane's kind is to be looked at; optional. */
    void (*look_at)(void *pane, const struct kind *kind);
    /* 1 + the index of the plugin that is to be started, 0 = none; said once; optional.
     */
    size_t (*wants_plugin)(void *pane);
    /* The plugin whose table is open, or NULL: it has a tab of its own; optional. */
    const char *(*open_plugin)(void *pane);
    bool is_hidden; /* it has no tab: a key opens it, Esc leaves it */
};

/* In the order of panes.def = the tabs 1, 2, ...; ended by NULL. */
extern const struct pane_ops *const panes[];

#endif
