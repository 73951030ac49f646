#include "util/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

static atomic_int log_descriptor = -1;

void log_open(int descriptor)
{
    atomic_store(&log_descriptor, descriptor);
}

void log_line(const char *format, ...)
{
    int descriptor = atomic_load(&log_descriptor);
    char line[1024];
    va_list arguments;
    int length;

    if (descriptor < 0)
        return;
    va_start(arguments, format);
    length = vsnprintf(line, sizeof(line) - 1, format, arguments);
    va_end(arguments);
    if (length < 0)
        return;
    if ((size_t)length > sizeof(line) - 2)
        length = (int)sizeof(line) - 2;
    line[length++] = '\n';
    if (write(descriptor, line, (size_t)length) < 0)
        atomic_store(&log_descriptor, -1);
}
