/*
 * condition.h - "res>500M": a name, a comparison, a value; for --until.
 *
 * Pure. What is not known is never true: a condition is met only by a number.
 */
#ifndef HEAPTOP_MODEL_CONDITION_H
#define HEAPTOP_MODEL_CONDITION_H

#include <stdbool.h>

#include "heaptop/err.h"
#include "model/history.h"

enum comparison {
    COMPARE_GREATER = 0,
    COMPARE_AT_LEAST,
    COMPARE_LESS,
    COMPARE_AT_MOST,
};

struct condition {
    int metric; /* row in the table of names */
    enum comparison comparison;
    int64_t value;
    char kind[256]; /* kind:NAME, size:NAME */
};

/* ERR_USAGE with the list of names as the remedy. */
int condition_parse(struct condition *condition, const char *text, struct err *err);

/* Against the newest sample; *value gets what it was compared with. */
bool condition_is_met(const struct condition *condition, const struct history *history,
                      struct reading *value);

/* "res is 612.4M". */
void condition_words(const struct condition *condition, struct reading value, char *text,
                     size_t size);

#endif
