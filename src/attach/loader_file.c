#include "attach/loader_file.h"

#include <stdlib.h>
#include <string.h>

#include "util/xalloc.h"

/* image.S */
extern const uint8_t loader_file_begin[], loader_file_end[];

/* Where the cargo lies in the object, or NULL. */
static struct loader_cargo *find_cargo(const struct loader_file *file)
{
    const uint64_t magic = LOADER_MAGIC;
    uint8_t *at = memmem(file->bytes, file->length, &magic, sizeof(magic));
    size_t left = at ? file->length - (size_t)(at - file->bytes) : 0;

    return left >= sizeof(struct loader_cargo) ? (struct loader_cargo *)at : NULL;
}

int loader_file_build(const struct agent_image *image, uint64_t mailbox, uint64_t ticket,
                      struct loader_file *file, struct err *err)
{
    struct loader_cargo *cargo;

    file->length = (size_t)(loader_file_end - loader_file_begin);
    file->bytes = xcalloc(1, file->length);
    memcpy(file->bytes, loader_file_begin, file->length);
    cargo = find_cargo(file);
    if (!cargo || image->length > sizeof(cargo->image)) {
        loader_file_release(file);
        return err_set(err, ERR_FAILED,
                       "heaptop's loader is broken: no room for its agent");
    }
    cargo->mailbox = mailbox;
    cargo->ticket = ticket;
    cargo->length = image->length;
    cargo->data_offset = image->data_offset;
    cargo->entry = image->entry;
    cargo->place = image->place;
    memcpy(cargo->image, image->bytes, image->length);
    return 0;
}

void loader_file_release(struct loader_file *file)
{
    free(file->bytes);
    *file = (struct loader_file){NULL, 0};
}
