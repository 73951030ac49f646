#include "publish/textfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guard/filter.h"
#include "guard/guard.h"
#include "guard/quiet.h"

#define NEW_PATH_BYTES (TEXTFILE_PATH_BYTES + 32)

/* Its name does not end in .prom: no collector takes it for a finished one. */
static int open_new(const char *path, char new_path[NEW_PATH_BYTES], struct err *err)
{
    int fd;

    if (strlen(path) >= TEXTFILE_PATH_BYTES)
        return err_set(err, ERR_USAGE, "the name of the text file is too long");
    snprintf(new_path, NEW_PATH_BYTES, "%s.%d.new", path, (int)getpid());
    unlink(new_path);
    fd = open(new_path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        err_set_errno(err, ERR_FAILED, errno, "cannot write %.200s", new_path);
        return err_remedy(err, "give --textfile a file in a folder that can be written");
    }
    return fd;
}

int textfile_try(const char *path, struct err *err)
{
    char new_path[NEW_PATH_BYTES];
    int fd = open_new(path, new_path, err);

    if (fd < 0)
        return -1;
    close(fd);
    unlink(new_path);
    return 0;
}

static int write_all(int fd, const char *text, size_t length)
{
    while (length) {
        ssize_t written = write(fd, text, length);

        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return -1;
        text += written;
        length -= (size_t)written;
    }
    return 0;
}

int textfile_write(const char *path, const char *text, size_t length, struct err *err)
{
    char new_path[NEW_PATH_BYTES];
    int fd = open_new(path, new_path, err);
    int failed;

    if (fd < 0)
        return -1;
    failed = write_all(fd, text, length) || fchmod(fd, 0644) ? errno : 0;
    if (close(fd) && !failed)
        failed = errno;
    if (!failed && rename(new_path, path))
        failed = errno;
    if (!failed)
        return 0;
    unlink(new_path);
    err_set_errno(err, ERR_FAILED, failed, "cannot write %.200s", path);
    return err_remedy(err, "what is in it is of an older sample");
}

void textfile_main(const struct board *board, const char *path)
{
    struct board_notice notice;

    quiet_become("heaptop-textfile");
    filter_begin(GUARD_ALWAYS | GUARD_WRITES);
    while (board_next(board, &notice)) {
        struct err err = ERR_INIT;

        textfile_write(path, board_text(board, &notice, EXPOSITION_TEXT),
                       notice.lengths[EXPOSITION_TEXT], &err);
        board_answer(board, &err);
    }
    _exit(0);
}
