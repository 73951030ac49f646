/*
 * cause.h - who holds what grows: the search that a verdict on growing objects begins.
 *
 * From the kind that grows most, the questions go up (holders.h), one level each, until
 * a module, a class or CAUSE_STEPS. The history has what was found, and verdicts say it.
 * Who feeds the history asks after each sample what is wanted, has the sampler answer
 * it, and hands the answer over. Begun for a new kind only, once a minute at most, and
 * not where a look at all objects takes long.
 *
 * Pure; the history's thread.
 */
#ifndef HEAPTOP_MODEL_CAUSE_H
#define HEAPTOP_MODEL_CAUSE_H

#include "model/history.h"
#include "model/holders.h"

#define CAUSE_STEPS 4

struct cause {
    const struct kind *kind; /* whose growth; NULL: nothing was looked for yet */
    struct inquiry next;     /* topic NULL: nothing is left to ask */
    uint64_t judged_seq;     /* the newest sample when it was looked whether to begin */
    int64_t begun_mono_ns;
    int n_steps;
    /* "app.Session.user", "dict of module app key SESSIONS": one level up, and the last
     * one; "" = not known. */
    char first[HOLDER_LABEL_MAX], last[HOLDER_LABEL_MAX];
};

/* The history's own. */
struct cause *history_cause(struct history *history);
const struct cause *history_cause_found(const struct history *history);

/* What is to be asked next: the same until it is answered. False: nothing. */
bool cause_wants(struct history *history, struct inquiry *inquiry);
/* An answer, or NULL where there was none. False: it was not the one that is waited for.
 * Borrowed. */
bool cause_take(struct history *history, const struct inquiry *asked,
                const struct answer *answer);

/* "; held by ..." in the buffer, or nothing. */
#define CAUSE_WORDS_MAX 200
char *cause_words(char words[CAUSE_WORDS_MAX], const struct history *history,
                  const struct kind *kind);

#endif
