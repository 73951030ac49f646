#include "util/window.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

struct kept_window {
    uint8_t *bytes; /* NULL: none */
    size_t size;
};

static struct kept_window kept[WINDOWS_KEPT];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Not of malloc, which would keep it for itself: from the second time on it takes such
 * memory from the midst of its heap. A sanitizer sees the end of malloc's only. */
#ifdef __SANITIZE_ADDRESS__
static uint8_t *window_map(size_t bytes)
{
    return malloc(bytes);
}

static void window_unmap(uint8_t *window, size_t bytes)
{
    (void)bytes;
    free(window);
}
#else
static uint8_t *window_map(size_t bytes)
{
    uint8_t *window =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return window != MAP_FAILED ? window : NULL;
}

static void window_unmap(uint8_t *window, size_t bytes)
{
    munmap(window, bytes);
}
#endif

uint8_t *window_take(size_t bytes)
{
    uint8_t *window = NULL;

    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < WINDOWS_KEPT && !window; i++) {
        if (!kept[i].bytes || kept[i].size != bytes)
            continue;
        window = kept[i].bytes;
        kept[i].bytes = NULL;
    }
    pthread_mutex_unlock(&lock);
    return window ? window : window_map(bytes);
}

void window_give(uint8_t *window, size_t bytes)
{
    if (!window)
        return;
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < WINDOWS_KEPT && window; i++) {
        if (kept[i].bytes)
            continue;
        kept[i] = (struct kept_window){window, bytes};
        window = NULL;
    }
    pthread_mutex_unlock(&lock);
    if (window)
        window_unmap(window, bytes);
}

size_t windows_kept(void)
{
    size_t count = 0;

    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < WINDOWS_KEPT; i++)
        count += kept[i].bytes != NULL;
    pthread_mutex_unlock(&lock);
    return count;
}
