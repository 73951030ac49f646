/* A question about the objects, when the main thread asks one: begun, stepped, answered.
 */
#include "sampler/sampler_private.h"

#include "source/inquiry.h"
#include "util/clock.h"
#include "util/log.h"

static void inquiry_send(struct sampler *sampler, struct answer *answer,
                         const struct err *err)
{
    struct sampler_message message = {.type = SAMPLER_ANSWER, .answer = answer};

    message.inquiry = sampler->inquiry.asked;
    if (answer)
        answer->inquiry = sampler->inquiry.asked;
    else
        message.err = *err;
    log_line("inquiry %s: %s", sampler->inquiry.asked.topic,
             answer ? "answered" : err->text);
    sampler_send(sampler, &message);
}

/* What an action moves would be told twice or not at all: it begins again after it. */
void sampler_inquiry_yield(struct sampler *sampler)
{
    struct sampler_inquiry *inquiry = &sampler->inquiry;

    if (inquiry->is_begun && inquiry->ops->end)
        inquiry->ops->end(inquiry->state);
    inquiry->state = NULL;
    inquiry->is_begun = false;
}

void sampler_inquiry_drop(struct sampler *sampler)
{
    sampler_inquiry_yield(sampler);
    sampler->inquiry.ops = NULL;
}

void sampler_inquiry_order(struct sampler *sampler, const struct inquiry *asked)
{
    struct err err = ERR_INIT;

    sampler_inquiry_drop(sampler);
    sampler->inquiry.asked = *asked;
    sampler->inquiry.ops = inquiry_find(asked->topic);
    if (!sampler->inquiry.ops)
        err_set(&err, ERR_USAGE, "there is no inquiry of the name %.40s", asked->topic);
    else if (sampler->is_ended || sampler->is_failed)
        err_set(&err, ERR_GONE, "the target has ended");
    if (err.code == ERR_NONE)
        return;
    sampler_inquiry_drop(sampler);
    inquiry_send(sampler, NULL, &err);
}

bool sampler_inquiry_is_due(const struct sampler *sampler)
{
    return sampler->inquiry.ops && sampler->is_layout_tried && !sampler->action.ops &&
           !sampler->walk.is_running;
}

void sampler_inquiry_slice(struct sampler *sampler)
{
    struct sampler_inquiry *inquiry = &sampler->inquiry;
    struct source_context context = sampler_context(sampler, NULL);
    enum source_result result = SOURCE_MORE;
    struct answer *answer = NULL;
    struct err err = ERR_INIT;

    if (!inquiry->is_begun) {
        sampler_check_layout(sampler);
        context = sampler_context(sampler, NULL);
        inquiry->is_begun = true;
        if (inquiry->ops->begin(&inquiry->asked, &context, &inquiry->state, &err))
            result = SOURCE_FAILED;
    }
    if (result == SOURCE_MORE)
        result = inquiry->ops->step(inquiry->state, &context, &answer, &err);
    if (result == SOURCE_MORE)
        return;
    inquiry_send(sampler, result == SOURCE_DONE ? answer : NULL, &err);
    sampler_inquiry_drop(sampler);
}

void sampler_ask(struct sampler *sampler, const struct inquiry *inquiry)
{
    pthread_mutex_lock(&sampler->lock);
    sampler->wish.inquiry = *inquiry;
    pthread_mutex_unlock(&sampler->lock);
    sampler_wake(sampler);
}
