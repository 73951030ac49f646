#include "heaptop/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int err_set(struct err *err, enum err_code code, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(err->text, sizeof(err->text), format, arguments);
    va_end(arguments);
    err->code = code;
    err->remedy[0] = '\0';
    return -1;
}

int err_set_errno(struct err *err, enum err_code code, int error_number,
                  const char *format, ...)
{
    va_list arguments;
    char words[128];
    size_t used;

    va_start(arguments, format);
    vsnprintf(err->text, sizeof(err->text), format, arguments);
    va_end(arguments);
    used = strlen(err->text);
    snprintf(err->text + used, sizeof(err->text) - used, ": %s",
             strerror_r(error_number, words, sizeof(words)));
    err->code = code;
    err->remedy[0] = '\0';
    return -1;
}

int err_remedy(struct err *err, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(err->remedy, sizeof(err->remedy), format, arguments);
    va_end(arguments);
    return -1;
}

int err_prefix(struct err *err, const char *format, ...)
{
    char old[sizeof(err->text)];
    va_list arguments;
    size_t used;

    memcpy(old, err->text, sizeof(old));
    va_start(arguments, format);
    vsnprintf(err->text, sizeof(err->text), format, arguments);
    va_end(arguments);
    used = strlen(err->text);
    snprintf(err->text + used, sizeof(err->text) - used, ": %s", old);
    return -1;
}
