#include "util/xalloc.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

_Noreturn static void out_of_memory(void)
{
    static const char words[] = "heaptop: out of memory\n";

    if (write(STDERR_FILENO, words, sizeof(words) - 1) < 0)
        abort();
    abort(); /* not exit(): the terminal is restored by the ABRT handler */
}

void *xcalloc(size_t count, size_t size)
{
    void *memory = calloc(count ? count : 1, size ? size : 1);

    if (!memory)
        out_of_memory();
    return memory;
}

void *xreallocarray(void *old, size_t count, size_t size)
{
    void *memory = reallocarray(old, count ? count : 1, size ? size : 1);

    if (!memory)
        out_of_memory();
    return memory;
}

char *xstrdup(const char *text)
{
    size_t size = strlen(text) + 1;

    return memcpy(xcalloc(size, 1), text, size);
}
