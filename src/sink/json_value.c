#include "sink/json_value.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "heaptop/units.h"
#include "util/clock.h"
#include "util/utf8.h"

void json_add(json_t *object, const char *name, json_t *value)
{
    json_object_set_new(object, name, value);
}

void json_add_count(json_t *object, const char *name, uint64_t number)
{
    uint64_t most = LLONG_MAX;

    json_add(object, name, json_integer((json_int_t)(number < most ? number : most)));
}

void json_add_reading(json_t *object, const char *name, struct reading reading)
{
    json_add(object, name,
             reading_is_known(reading) ? json_integer(reading.value) : json_null());
}

void json_add_seconds(json_t *object, const char *name, struct reading ns)
{
    json_add(object, name,
             reading_is_known(ns) ? json_real((double)ns.value / (double)NS_PER_S)
                                  : json_null());
}

void json_add_text(json_t *object, const char *name, const char *text)
{
    struct strbuf clean = STRBUF_INIT;
    json_t *value;

    if (!text || !*text) {
        json_add(object, name, json_null());
        return;
    }
    value = json_string(text);
    if (!value) { /* not UTF-8: a text that was cut, or one that escaped cleaning */
        utf8_clean(&clean, text, strlen(text));
        value = json_string(strbuf_text(&clean));
        strbuf_release(&clean);
    }
    json_add(object, name, value);
}

void json_add_time(json_t *object, const char *name, int64_t wall_ns)
{
    char text[UNITS_MAX];

    json_add_text(object, name, wall_ns ? units_iso8601(text, wall_ns) : NULL);
}

int json_write_line(FILE *out, json_t *object, struct err *err)
{
    int result;

    errno = ENOMEM;
    result = json_dumpf(object, out, JSON_COMPACT | JSON_REAL_PRECISION(15));
    json_decref(object);
    if (result || fputc('\n', out) == EOF || fflush(out))
        return err_set_errno(err, ERR_FAILED, errno, "cannot write JSON");
    return 0;
}
