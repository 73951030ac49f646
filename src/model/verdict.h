/*
 * verdict.h - what the counters say together, in words: is it a leak, garbage,
 * fragmentation, native memory, a file - or nothing.
 *
 * One table of rules (verdict_rules.c): each has its condition, its words, its remedy and
 * what that would gain; thresholds stand beside the conditions. A rule whose counter is
 * not known is silent, and said to be so. Nothing is called growth before it was watched
 * for VERDICT_LEAST_NS. What explains the growth stands first, then what holds most.
 *
 * Pure; the history's thread.
 */
#ifndef HEAPTOP_MODEL_VERDICT_H
#define HEAPTOP_MODEL_VERDICT_H

#include "model/history.h"

#define VERDICTS_MAX     20
#define VERDICT_COUNTERS 8
#define VERDICT_ADVICE   3
#define VERDICT_LEAST_NS INT64_C(60000000000)

/* A number that led to the verdict. */
struct verdict_counter {
    const char *name; /* static text */
    enum history_unit unit;
    struct reading value;
};

struct verdict {
    const char *rule; /* "R2": as in the manual */
    char words[480];
    struct reading bytes;    /* that it is about */
    const struct kind *kind; /* of objects that grow: the one that does most; or NULL */
    bool is_of_few;          /* not more of them, but larger ones */
    /* Of a growth: from when to when the bytes came; 0 for what is there already. */
    int64_t since_wall_ns, until_wall_ns;
    const char *remedy;        /* static text */
    struct reading gain_bytes; /* what it would return; unknown = cannot be said */
    size_t n_counters, n_advice;
    struct verdict_counter counters[VERDICT_COUNTERS];
    const char *advice[VERDICT_ADVICE]; /* static texts: what helps in the long run */
};

/* A rule that could not be judged. */
struct verdict_gap {
    const char *rule, *counter;
};

struct verdicts {
    size_t count, n_gaps;
    struct verdict items[VERDICTS_MAX]; /* never none: "steady" at least */
    struct verdict_gap gaps[VERDICTS_MAX];
};

/* On the newest sample and the window before it. False without a sample. */
bool verdict_judge(const struct history *history, struct verdicts *verdicts);

/* "Python objects grow": what the rule is called; "" for a rule that there is not. */
const char *verdict_rule_name(const char *rule);
/* The same in one word: "objects". */
const char *verdict_rule_word(const char *rule);

/* Nothing is wrong, or nothing can be said yet. */
bool verdict_is_calm(const struct verdict *verdict);

#endif
