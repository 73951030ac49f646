/*
 * loader_file.h - heaptop's own copy of the loader's shared object, with the agent
 * aboard: what is preloaded into a program or handed to a remotely executed script.
 */
#ifndef HEAPTOP_ATTACH_LOADER_FILE_H
#define HEAPTOP_ATTACH_LOADER_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "agent/loader.h"
#include "attach/agent_image.h"
#include "heaptop/err.h"

struct loader_file {
    uint8_t *bytes; /* freed by loader_file_release() */
    size_t length;
};

/* mailbox 0: for preloading. Otherwise where the answer with this ticket goes. */
int loader_file_build(const struct agent_image *image, uint64_t mailbox, uint64_t ticket,
                      struct loader_file *file, struct err *err);
void loader_file_release(struct loader_file *file);

#endif
