#include "util/xalloc.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE_BYTES  ((size_t)4096)
#define LARGE_BYTES ((size_t)2 << 20)

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

/* What lies before and behind is given back. */
void *xmap_large(size_t size)
{
    size_t bytes = (size + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES, before;
    uint8_t *place = mmap(NULL, bytes + LARGE_BYTES, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (place == MAP_FAILED)
        out_of_memory();
    before = (size_t)(-(uintptr_t)place % LARGE_BYTES);
    if (before)
        munmap(place, before);
    munmap(place + before + bytes, LARGE_BYTES - before);
    madvise(place + before, bytes, MADV_HUGEPAGE);
    return place + before;
}
