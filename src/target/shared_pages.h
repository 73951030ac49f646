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
#include <stddef.h>
#include <stdint.h>

#include "target/maps.h"

/* A few hundred pages, evenly spread, are asked for: what is missed is under 1 % of the
 * memory. True also where the kernel does not say. */
bool shared_pages_any(int pagemap_fd, const struct maps *maps);

/* Are all pages of [address, address + length) in memory, and the target's alone? Who
 * reads them at once has none copied, unless the target forks in between. */
bool shared_pages_none(int pagemap_fd, uint64_t address, size_t length);

#endif
