/*
 * command.h - every command once: name, keys, help, flags.
 *
 * commands.def is the only list. The help screen, the bottom bar, the manual's
 * section and the key look-up are made from it.
 */
#ifndef HEAPTOP_TUI_COMMAND_H
#define HEAPTOP_TUI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

enum command_id {
    COMMAND_NONE = 0,
#define COMMAND(id, name, keys, bar, flags, help) COMMAND_##id,
#include "tui/commands.def"
#undef COMMAND
    COMMAND_COUNT,
};

enum command_flag {
    COMMAND_ACTS = 1, /* changes the target */
    COMMAND_LIVE = 2, /* needs a live target */
};

struct command {
    enum command_id id;
    const char *name; /* "sort-next" */
    const char *keys; /* key names separated by blanks: "q F10 ^C" */
    const char *bar;  /* label in the bottom bar, or NULL */
    unsigned flags;
    const char *help; /* one line */
};

extern const struct command commands[COMMAND_COUNT];

/* The command of a key name ("q", "F9", "^L", "Up", "Space"), or COMMAND_NONE. */
enum command_id command_of_key(const char *key);

#endif
