#include "model/gc_debug.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* Modules/gcmodule.c, _PyGC_DEBUG_* (3.8 - 3.15). */
static const struct {
    int64_t flag;
    const char *name;
} flags_known[] = {
    {1, "DEBUG_STATS"},
    {2, "DEBUG_COLLECTABLE"},
    {4, "DEBUG_UNCOLLECTABLE"},
    {GC_DEBUG_SAVEALL, "DEBUG_SAVEALL"},
};

static void add(char text[GC_DEBUG_NAMES_MAX], const char *name)
{
    size_t used = strlen(text);

    snprintf(text + used, GC_DEBUG_NAMES_MAX - used, "%s%s", used ? " | " : "", name);
}

const char *gc_debug_names(char text[GC_DEBUG_NAMES_MAX], struct reading flags)
{
    int64_t left = flags.value;
    char number[24];

    text[0] = '\0';
    if (!reading_is_known(flags) || !left)
        add(text, reading_is_known(flags) ? "none" : "-");
    for (size_t i = 0; i < sizeof(flags_known) / sizeof(flags_known[0]); i++) {
        if (!(left & flags_known[i].flag))
            continue;
        add(text, flags_known[i].name);
        left &= ~flags_known[i].flag;
    }
    if (left) {
        snprintf(number, sizeof(number), "%lld", (long long)left);
        add(text, number);
    }
    return text;
}
