/* A question about the objects, asked once: --kind, --duplicates. */
#include "batch/batch.h"

#include <stdio.h>
#include <string.h>

#include "model/kind_detail.h"
#include "sink/answer.h"

/* 0 with no answer: a signal asked to leave. */
static int await_answer(struct batch *batch, struct answer **answer, struct err *err)
{
    struct sampler_message message;
    enum batch_event event;

    while ((event = batch_next(batch, INT64_MAX, &message, err)) >= 0) {
        if (event == BATCH_MARK)
            continue;
        if (event != BATCH_MESSAGE)
            return 0;
        if (message.type == SAMPLER_SNAPSHOT) {
            snapshot_unref(message.snapshot);
        } else if (message.type == SAMPLER_ANSWER && message.answer) {
            *answer = message.answer;
            return 0;
        } else if (message.type == SAMPLER_ANSWER || message.type == SAMPLER_ENDED) {
            *err = message.err;
            return -1;
        }
    }
    return -1;
}

static int check_answer(const struct answer *answer, struct err *err)
{
    const struct kind_detail *detail = kind_detail_of(answer);

    if (!detail || detail->count)
        return 0;
    err_set(err, ERR_FAILED, "no object of the kind %.200s was found",
            answer->inquiry.kind->name);
    return err_remedy(err, "heaptop -b --pane types PID lists the kinds");
}

int batch_inquiry(const struct args *args, int signal_fd, struct err *err)
{
    struct args own = *args;
    struct answer *answer = NULL;
    struct batch batch;
    int result;

    /* What is asked takes a pass of its own; the walk of all kinds is not needed. */
    own.sampler.walk_interval_ns = WALK_OFF;
    if (batch_open(&batch, &own, signal_fd, err))
        return -1;
    sampler_ask(batch.sampler, &args->inquiry);
    result = await_answer(&batch, &answer, err);
    batch_close(&batch);
    if (!result && answer)
        result =
            check_answer(answer, err) || answer_write(stdout, answer, args->pid,
                                                      !strcmp(args->output, "json"), err)
                ? -1
                : 0;
    answer_free(answer);
    return result;
}
