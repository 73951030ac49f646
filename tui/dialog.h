/*
 * dialog.h - a question in a box with a Cancel that is the default, a notice, or the
 * progress of something.
 *
 * Whatever acts on the target looks like this. A question may ask for one of a few
 * choices, or for numbers. The owner asks, draws, gives keys, and acts on
 * DIALOG_ACCEPTED only.
 */
#ifndef HEAPTOP_TUI_DIALOG_H
#define HEAPTOP_TUI_DIALOG_H

#include <stdbool.h>
#include <stdint.h>

#include "tui/canvas.h"
#include "tui/keys.h"

#define DIALOG_CHOICES_MAX 4
#define DIALOG_FIELDS_MAX  3

struct dialog_field {
    const char *label; /* static text */
    char text[24];     /* digits */
    bool is_typed;     /* the first digit replaces what stands there */
    struct rect place; /* for the mouse */
};

struct dialog {
    char title[160];
    char body[1400];
    char complaint[160];
    const char *close;  /* label of the first button */
    const char *accept; /* label of the second button; NULL: only the first */

    const char *choices_label, *last_choice; /* static text: "Generation", "full" */
    int n_choices, choice;                   /* 0 = no such line */
    size_t n_fields;
    struct dialog_field fields[DIALOG_FIELDS_MAX];
    bool has_bar;
    int bar_per_mille;

    int focus; /* the inputs in their order, then the buttons */
    struct rect choices[DIALOG_CHOICES_MAX], buttons[2]; /* for the mouse */
};

enum dialog_result {
    DIALOG_OPEN = 0,
    DIALOG_CHANGED,  /* another choice or number */
    DIALOG_CLOSED,   /* the first button, Esc */
    DIALOG_ACCEPTED, /* the second button, or y */
};

/* A sentence and what to do about it. */
void dialog_notice(struct dialog *dialog, const char *title, const char *text,
                   const char *remedy);
/* A question; choices and fields are added to it. Cancel has the focus. */
void dialog_ask(struct dialog *dialog, const char *title, const char *accept);
void dialog_add_choices(struct dialog *dialog, const char *label, int count, int choice,
                        const char *last_choice);
/* A number to type, empty when negative; the first one gets the focus. */
void dialog_add_field(struct dialog *dialog, const char *label, int64_t value);
/* Something runs; `close` is what the one button does. */
void dialog_progress(struct dialog *dialog, const char *title, const char *close);

void dialog_say(struct dialog *dialog, const char *body);
/* One line above the buttons: why it was not accepted. */
void dialog_complain(struct dialog *dialog, const char *complaint);
/* The number in a field; -1 when it is empty. */
int64_t dialog_number(const struct dialog *dialog, size_t field);

void dialog_draw(struct dialog *dialog, struct canvas *canvas);
enum dialog_result dialog_key(struct dialog *dialog, const struct key *key);

#endif
