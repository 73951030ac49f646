/* The evidence, and the order in which the rules are asked. */
#include "model/verdict.h"

#include <stdio.h>
#include <string.h>

#include "heaptop/units.h"

#define GROWTH_LEAST_BYTES (INT64_C(5) << 20)

static struct reading res_of(const struct snapshot *snapshot)
{
    return snapshot->process ? snapshot->process->res_bytes : reading_unknown();
}

/* At least 5 MiB and 2 per cent, and a trend that is sure. */
static bool is_growing(const struct evidence *evidence)
{
    struct trend trend;
    int64_t least = evidence->res_bytes / 50;

    if (least < GROWTH_LEAST_BYTES)
        least = GROWTH_LEAST_BYTES;
    return evidence->is_long && evidence->res_growth_bytes >= least &&
           growth_trend(history_series_growth(evidence->history), 1 + SERIES_RES,
                        GROWTH_WINDOW_NS, &trend) &&
           trend.is_claimed && trend.bytes_per_minute > 0;
}

static bool gather(struct evidence *evidence, const struct history *history)
{
    size_t first;

    memset(evidence, 0, sizeof(*evidence));
    evidence->history = history;
    evidence->now = history_latest(history);
    if (!evidence->now)
        return false;
    first = history_at_time(history, evidence->now->mono_ns - GROWTH_WINDOW_NS);
    evidence->then = history_at(history, first);
    /* The first samples lack what takes longer to read. */
    while (!evidence->then->is_complete && history_at(history, first + 1))
        evidence->then = history_at(history, ++first);
    evidence->elapsed_ns = evidence->now->mono_ns - evidence->then->mono_ns;
    evidence->is_long = evidence->elapsed_ns >= VERDICT_LEAST_NS;
    evidence->res_bytes = res_of(evidence->now).value;
    evidence->res_growth_bytes =
        reading_difference(res_of(evidence->now), res_of(evidence->then)).value;
    evidence->is_growing = is_growing(evidence);
    return true;
}

static void ask(const struct evidence *evidence, const struct rule *rule,
                struct verdicts *verdicts)
{
    struct verdict *verdict = &verdicts->items[verdicts->count];

    if (verdicts->count == VERDICTS_MAX || verdicts->n_gaps == VERDICTS_MAX)
        return;
    memset(verdict, 0, sizeof(*verdict));
    verdict->rule = rule->id;
    verdict->remedy = rule->remedy;
    switch (rule->judge(evidence, verdict)) {
    case JUDGED_YES:
        verdicts->count++;
        break;
    case JUDGED_UNKNOWN:
        verdicts->gaps[verdicts->n_gaps++] = (struct verdict_gap){rule->id, rule->needs};
        break;
    case JUDGED_NO:
        break;
    }
}

/* No rule explains it: it is steady, not watched for long, or of several causes. */
static void say_the_rest(const struct evidence *evidence, struct verdicts *verdicts)
{
    struct verdict *verdict = &verdicts->items[0];
    char res[UNITS_MAX], age[UNITS_MAX], growth[UNITS_MAX];

    if (verdicts->count)
        return;
    memset(verdict, 0, sizeof(*verdict));
    verdict->rule = "R1";
    verdict->remedy = "nothing to do";
    units_bytes(res, res_of(evidence->now));
    units_duration(age, reading_exact(evidence->elapsed_ns));
    units_bytes_delta(growth, reading_exact(evidence->res_growth_bytes));
    if (!evidence->is_long) {
        verdict->remedy = "wait: a growth is named after a minute at the earliest";
        snprintf(verdict->words, sizeof(verdict->words),
                 "RES is %s; watched for %s, too short to say whether it grows", res,
                 age);
    } else if (evidence->is_growing) {
        verdict->rule = "-";
        verdict->remedy = "History, v: what grows; Account: the parts of RES";
        snprintf(verdict->words, sizeof(verdict->words),
                 "RES %s in %s to %s, of several causes: no rule explains most of it",
                 growth, age, res);
    } else {
        snprintf(verdict->words, sizeof(verdict->words), "steady: RES %s in %s, at %s",
                 growth, age, res);
    }
    verdict->bytes = res_of(evidence->now);
    verdicts->count = 1;
}

bool verdict_is_calm(const struct verdict *verdict)
{
    return !strcmp(verdict->rule, "R1") || !strcmp(verdict->rule, "R14");
}

bool verdict_judge(const struct history *history, struct verdicts *verdicts)
{
    struct evidence evidence;

    verdicts->count = verdicts->n_gaps = 0;
    if (!gather(&evidence, history))
        return false;
    for (size_t i = 0; i < n_verdict_rules; i++)
        ask(&evidence, &verdict_rules[i], verdicts);
    say_the_rest(&evidence, verdicts);
    return true;
}
