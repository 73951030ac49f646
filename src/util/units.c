#include "heaptop/units.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "util/clock.h"

/* Writes the number's certainty around it: "-", "~12", "12?". */
static char *units_finish(char buffer[UNITS_MAX], struct reading reading,
                          const char *number)
{
    const char *before = reading.state == READING_ESTIMATE ? "~" : "";
    const char *after = reading.state == READING_TORN ? "?" : "";

    if (!reading_is_known(reading))
        snprintf(buffer, UNITS_MAX, "-");
    else
        snprintf(buffer, UNITS_MAX, "%s%.28s%s", before, number, after);
    return buffer;
}

static uint64_t units_magnitude(int64_t value)
{
    return value < 0 ? -(uint64_t)value : (uint64_t)value;
}

static void units_bytes_text(char text[UNITS_MAX], const char *sign, uint64_t bytes)
{
    static const char letters[] = "KMGTPE";
    double scaled = (double)bytes;
    int letter = -1;

    if (bytes < 1024) {
        snprintf(text, UNITS_MAX, "%s%u", sign, (unsigned)bytes);
        return;
    }
    do {
        scaled /= 1024;
        letter++;
    } while (scaled >= 1023.95 && letter < 5);
    snprintf(text, UNITS_MAX, scaled < 9.995 && letter > 1 ? "%s%.2f%c" : "%s%.1f%c",
             sign, scaled, letters[letter]);
}

static const char *units_sign(int64_t value, int is_delta)
{
    return value < 0 ? "-" : is_delta ? "+" : "";
}

char *units_bytes(char buffer[UNITS_MAX], struct reading bytes)
{
    char text[UNITS_MAX];

    units_bytes_text(text, units_sign(bytes.value, 0), units_magnitude(bytes.value));
    return units_finish(buffer, bytes, text);
}

char *units_bytes_delta(char buffer[UNITS_MAX], struct reading bytes)
{
    char text[UNITS_MAX];

    units_bytes_text(text, units_sign(bytes.value, 1), units_magnitude(bytes.value));
    return units_finish(buffer, bytes, text);
}

static void units_count_text(char text[UNITS_MAX], const char *sign, uint64_t count)
{
    char digits[UNITS_MAX];
    int length = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)count);
    size_t used = strlen(sign);

    memcpy(text, sign, used);
    for (int i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0)
            text[used++] = ',';
        text[used++] = digits[i];
    }
    text[used] = '\0';
}

char *units_count(char buffer[UNITS_MAX], struct reading count)
{
    char text[UNITS_MAX];

    units_count_text(text, units_sign(count.value, 0), units_magnitude(count.value));
    return units_finish(buffer, count, text);
}

char *units_count_delta(char buffer[UNITS_MAX], struct reading count)
{
    char text[UNITS_MAX];

    units_count_text(text, units_sign(count.value, 1), units_magnitude(count.value));
    return units_finish(buffer, count, text);
}

/* Slow growth is the kind that hides: below ten there are decimals. */
static char *units_slow_rate(char buffer[UNITS_MAX], struct reading milli)
{
    double magnitude = (double)units_magnitude(milli.value) / 1000;
    char text[UNITS_MAX];

    snprintf(text, sizeof(text), "%s%.*f", units_sign(milli.value, 1),
             milli.value == 0     ? 0
             : magnitude < 0.0995 ? 3
                                  : 1,
             magnitude);
    return units_finish(buffer, milli, text);
}

static struct reading units_whole(struct reading milli)
{
    milli.value = (milli.value + (milli.value < 0 ? -500 : 500)) / 1000;
    return milli;
}

char *units_count_rate(char buffer[UNITS_MAX], struct reading milli)
{
    if (units_magnitude(milli.value) < 9950)
        return units_slow_rate(buffer, milli);
    return units_count_delta(buffer, units_whole(milli));
}

char *units_bytes_rate(char buffer[UNITS_MAX], struct reading milli_bytes)
{
    if (units_magnitude(milli_bytes.value) < 9950)
        return units_slow_rate(buffer, milli_bytes);
    return units_bytes_delta(buffer, units_whole(milli_bytes));
}

static void units_long_duration(char text[UNITS_MAX], int64_t seconds)
{
    if (seconds < 100)
        snprintf(text, UNITS_MAX, "%ds", (int)seconds);
    else if (seconds < 3600)
        snprintf(text, UNITS_MAX, "%dm%02ds", (int)(seconds / 60), (int)(seconds % 60));
    else if (seconds < 86400)
        snprintf(text, UNITS_MAX, "%dh%02dm", (int)(seconds / 3600),
                 (int)(seconds / 60 % 60));
    else
        snprintf(text, UNITS_MAX, "%lldd%02dh", (long long)(seconds / 86400),
                 (int)(seconds / 3600 % 24));
}

char *units_duration(char buffer[UNITS_MAX], struct reading duration_ns)
{
    double us = (double)duration_ns.value / 1e3;
    char text[UNITS_MAX];

    if (duration_ns.value < 0)
        return units_finish(buffer, reading_unknown(), "");
    if (us < 999.5)
        snprintf(text, sizeof(text), us < 9.95 ? "%.1fus" : "%.0fus", us);
    else if (us < 99.95e3)
        snprintf(text, sizeof(text), us < 9.95e3 ? "%.1fms" : "%.0fms", us / 1e3);
    else if (us < 9.995e6)
        snprintf(text, sizeof(text), us < 0.9995e6 ? "%.2fs" : "%.1fs", us / 1e6);
    else
        units_long_duration(text, (duration_ns.value + NS_PER_S / 2) / NS_PER_S);
    return units_finish(buffer, duration_ns, text);
}

char *units_percent(char buffer[UNITS_MAX], struct reading milli_percent)
{
    char text[UNITS_MAX];

    snprintf(text, sizeof(text), "%.1f", (double)milli_percent.value / 1000);
    return units_finish(buffer, milli_percent, text);
}

char *units_clock(char buffer[UNITS_MAX], int64_t wall_ns)
{
    time_t seconds = (time_t)(wall_ns / NS_PER_S);
    struct tm parts;

    if (!localtime_r(&seconds, &parts) ||
        !strftime(buffer, UNITS_MAX, "%H:%M:%S", &parts))
        snprintf(buffer, UNITS_MAX, "-");
    return buffer;
}

char *units_iso8601(char buffer[UNITS_MAX], int64_t wall_ns)
{
    time_t seconds = (time_t)(wall_ns / NS_PER_S);
    int milliseconds = (int)(wall_ns % NS_PER_S / NS_PER_MS);
    struct tm parts;
    size_t used;

    used = gmtime_r(&seconds, &parts)
               ? strftime(buffer, UNITS_MAX, "%Y-%m-%dT%H:%M:%S", &parts)
               : 0;
    snprintf(buffer + used, UNITS_MAX - used, ".%03dZ", milliseconds);
    return buffer;
}
