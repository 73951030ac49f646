/*
 * keys.h - bytes from the terminal to key names: "q", "F9", "^L", "Up", "Space".
 *
 * A pure decoder: no terminal, no curses, no time. The loop puts the bytes it
 * read, takes keys until there are none, and calls keys_flush() when nothing
 * came for keys_wait_ms(): only then is an escape byte the key Esc. Sequences it
 * does not know are dropped whole, never taken for typed letters. A pasted text
 * is marked as such, because no command may come out of a clipboard.
 */
#ifndef HEAPTOP_TUI_KEYS_H
#define HEAPTOP_TUI_KEYS_H

#include <stdbool.h>
#include <stddef.h>

enum key_mouse {
    KEY_MOUSE_NONE = 0,
    KEY_MOUSE_LEFT, /* pressed */
    KEY_MOUSE_WHEEL_UP,
    KEY_MOUSE_WHEEL_DOWN,
};

struct key {
    char name[16]; /* as in commands.def; "" for the mouse */
    char text[8];  /* the character, when it is one that can be typed; else "" */
    bool is_pasted;
    enum key_mouse mouse;
    int y, x; /* of the mouse */
};

struct keys {
    unsigned char bytes[128];
    size_t length;
    bool is_final; /* what is there is all that comes */
    bool is_pasting;
};

/* Takes at most `length` bytes; returns how many (fewer when keys must be taken first).
 */
size_t keys_put(struct keys *keys, const void *bytes, size_t length);
/* The next key; false = none is complete. */
bool keys_next(struct keys *keys, struct key *key);
/* How long to wait for more before keys_flush(); -1 = nothing is begun. */
int keys_wait_ms(const struct keys *keys);
/* Nothing more came: what waits is complete now. */
void keys_flush(struct keys *keys);

#endif
