/*
 * loader_private.h - inside the loader: loader.c puts the agent into place,
 * loader_launch.c and loader_remote.c are the two ways to get there.
 *
 * Loaded by any C library into any program, so whatever it wants from outside is a
 * weak symbol without version, and it does nothing where one is missing.
 */
#ifndef HEAPTOP_AGENT_LOADER_PRIVATE_H
#define HEAPTOP_AGENT_LOADER_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/loader.h"

#define LOADER_HERE ((void *)0) /* RTLD_DEFAULT */

extern struct loader_cargo loader_cargo;

extern char **environ __attribute__((weak));
struct place_of_symbol { /* Dl_info, dlfcn.h */
    const char *path;
    void *base;
    const char *symbol;
    void *address;
};

extern void *dlsym(void *handle, const char *name) __attribute__((weak));
extern int dladdr(const void *address, struct place_of_symbol *place)
    __attribute__((weak));

/* arch_*.c */
long agent_system_call(long number, long a, long b, long c, long d, long e, long f);

/* Maps region and image and starts the agent's thread. `place` has what only the
 * caller knows. The region's address, or a negative errno. */
int64_t loader_load(const struct agent_place *place);

#endif
