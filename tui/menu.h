/*
 * menu.h - a list to choose from, in a box: sort column, columns, marks, actions.
 *
 * The texts are copied. The owner reads `selected` after a key.
 */
#ifndef HEAPTOP_TUI_MENU_H
#define HEAPTOP_TUI_MENU_H

#include <stdbool.h>
#include <stddef.h>

#include "tui/canvas.h"
#include "tui/command.h"
#include "tui/keys.h"

struct menu_item {
    char *label;
    char *help;
    int value;       /* the owner's number */
    bool is_checked; /* drawn only when the menu has checks */
    bool is_dim;     /* has no effect now; may be chosen, and the owner says why */
    char key;        /* a letter that chooses it, or 0 */
};

struct menu {
    const char *title; /* static text */
    const char *hint;  /* static text: the last line */
    struct menu_item *items;
    size_t count, selected;
    bool has_checks;
    int first_line;    /* scrolling; set by menu_draw() */
    struct rect lines; /* where the items are; for the mouse */
};

enum menu_result {
    MENU_OPEN = 0,
    MENU_CHOSEN,  /* Enter, its letter, or a second click */
    MENU_TOGGLED, /* Space, in a menu with checks */
    MENU_CLOSED,  /* Esc */
};

void menu_init(struct menu *menu, const char *title, const char *hint, bool has_checks);
void menu_release(struct menu *menu);
void menu_add(struct menu *menu, int value, bool is_checked, const char *label,
              const char *help);
/* Of the item that was added last. */
void menu_set_key(struct menu *menu, char key, bool is_dim);
void menu_draw(struct menu *menu, struct canvas *canvas);
enum menu_result menu_key(struct menu *menu, const struct key *key);

#endif
