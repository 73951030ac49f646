/*
 * answer.h - an answer to an inquiry, written: as JSON on one line, or as text.
 *
 * Every figure that the screen shows of it. One row a topic, in answer.c. Main thread.
 */
#ifndef HEAPTOP_SINK_ANSWER_H
#define HEAPTOP_SINK_ANSWER_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include <jansson.h>

#include "heaptop/err.h"
#include "model/inquiry.h"

struct answer_sink {
    const char *topic, *schema;
    /* Adds the answer's own members; those that all answers have are there. */
    void (*json)(json_t *object, const struct answer *answer);
    void (*text)(FILE *out, const struct answer *answer);
};

extern const struct answer_sink answer_sink_kind;       /* answer_kind.c */
extern const struct answer_sink answer_sink_duplicates; /* answer_duplicates.c */

/* `as_json`: else text. `pid`: of the target. */
int answer_write(FILE *out, const struct answer *answer, pid_t pid, bool as_json,
                 struct err *err);

#endif
