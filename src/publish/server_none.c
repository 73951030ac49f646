/* --listen where there is no libmicrohttpd. */
#include "publish/server.h"

#include <unistd.h>

int server_check(struct err *err)
{
    err_set(err, ERR_USAGE,
            "this heaptop was built without libmicrohttpd, which --listen needs");
    return err_remedy(
        err,
        "use --textfile; or install libmicrohttpd's headers, configure and build again");
}

void server_main(const struct board *board, int socket)
{
    (void)board;
    (void)socket;
    _exit(1);
}
