#include "publish/server.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <microhttpd.h>

#include "guard/filter.h"
#include "guard/guard.h"
#include "guard/quiet.h"
#include "publish/accept.h"

#define WAIT_MS_MAX 1000

static const char no_sample[] = "there is no sample yet: ask again in a moment\n";
static const char not_found[] = "heaptop: the metrics are at /metrics\n";
static const char not_allowed[] = "heaptop: only GET and HEAD\n";

struct server {
    const struct board *board;
    struct MHD_Daemon *daemon;
    struct MHD_Response *newest[EXPOSITION_FORMATS]; /* NULL: no sample yet */
};

int server_check(struct err *err)
{
    (void)err;
    return 0;
}

static enum MHD_Result answer_words(struct MHD_Connection *connection, unsigned status,
                                    const char *words)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        strlen(words), (void *)(uintptr_t)words, MHD_RESPMEM_PERSISTENT);
    enum MHD_Result result;

    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain");
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

/* Called by libmicrohttpd when the head of a request is there. */
static enum MHD_Result answer(void *closure, struct MHD_Connection *connection,
                              const char *url, const char *method, const char *version,
                              const char *upload, size_t *upload_bytes, void **request)
{
    const struct server *server = closure;
    const char *accept;

    (void)version;
    (void)upload;
    (void)upload_bytes;
    (void)request;
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 &&
        strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
        return answer_words(connection, MHD_HTTP_METHOD_NOT_ALLOWED, not_allowed);
    if (strcmp(url, "/metrics") != 0)
        return answer_words(connection, MHD_HTTP_NOT_FOUND, not_found);
    if (!server->newest[EXPOSITION_TEXT])
        return answer_words(connection, MHD_HTTP_SERVICE_UNAVAILABLE, no_sample);
    accept =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT);
    return MHD_queue_response(connection, MHD_HTTP_OK,
                              server->newest[accept_format(accept)]);
}

/* Clients that are being served keep the one that they began with. */
static void replace(struct server *server, enum exposition_format format,
                    const char *text, size_t length)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        length, (void *)(uintptr_t)text, MHD_RESPMEM_MUST_COPY);

    if (!response)
        return;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                            exposition_content_type(format));
    if (server->newest[format])
        MHD_destroy_response(server->newest[format]);
    server->newest[format] = response;
}

static bool take_next(struct server *server)
{
    struct err none = ERR_INIT;
    struct board_notice notice;

    if (!board_next(server->board, &notice))
        return false;
    for (int i = 0; i < EXPOSITION_FORMATS; i++)
        replace(server, (enum exposition_format)i,
                board_text(server->board, &notice, (enum exposition_format)i),
                notice.lengths[i]);
    board_answer(server->board, &none);
    return true;
}

/* Until heaptop is gone. */
static void serve(struct server *server)
{
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    struct pollfd fds[2] = {{.fd = server->board->socket, .events = POLLIN},
                            {.fd = info ? info->epoll_fd : -1, .events = POLLIN}};

    for (;;) {
        MHD_UNSIGNED_LONG_LONG wait_ms = WAIT_MS_MAX;

        if (MHD_get_timeout(server->daemon, &wait_ms) != MHD_YES || wait_ms > WAIT_MS_MAX)
            wait_ms = WAIT_MS_MAX;
        poll(fds, 2, (int)wait_ms);
        if (fds[0].revents && !take_next(server))
            return;
        MHD_run(server->daemon);
    }
}

void server_main(const struct board *board, int socket)
{
    struct server server = {.board = board};
    struct err err = ERR_INIT;

    quiet_become("heaptop-server");
    if (guard_give_up_rights(&err))
        _exit(1);
    server.daemon = MHD_start_daemon(
        MHD_USE_EPOLL, 0, NULL, NULL, answer, &server, MHD_OPTION_LISTEN_SOCKET, socket,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)SERVER_CLIENTS,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)SERVER_CLIENT_SECONDS,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)SERVER_CLIENT_BYTES, MHD_OPTION_END);
    if (!server.daemon)
        _exit(1);
    filter_begin(GUARD_SERVES);
    serve(&server);
    _exit(0);
}
