#include "publish/accept.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* From the end of a media range on: "; version=1.0.0; q=0.5". 1 when there is no q. */
static double weight_of(const char *parameters, size_t length)
{
    for (size_t at = 0; at < length; at++) {
        size_t rest;

        if (parameters[at] != ';')
            continue;
        at += 1 + strspn(parameters + at + 1, " \t");
        rest = length > at ? length - at : 0;
        if (rest > 2 && !strncasecmp(parameters + at, "q=", 2)) {
            double weight = strtod(parameters + at + 2, NULL);

            return weight >= 0 && weight <= 1 ? weight : 0;
        }
        at--;
    }
    return 1;
}

static bool is_range(const char *range, size_t length, const char *name)
{
    return length == strlen(name) && !strncasecmp(range, name, length);
}

enum exposition_format accept_format(const char *accept)
{
    double open = 0, text = 0;

    for (size_t length; accept && *accept; accept += length + (accept[length] == ',')) {
        size_t name;
        double weight;

        accept += strspn(accept, " \t");
        length = strcspn(accept, ",");
        name = strcspn(accept, ";, \t");
        weight = weight_of(accept + name, length - name);
        if (is_range(accept, name, "application/openmetrics-text"))
            open = weight > open ? weight : open;
        else if (is_range(accept, name, "text/plain") ||
                 is_range(accept, name, "text/*") || is_range(accept, name, "*/*"))
            text = weight > text ? weight : text;
    }
    return open > 0 && open >= text ? EXPOSITION_OPENMETRICS : EXPOSITION_TEXT;
}
