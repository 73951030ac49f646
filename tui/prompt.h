/*
 * prompt.h - one line of text that is being typed: find, filter, interval.
 *
 * The text is always clean UTF-8. The owner looks at it after each edit, so find
 * and filter work while they are typed.
 */
#ifndef HEAPTOP_TUI_PROMPT_H
#define HEAPTOP_TUI_PROMPT_H

#include <stddef.h>

#include "tui/canvas.h"
#include "tui/keys.h"

#define PROMPT_TEXT_BYTES 256

struct prompt {
    const char *label; /* static text: "Find: " */
    char text[PROMPT_TEXT_BYTES];
    size_t cursor; /* in bytes, always between two characters */
};

enum prompt_result {
    PROMPT_SAME = 0, /* nothing that matters outside */
    PROMPT_EDITED,   /* the text is another one */
    PROMPT_KEPT,     /* Enter */
    PROMPT_LEFT,     /* Esc */
};

/* Begins with `text`, the cursor behind it. */
void prompt_init(struct prompt *prompt, const char *label, const char *text);
enum prompt_result prompt_key(struct prompt *prompt, const struct key *key);
/* Draws over line `y` and puts the cursor there. */
void prompt_draw(const struct prompt *prompt, struct canvas *canvas, int y);

#endif
