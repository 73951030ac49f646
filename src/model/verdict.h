/*
 * verdict.h - what the counters say together, in words: is it a leak, garbage,
 * fragmentation, native memory, a file - or nothing.
 *
 * One table of rules (verdict_rules.c): each has its condition and threshold, its words,
 * its remedy and what that would gain. A rule whose counter is not known is silent, and
 * said to be so. Nothing is called growth before it was watched for VERDICT_LEAST_NS.
 * Pure; the history's thread.
 */
#ifndef HEAPTOP_MODEL_VERDICT_H
#define HEAPTOP_MODEL_VERDICT_H

#include "model/history.h"

#define VERDICTS_MAX     16
#define VERDICT_LEAST_NS INT64_C(60000000000)

struct verdict {
    const char *rule; /* "R2": as in the manual */
    char words[240];
    struct reading bytes; /* that it is about */
    const char *remedy;   /* static text */
    struct reading
        gain_bytes; /* what the remedy would return; unknown = cannot be said */
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

/* Nothing is wrong, or nothing can be said yet. */
bool verdict_is_calm(const struct verdict *verdict);

/* ---- between the two files ---- */

/* What the rules look at: the ends of the window, and the growth of RES. */
struct evidence {
    const struct history *history;
    const struct snapshot *now, *then;
    int64_t elapsed_ns;
    bool is_long;      /* watched long enough to speak of growth */
    bool is_growing;   /* RES, really: enough bytes, and a trend */
    int64_t res_bytes; /* now */
    int64_t res_growth_bytes;
};

enum judgement {
    JUDGED_NO = 0,
    JUDGED_YES,
    JUDGED_UNKNOWN, /* a counter is missing */
};

struct rule {
    const char *id;
    const char *needs; /* the counters, as they are called in a gap */
    const char *remedy;
    enum judgement (*judge)(const struct evidence *evidence, struct verdict *verdict);
};

extern const struct rule verdict_rules[];
extern const size_t n_verdict_rules;

#endif
