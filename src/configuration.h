/*
 * configuration.h - the configuration file: lines of `key = value`, # begins a comment.
 *
 * The first of $HEAPTOPRC, $XDG_CONFIG_HOME/heaptop/heaptoprc,
 * ~/.config/heaptop/heaptoprc and /etc/heaptoprc that exists is read. Root does
 * not obey a file that somebody else can write, unless --config names it.
 * Unknown keys are left alone and logged. Main thread only.
 */
#ifndef HEAPTOP_CONFIGURATION_H
#define HEAPTOP_CONFIGURATION_H

#include "args.h"
#include "heaptop/err.h"

struct config {
    char *text; /* the file; the values given to args point into it */
    char path[4096];
};

#define CONFIG_INIT \
    {               \
        NULL, ""    \
    }

/* Sets defaults in `args`. `path` is --config or NULL. -1: --config cannot be read,
 * or a known key has a value that makes no sense. */
int config_load(struct config *config, const char *path, struct args *args,
                struct err *err);
void config_release(struct config *config);

#endif
