/*
 * shared_pages.h - does the target share memory of its own with one that it was forked
 * from, or that it has forked?
 *
 * process_vm_readv() is not harmless there: since Linux 5.19 the kernel gives a process
 * its own copy of a shared page before another one may pin it, and reading pins
 * (mm/gup.c, gup_must_unshare()). A walk would so take as much memory as it reads.
 * /proc/PID/mem only looks.
 */
#ifndef HEAPTOP_TARGET_SHARED_PAGES_H
#define HEAPTOP_TARGET_SHARED_PAGES_H

#include <stdbool.h>

#include "target/maps.h"

/* A few hundred pages, evenly spread, are asked for: what is missed is under 1 % of the
 * memory. True also where the kernel does not say. */
bool shared_pages_any(int pagemap_fd, const struct maps *maps);

#endif
