#include "sink/exposition.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include "util/clock.h"
#include "util/utf8.h"

enum metric_type {
    GAUGE = 0,
    COUNTER,
    INFO,
};

struct family {
    enum metric_type type;
    const char *name, *unit, *help;
};

static const struct family families[METRICS] = {
#define METRIC(id, type, name, unit, help) [METRIC_##id] = {type, name, unit, help},
#include "sink/metrics.def"
#undef METRIC
};

static const char *const suffixes[] = {
    [GAUGE] = "", [COUNTER] = "_total", [INFO] = "_info"};

void exposition_reset(struct exposition *exposition)
{
    for (size_t i = 0; i < METRICS; i++)
        strbuf_reset(&exposition->samples[i]);
}

void exposition_release(struct exposition *exposition)
{
    for (size_t i = 0; i < METRICS; i++)
        strbuf_release(&exposition->samples[i]);
}

/* Thirds of a second have no end in decimals, nanoseconds do. */
static void add_seconds(struct strbuf *out, int64_t ns)
{
    int64_t seconds = ns / NS_PER_S, rest = ns % NS_PER_S;

    strbuf_addf(out, "%s%" PRId64, ns < 0 ? "-" : "", seconds < 0 ? -seconds : seconds);
    if (!rest)
        return;
    strbuf_addf(out, ".%09" PRId64, rest < 0 ? -rest : rest);
    while (out->text[out->length - 1] == '0')
        out->text[--out->length] = '\0';
}

/* Clean text has no line break; what else both formats want escaped is here. */
static void add_label(struct strbuf *out, const char *name, const char *value)
{
    struct strbuf clean = STRBUF_INIT;
    const char *text;

    utf8_clean(&clean, value, strlen(value));
    strbuf_addf(out, "%s=\"", name);
    for (text = strbuf_text(&clean); *text; text++) {
        if (*text == '"' || *text == '\\')
            strbuf_add_char(out, '\\');
        strbuf_add_char(out, *text);
    }
    strbuf_add_char(out, '"');
    strbuf_release(&clean);
}

void exposition_add(struct exposition *exposition, enum metric_id id,
                    struct reading reading, ...)
{
    const struct family *family = &families[id];
    struct strbuf *out = &exposition->samples[id];
    const char *name;
    va_list labels;

    if (!reading_is_known(reading))
        return;
    strbuf_addf(out, "heaptop_%s%s", family->name, suffixes[family->type]);
    strbuf_add_char(out, '{');
    add_label(out, "target", exposition->target);
    if (*exposition->process) {
        strbuf_add_char(out, ',');
        add_label(out, "process", exposition->process);
    }
    if (*exposition->parent) {
        strbuf_add_char(out, ',');
        add_label(out, "parent", exposition->parent);
    }
    if (*exposition->pid) {
        strbuf_add_char(out, ',');
        add_label(out, "pid", exposition->pid);
    }
    va_start(labels, reading);
    while ((name = va_arg(labels, const char *))) {
        strbuf_add_char(out, ',');
        add_label(out, name, va_arg(labels, const char *));
    }
    va_end(labels);
    strbuf_add_text(out, "} ");
    if (!strcmp(family->unit, "seconds"))
        add_seconds(out, reading.value);
    else
        strbuf_addf(out, "%" PRId64, reading.value);
    if (exposition->wall_ns) {
        strbuf_add_char(out, ' ');
        add_seconds(out, exposition->wall_ns / NS_PER_MS * NS_PER_MS);
    }
    strbuf_add_char(out, '\n');
}

/* OpenMetrics names the family, the older format each of its series. */
static void print_head(FILE *out, const struct family *family,
                       enum exposition_format format)
{
    static const char *const types[] = {
        [GAUGE] = "gauge", [COUNTER] = "counter", [INFO] = "info"};
    bool is_open = format == EXPOSITION_OPENMETRICS;
    const char *suffix = is_open ? "" : suffixes[family->type];
    const char *type = family->type == INFO && !is_open ? "gauge" : types[family->type];

    fprintf(out, "# TYPE heaptop_%s%s %s\n", family->name, suffix, type);
    if (is_open && *family->unit)
        fprintf(out, "# UNIT heaptop_%s %s\n", family->name, family->unit);
    fprintf(out, "# HELP heaptop_%s%s %s.\n", family->name, suffix, family->help);
}

int exposition_print(const struct exposition *exposition, enum exposition_format format,
                     FILE *out)
{
    int result = 0;

    for (size_t i = 0; i < METRICS; i++) {
        const struct strbuf *samples = &exposition->samples[i];

        if (!samples->length)
            continue;
        print_head(out, &families[i], format);
        fwrite(samples->text, 1, samples->length, out);
        if (samples->cut)
            result = -1;
    }
    if (format == EXPOSITION_OPENMETRICS)
        fputs("# EOF\n", out);
    return result;
}

const char *exposition_content_type(enum exposition_format format)
{
    return format == EXPOSITION_OPENMETRICS
               ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
               : "text/plain; version=0.0.4; charset=utf-8";
}
