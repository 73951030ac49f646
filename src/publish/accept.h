/*
 * accept.h - which text format a client likes best, by its Accept header. Pure.
 */
#ifndef HEAPTOP_PUBLISH_ACCEPT_H
#define HEAPTOP_PUBLISH_ACCEPT_H

#include "sink/exposition.h"

/* NULL: the client sent none. Who names no format that is known gets the older one. */
enum exposition_format accept_format(const char *accept);

#endif
