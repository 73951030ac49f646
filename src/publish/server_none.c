/* --listen where there is no libmicrohttpd. */
#include "publish/server.h"

#include <unistd.h>

int server_check(struct err *err)
{
    err_set(err, ERR_USAGE, "this heaptop was built without libmicrohttpd: no --listen");
    return err_remedy(err, "install it, configure and build again; or use --textfile");
}

void server_main(const struct board *board, int socket)
{
    (void)board;
    (void)socket;
    _exit(1);
}
