#include "recording/message.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* send() and recv() are other system calls than the helper's, which the filter knows. */
ssize_t message_send_some(int socket, const void *bytes, size_t length, int flags)
{
    struct iovec vector = {(void *)(uintptr_t)bytes, length};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    ssize_t sent;

    do
        sent = sendmsg(socket, &message, flags | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent;
}

ssize_t message_receive_some(int socket, void *bytes, size_t length, int flags)
{
    struct iovec vector = {bytes, length};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    ssize_t got;

    do
        got = recvmsg(socket, &message, flags);
    while (got < 0 && errno == EINTR);
    return got;
}

int message_receive(int socket, void *bytes, size_t length)
{
    char *at = bytes;

    while (length) {
        ssize_t got = message_receive_some(socket, at, length, 0);

        if (got <= 0)
            return -1;
        at += got;
        length -= (size_t)got;
    }
    return 0;
}

int message_send(int socket, const void *bytes, size_t length)
{
    const char *at = bytes;

    while (length) {
        ssize_t sent = message_send_some(socket, at, length, 0);

        if (sent <= 0)
            return -1;
        at += sent;
        length -= (size_t)sent;
    }
    return 0;
}
