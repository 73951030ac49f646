#include "attach/remote_script.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "target/procfs.h"
#include "util/strbuf.h"

/* Where a program may usually write; a read-only root has one of them at least. */
static const char *const folders[] = {"tmp", "var/tmp", "dev/shm", "run"};

/*
 * Removes itself, and imports the loader from the file beside it. That import "fails" on
 * purpose, with a SystemError (agent/loader_remote.c), so that no module stays; where no
 * code may come from the folder (noexec) it comes from a memory file. Other trouble is
 * told by the answer that does not come.
 */
static const char text_before[] =
    "def heaptop(path):\n"
    "    import os, sys, _imp\n"
    "    os.unlink(path)\n"
    "    spec = type(sys.implementation)(name='heaptop', origin=path[:-2] + 'so')\n"
    "    file = source = -1\n"
    "    try:\n"
    "        try:\n"
    "            _imp.create_dynamic(spec)\n"
    "        except ImportError:\n"
    "            file = os.memfd_create('heaptop-loader', 1)\n"
    "            source = os.open(spec.origin, os.O_RDONLY)\n"
    "            os.sendfile(file, source, 0, 1 << 24)\n"
    "            os.unlink(spec.origin)\n"
    "            spec.origin = '/proc/self/fd/%d' % file\n"
    "            _imp.create_dynamic(spec)\n"
    "    finally:\n"
    "        if file >= 0: os.close(file)\n"
    "        if source >= 0: os.close(source)\n"
    "        else: os.unlink(spec.origin)\n"
    "try:\n"
    "    heaptop('";
static const char text_after[] = "')\n"
                                 "except BaseException:\n"
                                 "    pass\n"
                                 "del heaptop\n";

/* A folder of the target's root, whatever its links say: never one of ours. */
static int open_folder(int root_fd, const char *folder)
{
    struct open_how how = {.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
                           .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS |
                                      RESOLVE_NO_SYMLINKS};

    return (int)syscall(SYS_openat2, root_fd, folder, &how, sizeof(how));
}

/* The effective user and group, to whom the file must belong. */
static void find_owner(const struct target *target, uid_t *user, gid_t *group)
{
    char text[PROCFS_TEXT_BYTES];
    const char *line;
    unsigned real, effective;

    *user = target->uid;
    *group = (gid_t)-1;
    if (procfs_read(target->fds.status, text, sizeof(text)) <= 0)
        return;
    line = strstr(text, "\nUid:");
    if (line && sscanf(line, "\nUid:\t%u\t%u", &real, &effective) == 2)
        *user = effective;
    line = strstr(text, "\nGid:");
    if (line && sscanf(line, "\nGid:\t%u\t%u", &real, &effective) == 2)
        *group = effective;
}

/* A new file of the target's own user. */
static bool write_file(int folder_fd, const char *name, const struct target *target,
                       const void *bytes, size_t length)
{
    int fd = openat(folder_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                    0600);
    bool is_written;
    uid_t user;
    gid_t group;

    if (fd < 0)
        return false;
    find_owner(target, &user, &group);
    is_written = write(fd, bytes, length) == (ssize_t)length &&
                 (user == geteuid() || fchown(fd, user, group) == 0);
    close(fd);
    if (!is_written)
        unlinkat(folder_fd, name, 0);
    return is_written;
}

static bool write_both(int folder_fd, const struct remote_script *script,
                       const struct target *target, const struct loader_file *loader)
{
    struct strbuf text = STRBUF_INIT;
    bool is_written;

    strbuf_addf(&text, "%s%s%s", text_before, script->path, text_after);
    is_written =
        write_file(folder_fd, script->loader, target, loader->bytes, loader->length);
    if (is_written &&
        !write_file(folder_fd, script->name, target, text.text, text.length)) {
        unlinkat(folder_fd, script->loader, 0);
        is_written = false;
    }
    strbuf_release(&text);
    return is_written;
}

static void choose_name(struct remote_script *script)
{
    uint64_t words[2] = {0, 0};

    if (getrandom(words, sizeof(words), 0) != sizeof(words))
        words[0] = (uint64_t)(uintptr_t)script ^ (uint64_t)getpid();
    snprintf(script->name, sizeof(script->name), ".heaptop-%016llx%016llx.py",
             (unsigned long long)words[0], (unsigned long long)words[1]);
    snprintf(script->loader, sizeof(script->loader), ".heaptop-%016llx%016llx.so",
             (unsigned long long)words[0], (unsigned long long)words[1]);
}

int remote_script_write(struct remote_script *script, struct target *target,
                        const struct loader_file *loader, struct err *err)
{
    int root_fd = openat(target->fds.dir, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);

    script->folder_fd = -1;
    choose_name(script);
    for (size_t i = 0; root_fd >= 0 && i < sizeof(folders) / sizeof(folders[0]); i++) {
        int folder_fd = open_folder(root_fd, folders[i]);

        snprintf(script->path, sizeof(script->path), "/%s/%s", folders[i], script->name);
        if (folder_fd >= 0 && write_both(folder_fd, script, target, loader)) {
            script->folder_fd = folder_fd;
            break;
        }
        if (folder_fd >= 0)
            close(folder_fd);
    }
    if (root_fd >= 0)
        close(root_fd);
    if (script->folder_fd >= 0)
        return 0;
    err_set(err, ERR_DENIED, "no folder of process %d takes a script for it",
            (int)target->pid);
    return err_remedy(err, "/tmp, /var/tmp, /dev/shm or /run must be writable there");
}

void remote_script_remove(struct remote_script *script)
{
    if (script->folder_fd < 0)
        return;
    unlinkat(script->folder_fd, script->name, 0);
    unlinkat(script->folder_fd, script->loader, 0);
    close(script->folder_fd);
    script->folder_fd = -1;
}
