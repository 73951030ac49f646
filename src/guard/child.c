#include "guard/child.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

pid_t child_fork(int type, int *socket)
{
    int sockets[2], trouble;
    pid_t child;

    if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, sockets) != 0)
        return -1;
    child = fork();
    trouble = errno;
    *socket = sockets[child == 0];
    close(sockets[child != 0]);
    if (child < 0)
        close(*socket);
    errno = trouble;
    return child;
}
