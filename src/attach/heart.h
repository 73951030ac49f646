/*
 * heart.h - the sign of life for an agent whose page is private memory.
 *
 * Where memory is shared, the kernel tells the agent that heaptop died. Where it is
 * not, the injector stays as the heart: it beats while heaptop exists, also while
 * that is stopped or busy, and dies with it (PR_SET_PDEATHSIG).
 */
#ifndef HEAPTOP_ATTACH_HEART_H
#define HEAPTOP_ATTACH_HEART_H

#include <stdint.h>

#include "target/target.h"

/* Beats into the page at `address` until the other end of `socket` is closed or the
 * page is gone. */
void heart_beat(const struct target *target, uint64_t address, int socket);

#endif
