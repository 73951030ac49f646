/*
 * filter.h - the list of system calls that the guarded process may make.
 *
 * A small BPF program is made from syscalls.def. What is not on the list fails with
 * ENOSYS, as on an older kernel, so that the C library falls back. (A signal would be
 * more telling, but ends the process where a library has all signals blocked.)
 */
#ifndef HEAPTOP_GUARD_FILTER_H
#define HEAPTOP_GUARD_FILTER_H

/* Puts the filter on all threads. Gives the number of system calls on the list, or -1
 * with errno: the kernel has no filters. */
int filter_begin(unsigned needs);

#endif
