/*
 * args_check.h - which output goes with what is asked: samples come in every format of
 * sinks.def, an answer as text or JSON. Private to args.c. Main thread only.
 */
#ifndef HEAPTOP_ARGS_CHECK_H
#define HEAPTOP_ARGS_CHECK_H

#include "args.h"

/* -1, ERR_USAGE: --output, --write, --textfile or --listen would come to nothing. */
int args_check_output(const struct args *args, struct err *err);

#endif
