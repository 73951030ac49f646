/*
 * Imported as the module "heaptop" by a script that CPython 3.14+ executes on request
 * (PEP 768). It loads the agent, answers into the mailbox, and lets the interpreter
 * believe that the import failed; the dynamic loader then forgets the object.
 */
#include "agent/loader_private.h"

#define NOW_IF_LOADED (2 | 4) /* RTLD_NOW | RTLD_NOLOAD */

extern void *dlopen(const char *path, int mode) __attribute__((weak));
extern int dlclose(void *handle) __attribute__((weak));

/* For the entry, loader_*.S: the handle that it closes last, or NULL. */
void *loader_arrive(void);

void *loader_arrive(void)
{
    struct loader_cargo *cargo = &loader_cargo;
    struct loader_answer *answer = (struct loader_answer *)(uintptr_t)cargo->mailbox;
    struct place_of_symbol place;
    void *handle = NULL;

    if (!answer || answer->ticket == cargo->ticket) /* once is enough */
        return NULL;
    answer->region =
        loader_load((const struct agent_place *)(cargo->image + cargo->place));
    __atomic_store_n(&answer->ticket, cargo->ticket, __ATOMIC_RELEASE);
    if (dladdr && dlopen && dlclose && dladdr(cargo, &place))
        handle = dlopen(place.path, NOW_IF_LOADED);
    if (handle)
        dlclose(handle);
    return handle;
}
