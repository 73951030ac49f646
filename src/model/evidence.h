/*
 * evidence.h - what the rules of a verdict look at: the window, and what grew in it.
 *
 * The window is the last ten minutes; where nothing grows in them, the last hour, six
 * hours, and so on, if something has grown in that and still does. Or it begins later:
 * when the last imports were over, at a mark named "warm-up", or where the growth was at
 * first much steeper than it is since.
 *
 * Pure; the history's thread.
 */
#ifndef HEAPTOP_MODEL_EVIDENCE_H
#define HEAPTOP_MODEL_EVIDENCE_H

#include "model/history.h"

/* The kinds that grow, together. */
struct kinds_growth {
    bool is_known;
    int64_t bytes, large_bytes;      /* of all; of them outside pymalloc */
    int64_t class_bytes, task_bytes; /* of kinds that come with classes, with tasks */
    const struct kind_row *first;    /* the one that grew most; NULL = none */
    struct fit first_fit;
    double first_count_per_minute;
    bool is_container; /* not more of it, but they became larger */
};

struct evidence {
    const struct history *history;
    const struct snapshot *now, *then; /* the ends of the window */
    int64_t elapsed_ns;
    bool is_long;     /* watched long enough to speak of growth */
    bool is_growing;  /* RES, really: enough bytes, and a trend */
    bool is_of_floor; /* and what is said of RES is said of its lowest values */
    bool is_warming_up;
    int64_t res_bytes; /* now */
    int64_t res_growth_bytes;
    int64_t first_ns, last_ns; /* what the growth was measured between */
    struct fit res;
    struct fit parts[ACCOUNT_PARTS];
    bool has_parts;
    struct kinds_growth kinds;
};

/* False without a sample. */
bool evidence_gather(struct evidence *evidence, const struct history *history);

/* Since when: the last round of the account, the last walk, that `then` has. */
int64_t evidence_parts_since_ns(const struct evidence *evidence);
int64_t evidence_kinds_since_ns(const struct evidence *evidence);

/* What RES has to grow by: 5 MiB and 2 per cent of it. */
int64_t evidence_growth_least(const struct evidence *evidence);
/* The growth of a headline series in the window. */
bool evidence_fit(const struct evidence *evidence, enum history_series series,
                  struct fit *fit);
/* What of a part was there all the time; what is there now, without a window. */
int64_t evidence_lowest_part(const struct evidence *evidence, enum account_part part);
/* It rises for sure; or RES does, and this is read too seldom to say more than that it is
 * higher. */
static inline bool has_risen(const struct evidence *evidence, const struct fit *fit)
{
    return fit->is_rising ||
           (fit->points < GROWTH_LEAST && fit->is_higher && evidence->res.is_rising);
}

/* Of a growth: 0 when it does not rise. */
static inline int64_t fit_risen(const struct evidence *evidence, const struct fit *fit)
{
    return has_risen(evidence, fit) ? fit->grown : 0;
}

/* In evidence_floor.c: the line through the lowest of RES in each slice of the window;
 * false when it does not rise for sure. */
bool evidence_floor(const struct evidence *evidence, struct fit *fit);
/* In evidence_kinds.c. */
void evidence_gather_kinds(struct evidence *evidence);
/* Since when no module and no code was added: 0 when that was all the time. */
int64_t evidence_imports_end_ns(const struct history *history);

#endif
