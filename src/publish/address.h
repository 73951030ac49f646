/*
 * address.h - where --listen listens: PORT, 127.0.0.1:PORT, [::1]:PORT, localhost:PORT or
 * unix:PATH. An address that other machines can reach must be allowed by an option of
 * its own. No names are looked up.
 */
#ifndef HEAPTOP_PUBLISH_ADDRESS_H
#define HEAPTOP_PUBLISH_ADDRESS_H

#include <stdbool.h>

#include "heaptop/err.h"

/* A socket that listens and does not block, or -1. The caller owns it. */
int address_listen(const char *address, bool may_be_remote, struct err *err);

#endif
