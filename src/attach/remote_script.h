/*
 * remote_script.h - the script that the target executes and the loader beside it: files
 * of its own user with an unpredictable name, in its own mount namespace. Injector child
 * only.
 */
#ifndef HEAPTOP_ATTACH_REMOTE_SCRIPT_H
#define HEAPTOP_ATTACH_REMOTE_SCRIPT_H

#include <limits.h>

#include "attach/loader_file.h"
#include "target/target.h"

struct remote_script {
    int folder_fd;       /* -1 = none was made */
    char name[64];       /* in the folder */
    char loader[64];     /* the object beside it */
    char path[PATH_MAX]; /* as the target sees it */
};

int remote_script_write(struct remote_script *script, struct target *target,
                        const struct loader_file *loader, struct err *err);
/* The script removes both files first of all; this is for one that never ran. */
void remote_script_remove(struct remote_script *script);

#endif
