#include "guard/helper_message.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

union control {
    char bytes[CMSG_SPACE(HELPER_FDS_MAX * sizeof(int))];
    struct cmsghdr align;
};

int helper_send(int socket, uint32_t service, const void *bytes, size_t length,
                const struct helper_fds *fds)
{
    struct iovec pieces[2] = {{&service, sizeof(service)},
                              {(void *)(uintptr_t)bytes, length}};
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = 2};
    union control control;
    ssize_t sent;

    if (fds && fds->count) {
        struct cmsghdr *header;

        memset(&control, 0, sizeof(control));
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(fds->count * sizeof(int));
        header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(fds->count * sizeof(int));
        memcpy(CMSG_DATA(header), fds->fds, fds->count * sizeof(int));
    }
    do
        sent = sendmsg(socket, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -1 : 0;
}

static void take_fds(struct msghdr *message, struct helper_fds *fds)
{
    struct helper_fds come = {.count = 0};

    for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header;
         header = CMSG_NXTHDR(message, header)) {
        size_t count;

        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
            continue;
        count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        if (count > HELPER_FDS_MAX - come.count)
            count = HELPER_FDS_MAX - come.count;
        memcpy(come.fds + come.count, CMSG_DATA(header), count * sizeof(int));
        come.count += count;
    }
    if (fds)
        *fds = come;
    else
        helper_fds_close(&come);
}

long helper_receive(int socket, uint32_t *service, void *bytes, size_t size,
                    struct helper_fds *fds)
{
    struct iovec pieces[2] = {{service, sizeof(*service)}, {bytes, size}};
    union control control;
    struct msghdr message = {.msg_iov = pieces,
                             .msg_iovlen = 2,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof(control.bytes)};
    ssize_t got;

    do
        got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    if (got <= 0)
        return got;
    take_fds(&message, fds);
    if ((size_t)got < sizeof(*service) ||
        (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC))) {
        if (fds)
            helper_fds_close(fds);
        errno = EPROTO;
        return -1;
    }
    return got - (long)sizeof(*service);
}
