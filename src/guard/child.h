/*
 * child.h - a child process that is connected with its parent by a socket.
 *
 * How helper, keeper, plugin, publisher and recorder begin. What they become is up to
 * them (quiet.h). heaptop waits for none of its own: its list of calls has no wait, and a
 * later child holds the sockets of the earlier ones until heaptop itself has ended.
 */
#ifndef HEAPTOP_GUARD_CHILD_H
#define HEAPTOP_GUARD_CHILD_H

#include <sys/types.h>

/* As fork(), and each of the two has its end of a socket of this type, close-on-exec;
 * -1 with errno, and no socket. */
pid_t child_fork(int type, int *socket);

#endif
