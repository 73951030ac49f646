#include "recording/when.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "util/clock.h"

#define DAY_NS (86400 * NS_PER_S)

static const struct {
    const char *name;
    int64_t seconds;
} units[] = {
    {"s", 1},       {"sec", 1},      {"m", 60},       {"min", 60},    {"h", 3600},
    {"hour", 3600}, {"hours", 3600}, {"d", 86400},    {"day", 86400}, {"days", 86400},
    {"seconds", 1}, {"second", 1},   {"minutes", 60}, {"minute", 60}, {"", 1},
};

/* "5m ago", "2 h ago", "-90s". */
static bool parse_ago(const char *text, int64_t last_ns, int64_t *wall_ns)
{
    bool has_sign = *text == '-';
    char unit[16] = "", ago[8] = "", *end;
    double number = strtod(text + has_sign, &end);

    if (end == text + has_sign || !isfinite(number) || number < 0 || number > 1e9)
        return false;
    sscanf(end, " %15[a-z] %7s", unit, ago);
    if (!has_sign && strcmp(ago, "ago") != 0)
        return false;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(unit, units[i].name) != 0)
            continue;
        *wall_ns = last_ns - (int64_t)(number * (double)(units[i].seconds * NS_PER_S));
        return true;
    }
    return false;
}

/* hh:mm or hh:mm:ss, and what follows. A minute without seconds is its last moment for
 * an end and its first for a begin: the caller adds that. */
static bool parse_clock(const char *text, struct tm *tm, const char **rest)
{
    int used = 0, more = 0;

    tm->tm_sec = 0;
    if (sscanf(text, "%2d:%2d%n", &tm->tm_hour, &tm->tm_min, &used) != 2)
        return false;
    if (text[used] == ':') {
        if (sscanf(text + used, ":%2d%n", &tm->tm_sec, &more) != 1)
            return false;
        used += more;
    }
    *rest = text + used;
    return tm->tm_hour < 24 && tm->tm_min < 60 && tm->tm_sec < 61 && tm->tm_hour >= 0 &&
           tm->tm_min >= 0 && tm->tm_sec >= 0;
}

static bool parse_date(const char *text, int64_t *wall_ns)
{
    struct tm tm = {.tm_isdst = -1};
    const char *rest;
    int used = 0;

    if (sscanf(text, "%4d-%2d-%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &used) != 3)
        return false;
    tm.tm_year -= 1900;
    tm.tm_mon--;
    rest = text + used;
    if ((*rest == 'T' || *rest == ' ') && !parse_clock(rest + 1, &tm, &rest))
        return false;
    if (*rest == '.')
        rest += 1 + strspn(rest + 1, "0123456789");
    if (strcmp(rest, "Z") == 0)
        *wall_ns = (int64_t)timegm(&tm) * NS_PER_S;
    else if (*rest == '\0')
        *wall_ns = (int64_t)mktime(&tm) * NS_PER_S;
    else
        return false;
    return true;
}

static bool parse_time_of_day(const char *text, int64_t first_ns, int64_t last_ns,
                              int64_t *wall_ns)
{
    time_t first_s = (time_t)(first_ns / NS_PER_S);
    struct tm tm, clock;
    const char *rest;

    if (!parse_clock(text, &clock, &rest) || *rest || !localtime_r(&first_s, &tm))
        return false;
    tm.tm_hour = clock.tm_hour;
    tm.tm_min = clock.tm_min;
    tm.tm_sec = clock.tm_sec;
    tm.tm_isdst = -1;
    *wall_ns = (int64_t)mktime(&tm) * NS_PER_S;
    if (*wall_ns + 60 * NS_PER_S < first_ns && *wall_ns + DAY_NS <= last_ns)
        *wall_ns += DAY_NS;
    return true;
}

bool when_parse(const char *text, int64_t first_ns, int64_t last_ns, int64_t *wall_ns)
{
    return parse_date(text, wall_ns) ||
           parse_time_of_day(text, first_ns, last_ns, wall_ns) ||
           parse_ago(text, last_ns, wall_ns);
}

static int no_time(struct err *err, const char *option, const char *text)
{
    err_set(err, ERR_USAGE, "--%s takes a time, not \"%.60s\"", option, text);
    return err_remedy(err, "as 14:02, 14:02:31, 2026-11-21T14:02, or \"2 h ago\"");
}

int when_range(const struct recording *recording, const char *begin, const char *end,
               size_t *first, size_t *last, struct err *err)
{
    size_t count = recording_count(recording);
    int64_t first_ns = recording_wall_ns(recording, 0), wall_ns;
    int64_t last_ns = recording_wall_ns(recording, count - 1);

    *first = 0;
    *last = count - 1;
    if (begin) {
        if (!when_parse(begin, first_ns, last_ns, &wall_ns))
            return no_time(err, "begin", begin);
        *first = recording_at_time(recording, wall_ns - 1);
        *first += recording_wall_ns(recording, *first) < wall_ns && *first + 1 < count;
    }
    if (end) {
        if (!when_parse(end, first_ns, last_ns, &wall_ns))
            return no_time(err, "end", end);
        *last = recording_at_time(recording, wall_ns);
    }
    if (*last >= *first)
        return 0;
    err_set(err, ERR_USAGE, "the recording has no sample between these times");
    return err_remedy(err, "heaptop -r FILE -o json shows the times of all samples");
}
