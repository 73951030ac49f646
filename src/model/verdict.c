/* Asks the rules, puts what they found in order, and says the rest. */
#include "model/verdict.h"

#include <stdio.h>
#include <string.h>

#include "model/account.h"
#include "model/verdict_private.h"

/* ---- for judges ---- */

char *say_bytes(char buffer[UNITS_MAX], int64_t value)
{
    return units_bytes(buffer, reading_exact(value));
}

char *say_elapsed(char buffer[UNITS_MAX], const struct evidence *evidence)
{
    return units_duration(buffer, reading_exact(evidence->elapsed_ns));
}

void verdict_count(struct verdict *verdict, const char *name, enum history_unit unit,
                   struct reading value)
{
    if (verdict->n_counters < VERDICT_COUNTERS)
        verdict->counters[verdict->n_counters++] =
            (struct verdict_counter){name, unit, value};
}

static int64_t wall_of(const struct evidence *evidence, int64_t mono_ns)
{
    return evidence->now->wall_ns - (evidence->now->mono_ns - mono_ns);
}

void verdict_take_fit(struct verdict *verdict, const struct evidence *evidence,
                      const struct fit *fit, int64_t bytes)
{
    verdict->bytes = reading_exact(bytes);
    verdict->since_wall_ns = wall_of(evidence, fit->first_ns);
    verdict->until_wall_ns = wall_of(evidence, fit->last_ns);
}

int64_t share_of_growth(const struct evidence *evidence, const struct fit *fit,
                        int64_t bytes)
{
    double span = (double)(fit->last_ns - fit->first_ns) + 1;
    double all = (double)(evidence->last_ns - evidence->first_ns) + 1;

    if (!evidence->is_growing || evidence->res_growth_bytes <= 0)
        return 0;
    return (int64_t)((double)bytes * all / span * 100 /
                     (double)evidence->res_growth_bytes);
}

bool explains(const struct evidence *evidence, const struct fit *fit, int64_t bytes)
{
    return share_of_growth(evidence, fit, bytes) >= 60;
}

/* ---- in order ---- */

/* What a rule found, with the rule. */
struct found {
    struct finding finding;
    const struct rule *rule;
    int64_t weight;
};

struct findings {
    struct found items[VERDICTS_MAX];
    size_t count;
};

static void ask(const struct evidence *evidence, const struct rule *rule,
                struct findings *findings, struct verdicts *verdicts)
{
    struct found *found = &findings->items[findings->count];
    struct verdict *verdict = &found->finding.verdict;

    if (findings->count == VERDICTS_MAX || verdicts->n_gaps == VERDICTS_MAX)
        return;
    memset(found, 0, sizeof(*found));
    found->rule = rule;
    verdict->rule = rule->id;
    verdict->remedy = rule->remedy;
    switch (rule->judge(evidence, &found->finding)) {
    case JUDGED_YES:
        found->weight = verdict->bytes.value;
        verdict_advise(evidence, verdict);
        findings->count++;
        break;
    case JUDGED_UNKNOWN:
        verdicts->gaps[verdicts->n_gaps++] = (struct verdict_gap){rule->id, rule->needs};
        break;
    case JUDGED_NO:
        break;
    }
}

/* A rule that says more exactly what another says weighs as much, and stands first. */
static void weigh(struct findings *findings)
{
    for (size_t i = 0; i < findings->count; i++)
        for (size_t k = 0; k < findings->count; k++) {
            struct found *exact = &findings->items[i], *other = &findings->items[k];

            if (!exact->rule->refines ||
                strcmp(exact->rule->refines, other->rule->id) != 0)
                continue;
            exact->finding.is_now |= other->finding.is_now;
            if (exact->weight < other->weight)
                exact->weight = other->weight;
        }
}

static bool stands_before(const struct found *a, const struct found *b)
{
    bool is_calm_a = verdict_is_calm(&a->finding.verdict);
    bool is_calm_b = verdict_is_calm(&b->finding.verdict);

    if (is_calm_a != is_calm_b)
        return is_calm_b;
    if (a->finding.is_now != b->finding.is_now)
        return a->finding.is_now;
    return a->weight > b->weight;
}

/* Stable: among equals, the order of the rules. */
static void put_in_order(struct findings *findings)
{
    for (size_t i = 1; i < findings->count; i++)
        for (size_t k = i; k > 0; k--) {
            struct found before = findings->items[k - 1];

            if (!stands_before(&findings->items[k], &before))
                break;
            findings->items[k - 1] = findings->items[k];
            findings->items[k] = before;
        }
}

/* ---- the rest ---- */

/* "objects and parts in pools +12M, malloc free +9M": the two that grew most; nothing
 * where the parts were read too seldom to show a growth. */
static void say_largest(const struct evidence *evidence, char *words, size_t size)
{
    int first = -1, second = -1;
    char a[UNITS_MAX], b[UNITS_MAX];

    words[0] = '\0';
    for (int i = 0; evidence->has_parts && i < ACCOUNT_PARTS; i++) {
        int64_t grown = evidence->parts[i].grown;

        if (first < 0 || grown > evidence->parts[first].grown) {
            second = first;
            first = i;
        } else if (second < 0 || grown > evidence->parts[second].grown) {
            second = i;
        }
    }
    if (first >= 0 && second >= 0 && evidence->parts[first].grown > 0)
        snprintf(words, size, ": %s +%s, %s +%s",
                 account_part_title((enum account_part)first),
                 say_bytes(a, evidence->parts[first].grown),
                 account_part_title((enum account_part)second),
                 say_bytes(b, evidence->parts[second].grown));
}

static void say_mixed(const struct evidence *evidence, struct verdict *verdict)
{
    char growth[UNITS_MAX], age[UNITS_MAX], largest[160];

    verdict->rule = "-";
    verdict->remedy = "History, v: what grows; Account: the parts of RES";
    say_largest(evidence, largest, sizeof(largest));
    snprintf(verdict->words, sizeof(verdict->words),
             "RES grows by %s in %s, of %s causes%s",
             say_bytes(growth, evidence->res_growth_bytes), say_elapsed(age, evidence),
             *largest ? "several" : "yet unknown", largest);
    verdict_take_fit(verdict, evidence, &evidence->res, evidence->res_growth_bytes);
}

static void say_calm(const struct evidence *evidence, struct verdict *verdict)
{
    const struct snapshot *now = evidence->now;
    struct reading res = now->process ? now->process->res_bytes : reading_unknown();
    char res_text[UNITS_MAX], age[UNITS_MAX], growth[UNITS_MAX];

    verdict->rule = evidence->is_long ? "R1" : "R0";
    verdict->remedy = "nothing to do";
    verdict->bytes = res;
    units_bytes(res_text, res);
    say_elapsed(age, evidence);
    units_bytes_delta(growth, reading_exact(evidence->res_growth_bytes));
    if (evidence->is_long) {
        snprintf(verdict->words, sizeof(verdict->words), "steady: RES %s in %s, at %s",
                 growth, age, res_text);
        return;
    }
    verdict->remedy = "wait: a growth is named after a minute at the earliest";
    if (!evidence->elapsed_ns) {
        snprintf(verdict->words, sizeof(verdict->words),
                 "RES is %s; one sample does not say whether it grows", res_text);
        return;
    }
    snprintf(verdict->words, sizeof(verdict->words),
             evidence->is_warming_up
                 ? "RES is %s; the program began its work only %s ago (imports, warm-up)"
                 : "RES is %s; watched for %s, too short to say whether it grows",
             res_text, age);
}

/* No rule says why it grows; or none says anything. */
static void say_the_rest(const struct evidence *evidence, struct verdicts *verdicts,
                         bool is_explained)
{
    struct verdict rest = {0};

    if (evidence->is_growing && !is_explained)
        say_mixed(evidence, &rest);
    else if (!verdicts->count)
        say_calm(evidence, &rest);
    if (!rest.rule || verdicts->count == VERDICTS_MAX)
        return;
    memmove(verdicts->items + 1, verdicts->items,
            verdicts->count * sizeof(verdicts->items[0]));
    verdicts->items[0] = rest;
    verdicts->count++;
}

bool verdict_is_calm(const struct verdict *verdict)
{
    return !strcmp(verdict->rule, "R0") || !strcmp(verdict->rule, "R1") ||
           !strcmp(verdict->rule, "R14");
}

bool verdict_judge(const struct history *history, struct verdicts *verdicts)
{
    struct evidence evidence;
    struct findings findings = {.count = 0};
    bool is_explained = false;

    verdicts->count = verdicts->n_gaps = 0;
    if (!evidence_gather(&evidence, history))
        return false;
    for (size_t i = 0; i < n_verdict_rules; i++)
        ask(&evidence, &verdict_rules[i], &findings, verdicts);
    weigh(&findings);
    put_in_order(&findings);
    for (size_t i = 0; i < findings.count; i++) {
        verdicts->items[verdicts->count++] = findings.items[i].finding.verdict;
        is_explained |= findings.items[i].finding.is_now;
    }
    say_the_rest(&evidence, verdicts, is_explained);
    return true;
}
