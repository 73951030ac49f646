#include "model/condition.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "heaptop/units.h"
#include "util/strbuf.h"

enum metric {
    METRIC_RES = 0,
    METRIC_VIRT,
    METRIC_PSS,
    METRIC_USS,
    METRIC_SWAP,
    METRIC_THREADS,
    METRIC_ARENAS,
    METRIC_BLOCKS,
    METRIC_OBJECTS,
    METRIC_MEMORY,
    METRIC_GARBAGE,
    METRIC_TRIM,
    METRIC_GROWTH,
    METRIC_KIND,
    METRIC_SIZE,
    METRICS,
};

static const struct {
    const char *name;
    bool is_bytes;
} metrics[METRICS] = {
    [METRIC_RES] = {"res", true},          [METRIC_VIRT] = {"virt", true},
    [METRIC_PSS] = {"pss", true},          [METRIC_USS] = {"uss", true},
    [METRIC_SWAP] = {"swap", true},        [METRIC_THREADS] = {"threads", false},
    [METRIC_ARENAS] = {"arenas", false},   [METRIC_BLOCKS] = {"blocks", false},
    [METRIC_OBJECTS] = {"objects", false}, [METRIC_MEMORY] = {"memory", true},
    [METRIC_GARBAGE] = {"garbage", true},  [METRIC_TRIM] = {"trim", true},
    [METRIC_GROWTH] = {"growth", true}, /* of RES, a minute */
    [METRIC_KIND] = {"kind:", false},      [METRIC_SIZE] = {"size:", true},
};

static bool takes_kind(int metric)
{
    return metric == METRIC_KIND || metric == METRIC_SIZE;
}

static int refuse(struct err *err, const char *text)
{
    struct strbuf names = STRBUF_INIT;

    for (int i = 0; i < METRICS; i++)
        strbuf_addf(&names, "%s%s%s", i ? ", " : "", metrics[i].name,
                    takes_kind(i) ? "KIND" : "");
    err_set(err, ERR_USAGE,
            "--until takes a condition like 'res>500M' or 'kind:app.Entry>100000', not "
            "\"%.60s\"",
            text);
    err_remedy(err, "NAME, one of > >= < <=, a number (K M G T; growth: /min); names: %s",
               strbuf_text(&names));
    strbuf_release(&names);
    return -1;
}

/* The name before the comparison; -1: there is no such name. */
static int find_metric(struct condition *condition, const char *text, size_t length)
{
    for (int i = 0; i < METRICS; i++) {
        size_t known = strlen(metrics[i].name);

        if (takes_kind(i) && length > known && !strncmp(text, metrics[i].name, known)) {
            snprintf(condition->kind, sizeof(condition->kind), "%.*s",
                     (int)(length - known), text + known);
            return i;
        }
        if (!takes_kind(i) && length == known && !strncmp(text, metrics[i].name, known))
            return i;
    }
    return -1;
}

static bool parse_value(const char *text, int64_t *value, bool is_growth)
{
    static const char units[] = "KMGT";
    const char *unit;
    double number;
    char *end;

    number = strtod(text, &end);
    if (end == text || !(number >= 0 && number < 1e15))
        return false;
    unit = *end ? strchr(units, *end >= 'a' ? *end - 'a' + 'A' : *end) : NULL;
    for (const char *at = units; unit && at <= unit; at++)
        number *= 1024;
    end += unit != NULL;
    if (is_growth && !strcmp(end, "/min"))
        end += 4;
    *value = (int64_t)number;
    return *end == '\0' && number < 9e18;
}

/* The comparison is the last of its signs: a qualified name may have "<locals>" in it. */
static const char *find_comparison(const char *text)
{
    const char *found = NULL;

    for (; *text; text++)
        if (*text == '<' || *text == '>')
            found = text;
    return found;
}

int condition_parse(struct condition *condition, const char *text, struct err *err)
{
    const char *rest;
    size_t length;

    memset(condition, 0, sizeof(*condition));
    text += strspn(text, " ");
    rest = find_comparison(text);
    length = rest ? (size_t)(rest - text) : 0;
    while (length && text[length - 1] == ' ')
        length--;
    condition->metric = find_metric(condition, text, length);
    if (condition->metric < 0)
        return refuse(err, text);
    condition->comparison = *rest == '>' ? COMPARE_GREATER : COMPARE_LESS;
    if (*++rest == '=') {
        condition->comparison++;
        rest++;
    }
    rest += strspn(rest, " ");
    if (!parse_value(rest, &condition->value, condition->metric == METRIC_GROWTH))
        return refuse(err, text);
    return 0;
}

static struct reading of_kind(const struct objects_section *objects, const char *name,
                              bool is_size)
{
    if (!objects)
        return reading_unknown();
    for (size_t i = 0; i < objects->n_kinds; i++)
        if (!strcmp(objects->kinds[i].kind->name, name))
            return reading_exact((int64_t)(is_size ? objects->kinds[i].memory_bytes
                                                   : objects->kinds[i].count));
    return reading_exact(0); /* all were counted, and there is none */
}

static struct reading of_process(const struct process_section *process,
                                 enum metric metric)
{
    if (!process)
        return reading_unknown();
    switch (metric) {
    case METRIC_RES:
        return process->res_bytes;
    case METRIC_VIRT:
        return process->virt_bytes;
    case METRIC_PSS:
        return process->pss_bytes;
    case METRIC_USS:
        return process->uss_bytes;
    case METRIC_SWAP:
        return process->swap_bytes;
    default:
        return process->threads;
    }
}

static struct reading of_python(const struct snapshot *snapshot, enum metric metric)
{
    const struct pymalloc_section *pymalloc = snapshot->pymalloc;
    const struct objects_section *objects = snapshot->objects;

    if (metric == METRIC_ARENAS && pymalloc)
        return reading_exact((int64_t)pymalloc->arenas);
    if (metric == METRIC_BLOCKS && pymalloc)
        return pymalloc->allocated_blocks;
    if (metric == METRIC_OBJECTS && objects)
        return reading_exact((int64_t)objects->count);
    if (metric == METRIC_MEMORY && objects)
        return reading_exact((int64_t)objects->memory_bytes);
    if (metric == METRIC_GARBAGE && snapshot->account)
        return snapshot->account->garbage_bytes;
    if (metric == METRIC_TRIM && snapshot->account)
        return snapshot->account->trim_bytes;
    return reading_unknown();
}

static struct reading growth_of_res(const struct history *history)
{
    struct trend trend;

    if (!growth_trend(history_series_growth(history), 1 + SERIES_RES, GROWTH_WINDOW_NS,
                      &trend) ||
        trend.points < GROWTH_LEAST)
        return reading_unknown();
    return reading_exact(trend.is_claimed ? (int64_t)trend.bytes_per_minute : 0);
}

static struct reading measure(const struct condition *condition,
                              const struct history *history)
{
    const struct snapshot *latest = history_latest(history);
    enum metric metric = (enum metric)condition->metric;

    if (!latest)
        return reading_unknown();
    if (takes_kind(condition->metric))
        return of_kind(latest->objects, condition->kind, metric == METRIC_SIZE);
    if (metric == METRIC_GROWTH)
        return growth_of_res(history);
    if (metric <= METRIC_THREADS)
        return of_process(latest->process, metric);
    return of_python(latest, metric);
}

bool condition_is_met(const struct condition *condition, const struct history *history,
                      struct reading *value)
{
    *value = measure(condition, history);
    if (!reading_is_known(*value))
        return false;
    switch (condition->comparison) {
    case COMPARE_GREATER:
        return value->value > condition->value;
    case COMPARE_AT_LEAST:
        return value->value >= condition->value;
    case COMPARE_LESS:
        return value->value < condition->value;
    case COMPARE_AT_MOST:
        return value->value <= condition->value;
    }
    return false;
}

void condition_words(const struct condition *condition, struct reading value, char *text,
                     size_t size)
{
    char number[UNITS_MAX];

    if (metrics[condition->metric].is_bytes)
        units_bytes(number, value);
    else
        units_count(number, value);
    snprintf(text, size, "%s%s is %s%s", metrics[condition->metric].name, condition->kind,
             number, condition->metric == METRIC_GROWTH ? "/min" : "");
}
