/*
 * answer.h - a plugin's answer, made from hostile bytes: copied, bounded, clean.
 */
#ifndef HEAPTOP_PLUGIN_ANSWER_H
#define HEAPTOP_PLUGIN_ANSWER_H

#include <stddef.h>
#include <stdint.h>

#include "heaptop/err.h"
#include "heaptop/plugins.h"
#include "plugin/message.h"

struct plugin_answer {
    int result; /* what its function returned */
    const struct plugin_table
        *table; /* a reference of the receiver, or NULL: it has nothing to show */
    size_t n_words;
    char words[PLUGIN_WORDS_MAX][PLUGIN_TEXT_MAX + 1]; /* clean */
};

/* -1: it makes no sense, and the sentence says where. No table is left then. */
int plugin_answer_read(struct plugin_answer *answer, const void *bytes, size_t length,
                       struct err *err);

#endif
