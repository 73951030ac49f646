/*
 * Preloaded into a program that heaptop started. Every program on the way to Python
 * (a shell, env, a pyenv shim) is left as it is and hands the object on; the first
 * process that is Python takes it out of its environment, closes the descriptors, so
 * that its children have nothing of it, and starts the agent's thread.
 */
#include <asm/unistd.h>
#include <linux/mman.h>

#include "agent/loader_private.h"

#define VARIABLE "LD_PRELOAD="

static const char *const names[] = {
#define AGENT_FUNCTION(need, result, name, arguments) #name,
#include "agent/python.def"
#undef AGENT_FUNCTION
};

static const bool needs[] = {
#define AGENT_FUNCTION(need, result, name, arguments) need,
#include "agent/python.def"
#undef AGENT_FUNCTION
};

/* What follows `begin` in the text, or NULL. */
static char *after(char *text, const char *begin)
{
    while (*begin && *text == *begin) {
        text++;
        begin++;
    }
    return *begin ? NULL : text;
}

/* The entry of the environment that begins with our path, and the path's number. */
static char **find_variable(int *number, char **rest)
{
    for (char **entry = environ; entry && *entry; entry++) {
        char *at = after(*entry, VARIABLE);

        at = at ? after(at, LOADER_PATH) : NULL;
        if (!at || *at < '0' || *at > '9')
            continue;
        for (*number = 0; *at >= '0' && *at <= '9' && *number < 1000000; at++)
            *number = *number * 10 + (*at - '0');
        *rest = *at == ':' || *at == ' ' ? at + 1 : at;
        return entry;
    }
    return NULL;
}

/* What the user preloads besides stays. */
static void drop_variable(char **entry, const char *rest)
{
    char *to = *entry + sizeof(VARIABLE) - 1;

    if (*rest) {
        while ((*to++ = *rest++))
            ;
        return;
    }
    for (; *entry; entry++)
        entry[0] = entry[1];
}

static bool is_in_library_of(const void *allocate, const void *function)
{
    struct place_of_symbol of_malloc, of_function;

    return function && dladdr(allocate, &of_malloc) && dladdr(function, &of_function) &&
           of_malloc.base == of_function.base;
}

static void find_allocator(struct agent_place *place)
{
    static const char *const functions[] = {
#define AGENT_ALLOCATOR(name) #name,
#include "agent/allocator.def"
#undef AGENT_ALLOCATOR
    };
    const void *allocate = dlsym(LOADER_HERE, "malloc");
    bool is_glibc =
        allocate && dladdr &&
        is_in_library_of(allocate, dlsym(LOADER_HERE, "gnu_get_libc_version"));

    for (int i = 0; allocate && dladdr && i < AGENT_ALLOCATOR_COUNT; i++) {
        const void *function = dlsym(LOADER_HERE, functions[i]);

        if ((is_glibc || i == AGENT_ALLOCATOR_mallctl) &&
            is_in_library_of(allocate, function))
            place->allocator[i] = (uint64_t)(uintptr_t)function;
    }
}

static bool find_python(struct agent_place *place)
{
    for (int i = 0; i < AGENT_PYTHON_COUNT; i++) {
        place->python[i] = (uint64_t)(uintptr_t)dlsym(LOADER_HERE, names[i]);
        if (!place->python[i] && needs[i])
            return false;
    }
    place->unmap = (uint64_t)(uintptr_t)dlsym(LOADER_HERE, "munmap");
    place->clock_gettime = (uint64_t)(uintptr_t)dlsym(LOADER_HERE, "clock_gettime");
    find_allocator(place);
    return place->unmap && (place->python[AGENT_PYTHON_Py_IsFinalizing] ||
                            place->python[AGENT_PYTHON__Py_IsFinalizing]);
}

static uint64_t page_bytes(void)
{
    return (sizeof(struct agent_page) + 4095) & ~UINT64_C(4095);
}

/* heaptop's page, if nobody else has taken it. */
static struct agent_page *take_page(int fd)
{
    long address = agent_system_call(__NR_mmap, 0, (long)page_bytes(),
                                     PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    uint32_t self = (uint32_t)agent_system_call(__NR_getpid, 0, 0, 0, 0, 0, 0);
    struct agent_page *page = (struct agent_page *)address;
    uint32_t nobody = 0;

    if (address < 0 && address > -4096)
        return NULL;
    agent_system_call(__NR_madvise, address, (long)page_bytes(), MADV_DONTFORK, 0, 0, 0);
    if (page->magic == LOADER_PAGE_MAGIC && page->version == AGENT_PROTOCOL_VERSION &&
        __atomic_compare_exchange_n(&page->launched_pid, &nobody, self, false,
                                    __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return page;
    agent_system_call(__NR_munmap, address, (long)page_bytes(), 0, 0, 0, 0);
    return NULL;
}

static void begin(int argc) __attribute__((constructor));
static void begin(int argc)
{
    struct agent_place place = {.image = 0};
    struct agent_page *page;
    char **entry, *rest;
    int number;

    (void)argc;
    if (!&environ || !dlsym || !(entry = find_variable(&number, &rest)) ||
        !find_python(&place))
        return;
    drop_variable(entry, rest);
    page = take_page(number + 1);
    agent_system_call(__NR_close, number, 0, 0, 0, 0, 0);
    agent_system_call(__NR_close, number + 1, 0, 0, 0, 0, 0);
    if (!page)
        return;
    place.page = (uint64_t)(uintptr_t)page;
    if (loader_load(&place) < 0)
        __atomic_store_n(&page->life, AGENT_LIFE_GONE, __ATOMIC_RELEASE);
}
