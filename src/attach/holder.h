/*
 * holder.h - who holds the lock on /proc/PID: one heaptop at a time is attached.
 *
 * The lock is advisory and holds within one /proc: a heaptop in a container and one on
 * its host do not see each other's.
 */
#ifndef HEAPTOP_ATTACH_HOLDER_H
#define HEAPTOP_ATTACH_HOLDER_H

#include <sys/types.h>

#include "heaptop/err.h"

/* The sentence that names the holder where the kernel tells it; `dir` is /proc/PID. -1.
 */
int holder_name(int dir, pid_t pid, struct err *err);

#endif
