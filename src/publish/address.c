#include "publish/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define WAITING_MAX 16 /* clients that were not accepted yet */
#define SOCKET_TYPE (SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK)

static int usage(const char *address, struct err *err)
{
    err_set(err, ERR_USAGE, "--listen does not understand \"%.100s\"", address);
    return err_remedy(err, "it takes PORT, 127.0.0.1:PORT, [::1]:PORT or unix:PATH");
}

static int listen_at(int fd, const char *address, const struct sockaddr *where,
                     socklen_t length, struct err *err)
{
    if (bind(fd, where, length) == 0 && listen(fd, WAITING_MAX) == 0)
        return fd;
    err_set_errno(err, errno == EACCES ? ERR_DENIED : ERR_FAILED, errno,
                  "cannot listen at %.100s", address);
    close(fd);
    return err_remedy(err, "give --listen another address, or end who has this one");
}

/* The socket of a heaptop that is gone stands in the way; of one that lives, not. */
static void remove_dead(const struct sockaddr_un *where)
{
    int fd = socket(AF_UNIX, SOCKET_TYPE, 0);
    struct stat status;

    if (fd < 0)
        return;
    if (lstat(where->sun_path, &status) == 0 && S_ISSOCK(status.st_mode) &&
        connect(fd, (const struct sockaddr *)where, sizeof(*where)) != 0 &&
        errno == ECONNREFUSED)
        unlink(where->sun_path);
    close(fd);
}

static int listen_unix(const char *path, const char *address, struct err *err)
{
    struct sockaddr_un where = {.sun_family = AF_UNIX};
    int fd, listening;
    mode_t before;

    if (!*path || strlen(path) >= sizeof(where.sun_path)) {
        err_set(err, ERR_USAGE, "--listen=unix: takes a path of up to %zu bytes",
                sizeof(where.sun_path) - 1);
        return err_remedy(err, "give it a shorter one");
    }
    memcpy(where.sun_path, path, strlen(path));
    fd = socket(AF_UNIX, SOCKET_TYPE, 0);
    if (fd < 0)
        return err_set_errno(err, ERR_FAILED, errno, "cannot make a socket");
    remove_dead(&where);
    before = umask(0177); /* 0600: for who started heaptop */
    listening =
        listen_at(fd, address, (const struct sockaddr *)&where, sizeof(where), err);
    umask(before);
    return listening;
}

/* "host:port" with the brackets of an IPv6 address taken off; a port alone is one of
 * this machine. */
static bool split(const char *address, char host[64], const char **port)
{
    const char *colon = strrchr(address, ':');
    size_t length = colon ? (size_t)(colon - address) : 0;

    snprintf(host, 64, "127.0.0.1");
    *port = colon ? colon + 1 : address;
    if (!**port || strspn(*port, "0123456789") != strlen(*port) || strlen(*port) > 5 ||
        strtol(*port, NULL, 10) > UINT16_MAX)
        return false;
    if (!colon)
        return true;
    if (length >= 2 && address[0] == '[' && colon[-1] == ']') {
        address++;
        length -= 2;
    }
    if (!length || length >= 64)
        return false;
    if (length != strlen("localhost") || strncmp(address, "localhost", length) != 0)
        snprintf(host, 64, "%.*s", (int)length, address);
    return true;
}

static bool is_loopback(const struct sockaddr *where)
{
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)where;
    const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)where;

    if (where->sa_family == AF_INET)
        return ntohl(four->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    return where->sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&six->sin6_addr);
}

static int listen_inet(const struct addrinfo *where, const char *address,
                       bool may_be_remote, struct err *err)
{
    int fd, on = 1;

    if (!may_be_remote && !is_loopback(where->ai_addr)) {
        err_set(err, ERR_USAGE, "other machines can reach %.100s", address);
        return err_remedy(err, "--listen-remote allows that: whoever asks gets the "
                               "numbers, and nothing is encrypted");
    }
    fd = socket(where->ai_family, SOCKET_TYPE, 0);
    if (fd < 0)
        return err_set_errno(err, ERR_FAILED, errno, "cannot make a socket");
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    return listen_at(fd, address, where->ai_addr, where->ai_addrlen, err);
}

int address_listen(const char *address, bool may_be_remote, struct err *err)
{
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
                             .ai_socktype = SOCK_STREAM};
    struct addrinfo *where;
    const char *port;
    char host[64];
    int fd;

    if (!strncmp(address, "unix:", 5))
        return listen_unix(address + 5, address, err);
    if (!split(address, host, &port) || getaddrinfo(host, port, &hints, &where) != 0)
        return usage(address, err);
    fd = listen_inet(where, address, may_be_remote, err);
    freeaddrinfo(where);
    return fd;
}
