/*
 * faultpoint.h - named moments of an attach, for the tests that kill heaptop there.
 *
 * heaptop itself has nobody who listens: faultpoint_hook is NULL, nothing but a
 * test's own program (tests/live/attach_driver.c) sets it, and no environment
 * variable and no option reaches it. A forked injector inherits it. The names stand
 * in faultpoints.def.
 */
#ifndef HEAPTOP_ATTACH_FAULTPOINT_H
#define HEAPTOP_ATTACH_FAULTPOINT_H

enum faultpoint {
#define FAULTPOINT(name, when) FAULTPOINT_##name,
#include "attach/faultpoints.def"
#undef FAULTPOINT
    FAULTPOINT_COUNT,
};

/* Called at each moment, in the process that got there. It need not return. */
extern void (*faultpoint_hook)(enum faultpoint point);

const char *faultpoint_name(enum faultpoint point);
const char *faultpoint_when(enum faultpoint point);

void faultpoint_reach(enum faultpoint point);

#endif
