/*
 * quiet.h - what the processes that stand beside heaptop have in common: no terminal, no
 * signal but time and faults, a name of their own, no new privileges, not dumpable.
 */
#ifndef HEAPTOP_GUARD_QUIET_H
#define HEAPTOP_GUARD_QUIET_H

/* In the child, once. The name is cut to 15 characters. */
void quiet_become(const char *name);

#endif
