/* Loaded into the target before it begins (LD_PRELOAD): which blocks of the object
 * allocator are in use, by the calls themselves.
 *
 *     long allocated_end(const char *path)  no call is noted any more; writes for each
 * block in use {address, size, its first six words, 0 behind its end} to a file: how
 * many, or -1
 *
 * The allocators are those of before when it has ended, and its table is given back, so
 * heaptop finds an ordinary process. The lock of the interpreter protects the table; a
 * child has its own copy. Nothing here knows heaptop. */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define SLOTS   ((uint64_t)1 << 23)
#define OBJECTS 2 /* PYMEM_DOMAIN_OBJ */

struct allocator { /* Include/cpython/pymem.h PyMemAllocatorEx */
    void *context;
    void *(*malloc)(void *context, size_t size);
    void *(*calloc)(void *context, size_t count, size_t size);
    void *(*realloc)(void *context, void *block, size_t size);
    void (*free)(void *context, void *block);
};

struct slot {
    uint64_t address, size; /* address 0: none */
};

#pragma weak PyMem_GetAllocator
#pragma weak PyMem_SetAllocator
void PyMem_GetAllocator(int domain, struct allocator *allocator);
void PyMem_SetAllocator(int domain, struct allocator *allocator);

static struct allocator before;
static struct slot *slots;
static uint64_t n_used, n_missed;

static uint64_t home_of(uint64_t address)
{
    return address / 16 * UINT64_C(0x9e3779b97f4a7c15) >> 41;
}

static void *note(void *block, size_t size)
{
    if (block && n_used >= SLOTS / 4 * 3) {
        n_missed++;
    } else if (block) {
        uint64_t at = home_of((uintptr_t)block);
        while (slots[at].address && slots[at].address != (uintptr_t)block) {
            at = (at + 1) % SLOTS;
        }
        n_used += !slots[at].address;
        slots[at] = (struct slot){(uintptr_t)block, size};
    }
    return block;
}

/* Those behind it that would be found no longer move up. */
static void forget(void *block)
{
    uint64_t at = home_of((uintptr_t)block);
    while (slots[at].address && slots[at].address != (uintptr_t)block) {
        at = (at + 1) % SLOTS;
    }
    if (!slots[at].address) {
        return;
    }
    n_used--;
    for (uint64_t next = (at + 1) % SLOTS; slots[next].address;
         next = (next + 1) % SLOTS) {
        if ((next - home_of(slots[next].address)) % SLOTS >= (next - at) % SLOTS) {
            slots[at] = slots[next];
            at = next;
        }
    }
    slots[at].address = 0;
}

static void *noted_malloc(void *context, size_t size)
{
    return note(before.malloc(context, size), size);
}

static void *noted_calloc(void *context, size_t count, size_t size)
{
    return note(before.calloc(context, count, size), count * size);
}

static void *noted_realloc(void *context, void *block, size_t size)
{
    void *moved = before.realloc(context, block, size);
    if (moved && block) {
        forget(block);
    }
    return note(moved, size);
}

static void noted_free(void *context, void *block)
{
    forget(block);
    before.free(context, block);
}

static __attribute__((constructor)) void allocated_begin(void)
{
    unsetenv("LD_PRELOAD");
    if (!PyMem_SetAllocator) {
        return; /* chroot, which starts the interpreter */
    }
    slots = mmap(NULL, SLOTS * sizeof(*slots), PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (slots == MAP_FAILED) {
        abort();
    }
    PyMem_GetAllocator(OBJECTS, &before);
    PyMem_SetAllocator(OBJECTS,
                       &(struct allocator){before.context, noted_malloc, noted_calloc,
                                           noted_realloc, noted_free});
}

static int is_row_written(const struct slot *slot, FILE *file)
{
    uint64_t row[8] = {slot->address, slot->size};
    size_t copied = slot->size < 48 ? slot->size : 48;
    memcpy(row + 2, (const void *)(uintptr_t)slot->address, copied);
    return fwrite(row, sizeof(row), 1, file) == 1;
}

long allocated_end(const char *path)
{
    PyMem_SetAllocator(OBJECTS, &before);
    FILE *file = n_missed ? NULL : fopen(path, "wb");
    int is_written = file != NULL;
    for (uint64_t at = 0; is_written && at < SLOTS; at++) {
        is_written = !slots[at].address || is_row_written(&slots[at], file);
    }
    if (file && fclose(file) != 0) {
        is_written = 0;
    }
    munmap(slots, SLOTS * sizeof(*slots));
    return is_written ? (long)n_used : -1;
}
