/*
 * message.h - what heaptop, the keeper of plugins and the plugins' processes say to each
 * other.
 *
 * With the keeper: one question, one answer (guard/helper_message.h). With a plugin's
 * process: a stream of a head and `length` bytes, in each direction. What a plugin's
 * process says is hostile.
 */
#ifndef HEAPTOP_PLUGIN_MESSAGE_H
#define HEAPTOP_PLUGIN_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include "plugin/folder.h"

enum keeper_question {
    KEEPER_START = 1, /* struct keeper_start, with the descriptors of mem and maps */
    KEEPER_END,       /* struct keeper_end */
};

struct keeper_start {
    uint32_t index;    /* of the plugin */
    uint32_t is_look;  /* only to be asked what it is */
    int32_t pid;       /* of the target, or 0 */
    uint32_t has_mem;  /* the descriptors that come with it, */
    uint32_t has_maps; /* in this order */
};

struct keeper_started { /* with the plugin's socket when there is a pid */
    int32_t pid;
    char why[320];
};

struct keeper_end {
    int32_t pid;
    uint32_t patience_ms; /* for it to end by itself */
};

struct keeper_ended {
    int32_t status; /* as of waitpid(); -1: it was not there */
};

enum plugin_message {
    PLUGIN_HELLO = 1, /* struct plugin_hello: it is loaded and open */
    PLUGIN_REFUSED,   /* a sentence: it is not to be used */
    PLUGIN_ASK,       /* to it, without bytes */
    PLUGIN_ANSWER,    /* struct plugin_outcome, then its words and its table */
    PLUGIN_RECEIVE,   /* to it: a sample as JSON; it answers as to a question */
    PLUGIN_PROBE,     /* struct plugin_probe: it asks, while it owes an answer */
    PLUGIN_PROBED,    /* to it: struct plugin_probed, and the text */
};

struct plugin_head {
    uint32_t type, length;
};

struct plugin_hello {
    uint32_t is_source, is_sink;
    char name[PLUGIN_NAME_BYTES];
    char version[32], license[32], summary[120];
};

#define PLUGIN_QUESTION_BYTES 256
#define PLUGIN_PROBED_MAX     262144

struct plugin_probe {
    uint32_t probe; /* enum heaptop_probe */
    char question[PLUGIN_QUESTION_BYTES];
};

struct plugin_probed {
    int64_t length; /* of the whole text; -1: a sentence comes that says why not */
};

/* A table and words are a string of items: a letter, then
 *   C  unit (a digit), name\0, help\0     a column
 *   R                                     a row begins
 *   D  depth (a letter from '0' on)       of this row
 *   N  int64                              a number
 *   T  text\0                             a text
 *   U                                     a value that is not known
 *   S  text\0                             a sentence
 *   H  text\0                             the title
 *   L  text\0                             a line above the table
 *   A  name\0, call\0, words\0            an action is offered
 *   !                                     the limits were passed: more is left out */
struct plugin_outcome {
    int32_t result; /* what the plugin's function returned */
};

#define PLUGIN_ANSWER_MAX ((size_t)1 << 20)
#define PLUGIN_TEXT_MAX   240
#define PLUGIN_OFFER_MAX  (PLUGIN_OFFER_BYTES - 1)
#define PLUGIN_WORDS_MAX  4

#endif
