/*
 * dialog.h - a question in a box with a Cancel that is the default, or a notice.
 *
 * The collect dialog asks for a generation; whatever acts on the target looks like
 * this. The owner asks, draws, gives keys, and acts on DIALOG_ACCEPTED only.
 */
#ifndef HEAPTOP_TUI_DIALOG_H
#define HEAPTOP_TUI_DIALOG_H

#include <stdbool.h>

#include "heaptop/snapshot.h"
#include "tui/canvas.h"
#include "tui/keys.h"

#define DIALOG_CHOICES_MAX GENERATIONS_MAX

struct dialog {
    char title[160];
    char body[1200];
    const char *accept;    /* label of the second button; NULL: a notice, only Close */
    int n_choices, choice; /* generations; 0 = no such line */
    int focus;             /* 0 the choices, 1 Cancel or Close, 2 the other button */
    struct rect choices[DIALOG_CHOICES_MAX], buttons[2]; /* for the mouse */
};

enum dialog_result {
    DIALOG_OPEN = 0,
    DIALOG_CLOSED,   /* Cancel, Close, Esc */
    DIALOG_ACCEPTED, /* the second button, or y */
};

/* A sentence and what to do about it. */
void dialog_notice(struct dialog *dialog, const char *title, const char *text,
                   const char *remedy);
/* Asks whether to collect. The snapshot tells the generations, the last pause. */
void dialog_collect(struct dialog *dialog, const struct snapshot *snapshot);

void dialog_draw(struct dialog *dialog, struct canvas *canvas);
enum dialog_result dialog_key(struct dialog *dialog, const struct key *key);

#endif
