#include "attach/scene.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "attach/safepoint.h"
#include "target/procfs.h"
#include "util/strbuf.h"
#include "util/utf8.h"
#include "util/xalloc.h"

static const char *const python_names[] = {
#define AGENT_FUNCTION(need, result, name, arguments) #name,
#include "agent/python.def"
#undef AGENT_FUNCTION
};

static const bool python_needs[] = {
#define AGENT_FUNCTION(need, result, name, arguments) need,
#include "agent/python.def"
#undef AGENT_FUNCTION
};

int scene_read(struct scene *scene, uint64_t address, void *bytes, size_t length)
{
    return reader_read(scene->target->reader, raddr_of(address), bytes, length);
}

int scene_read_image(struct scene *scene, uint64_t address, void *bytes, size_t length)
{
    return reader_read(scene->kept, raddr_of(address), bytes, length);
}

int scene_write_code(struct scene *scene, uint64_t address, const void *bytes,
                     size_t length)
{
    return pwrite(scene->mem_fd, bytes, length, (off_t)address) == (ssize_t)length ? 0
                                                                                   : -1;
}

int scene_write(struct scene *scene, uint64_t address, const void *bytes, size_t length)
{
    struct iovec local = {(void *)(uintptr_t)bytes, length};
    struct iovec remote = {(void *)(uintptr_t)address, length};
    ssize_t written = process_vm_writev(scene->target->pid, &local, 1, &remote, 1, 0);

    return written == (ssize_t)length ? 0 : -1;
}

static void read_auxv(struct scene *scene)
{
    Elf64_auxv_t auxv[64];
    int fd = openat(scene->target->fds.dir, "auxv", O_RDONLY | O_CLOEXEC);
    ssize_t got;

    if (fd < 0)
        return;
    got = read(fd, auxv, sizeof(auxv));
    close(fd);
    for (size_t i = 0; got > 0 && i < (size_t)got / sizeof(auxv[0]); i++) {
        if (auxv[i].a_type == AT_BASE)
            scene->loader_base = auxv[i].a_un.a_val;
        if (auxv[i].a_type == AT_SYSINFO_EHDR)
            scene->vdso_base = auxv[i].a_un.a_val;
    }
}

static bool may_be_image(const struct scene *scene, const struct mapping *mapping)
{
    return (mapping->path[0] == '/' || mapping->start == scene->vdso_base ||
            !strcmp(mapping->path, "[vdso]")) &&
           mapping->offset == 0 && mapping->is_readable;
}

static void read_images(struct scene *scene)
{
    const struct maps *maps = &scene->target->maps;
    struct err ignored = ERR_INIT;
    size_t n = 0;

    for (size_t i = 0; i < maps->count; i++)
        n += may_be_image(scene, &maps->mappings[i]);
    n = n < SCENE_IMAGES_MAX ? n : SCENE_IMAGES_MAX;
    scene->images = xcalloc(n + 1, sizeof(scene->images[0]));
    for (size_t i = 0; i < maps->count && scene->n_images < n; i++)
        if (may_be_image(scene, &maps->mappings[i]) &&
            image_read(&scene->images[scene->n_images], scene->kept, &maps->mappings[i],
                       &ignored) == 0)
            scene->n_images++;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static bool name_begins(const struct image *image, const char *begin)
{
    return !strncmp(base_name(image->path), begin, strlen(begin));
}

static void choose_images(struct scene *scene)
{
    struct image_symbol symbol;

    for (size_t i = 0; i < scene->n_images; i++) {
        const struct image *image = &scene->images[i];

        if (image->base == scene->loader_base)
            scene->loader = image;
        if (!scene->libc &&
            (name_begins(image, "libc.so") || name_begins(image, "libc-2.") ||
             name_begins(image, "ld-musl-") || name_begins(image, "libc.musl-")))
            scene->libc = image;
        if (name_begins(image, "libpthread"))
            scene->threads = image;
    }
    if (scene->libc && image_symbol(scene->libc, scene->kept, "pthread_create", &symbol))
        scene->threads = scene->libc;
}

static uint64_t function_at(struct scene *scene, const char *name)
{
    const struct image *places[] = {scene->threads, scene->libc};
    struct image_symbol symbol;

    for (size_t i = 0; i < 2; i++)
        if (image_symbol(places[i], scene->kept, name, &symbol))
            return symbol.address.value;
    return 0;
}

static int find_libc_functions(struct scene *scene, struct err *err)
{
    struct stub_table *table = &scene->table;

    table->attr_init = function_at(scene, "pthread_attr_init");
    table->attr_setstacksize = function_at(scene, "pthread_attr_setstacksize");
    table->attr_setdetachstate = function_at(scene, "pthread_attr_setdetachstate");
    table->create = function_at(scene, "pthread_create");
    table->unmap = function_at(scene, "munmap");
    if (table->attr_init && table->attr_setstacksize && table->attr_setdetachstate &&
        table->create && table->unmap)
        return 0;
    return err_set(err, ERR_UNSUPPORTED,
                   "the C library of process %d does not export what an attach needs",
                   (int)scene->target->pid);
}

static int find_python_functions(struct scene *scene, struct err *err)
{
    const struct target *target = scene->target;
    struct image_symbol symbol;

    for (int i = 0; i < AGENT_PYTHON_COUNT; i++) {
        if (image_symbol(&target->python, scene->kept, python_names[i], &symbol))
            scene->place.python[i] = symbol.address.value;
        else if (python_needs[i])
            return err_set(err, ERR_UNSUPPORTED,
                           "process %d exports no Python C API (%s is missing)",
                           (int)target->pid, python_names[i]);
    }
    if (!scene->place.python[AGENT_PYTHON_Py_IsFinalizing] &&
        !scene->place.python[AGENT_PYTHON__Py_IsFinalizing])
        return err_set(err, ERR_UNSUPPORTED,
                       "process %d does not say when Python shuts down",
                       (int)target->pid);
    return 0;
}

/* The addresses of a dlopen()ed library that keeps its malloc to itself are not
 * told apart from those of one that took malloc's place: glibc's functions are not called
 * then. */
static void find_allocator(struct scene *scene)
{
    static const char *const names[] = {
#define AGENT_ALLOCATOR(name) #name,
#include "agent/allocator.def"
#undef AGENT_ALLOCATOR
    };
    struct image_symbol symbol;
    const struct image *image;

    if (!scene->other_malloc &&
        !image_symbol(scene->libc, scene->kept, "gnu_get_libc_version", &symbol))
        scene->other_malloc = scene->libc;
    image = scene->other_malloc ? scene->other_malloc : scene->libc;
    for (int i = 0; i < AGENT_ALLOCATOR_COUNT; i++)
        if ((!scene->other_malloc || i == AGENT_ALLOCATOR_mallctl) &&
            image_symbol(image, scene->kept, names[i], &symbol))
            scene->place.allocator[i] = symbol.address.value;
}

static void find_vdso_clock(struct scene *scene)
{
    struct image_symbol symbol;

    for (size_t i = 0; i < scene->n_images; i++)
        if (scene->images[i].base == scene->vdso_base &&
            image_symbol(&scene->images[i], scene->kept, "__vdso_clock_gettime", &symbol))
            scene->place.clock_gettime = symbol.address.value;
}

static uint64_t status_field(const struct scene *scene, const char *name)
{
    char text[PROCFS_TEXT_BYTES];
    uint64_t value = 0;

    if (procfs_read(scene->target->fds.status, text, sizeof(text)) > 0)
        procfs_field(text, name, &value);
    return value;
}

/* Seccomp: 1 is strict mode, 2 a filter. */
static int check_seccomp(struct scene *scene, struct err *err)
{
    uint64_t mode = status_field(scene, "Seccomp");

    scene->is_restricted = mode == 2;
    scene->may_make_file = mode == 0;
    scene->place.is_restricted = scene->is_restricted;
    if (mode == 1)
        return err_set(err, ERR_UNSUPPORTED,
                       "process %d is in strict seccomp mode; heaptop cannot attach",
                       (int)scene->target->pid);
    return 0;
}

static int check_tracer(const struct scene *scene, struct err *err)
{
    int tracer = (int)status_field(scene, "TracerPid");
    char path[32], name[64] = "unknown";
    struct strbuf clean = STRBUF_INIT;

    if (!tracer)
        return 0;
    snprintf(path, sizeof(path), "%d/comm", tracer);
    if (procfs_read_file(path, name, sizeof(name)) > 0)
        name[strcspn(name, "\n")] = '\0';
    utf8_clean(&clean, name, strlen(name));
    err_set(err, ERR_DENIED,
            "process %d is being traced by process %d (%s); only one tracer is possible",
            (int)scene->target->pid, tracer, strbuf_text(&clean));
    strbuf_release(&clean);
    return err_remedy(err, "end the debugger and attach again");
}

/* A vfork child's memory is its parent's. */
static int check_parent(const struct scene *scene, struct err *err)
{
    int pid = (int)scene->target->pid;
    uint64_t parent = status_field(scene, "PPid");

    if (parent > 1 && syscall(SYS_kcmp, pid, (pid_t)parent, KCMP_VM, 0, 0) == 0) {
        err_set(err, ERR_FAILED, "process %d is about to execute another program", pid);
        return err_remedy(err, "attach to its parent, process %d", (int)parent);
    }
    return 0;
}

/* Where it cannot be opened, ptrace may be permitted still; the first stop will tell. */
static void open_memory(struct scene *scene)
{
    scene->mem_fd = openat(scene->target->fds.dir, "mem", O_RDWR | O_CLOEXEC);
    scene->must_poke = scene->mem_fd < 0;
}

void scene_look(struct scene *scene, struct target *target)
{
    scene->target = target;
    scene->mem_fd = -1;
    scene->kept = reader_kept_new(target->reader, &target->maps);
    read_auxv(scene);
    read_images(scene);
}

int scene_open(struct scene *scene, struct target *target, struct err *err)
{
    scene_look(scene, target);
    if (check_parent(scene, err) != 0 || check_seccomp(scene, err) != 0)
        return -1;
    choose_images(scene);
    if (!scene->loader)
        return err_set(err, ERR_UNSUPPORTED,
                       "process %d is a static executable; heaptop cannot attach",
                       (int)target->pid);
    if (!scene->libc || !scene->threads)
        return err_set(err, ERR_UNSUPPORTED, "process %d: its C library was not found",
                       (int)target->pid);
    if (find_libc_functions(scene, err) != 0 || find_python_functions(scene, err) != 0)
        return -1;
    find_vdso_clock(scene);
    scene->table.clock_gettime = scene->place.clock_gettime;
    scene->place.unmap = scene->table.unmap;
    scene->safepoint = safepoint_new(scene);
    scene_find_ranges(scene);
    find_allocator(scene);
    return 0;
}

int scene_prepare_borrowing(struct scene *scene, struct err *err)
{
    if (check_tracer(scene, err) != 0)
        return -1;
    open_memory(scene);
    return cave_find(scene, err);
}

void scene_close(struct scene *scene)
{
    if (scene->mem_fd >= 0)
        close(scene->mem_fd);
    safepoint_free(scene->safepoint);
    reader_close(scene->kept);
    free(scene->images);
}

const char *scene_other_malloc(const struct scene *scene)
{
    return scene->other_malloc ? base_name(scene->other_malloc->path) : "";
}

const struct image *scene_image_at(const struct scene *scene, uint64_t address)
{
    for (size_t i = 0; i < scene->n_images; i++)
        if (image_contains(&scene->images[i], raddr_of(address)))
            return &scene->images[i];
    return NULL;
}

const char *scene_unsafe_name(const struct scene *scene, uint64_t address)
{
    for (size_t i = 0; i < scene->n_ranges; i++)
        if (address >= scene->ranges[i].start && address < scene->ranges[i].end)
            return scene->ranges[i].name;
    return NULL;
}

const char *scene_unsafe_caller(const struct scene *scene, uint64_t return_address)
{
    const char *name = scene_unsafe_name(scene, return_address - 1);

    if (name && (!strcmp(name, "clone") || !strcmp(name, "__clone")))
        return NULL;
    return name;
}

bool scene_is_wait(const struct scene *scene, uint64_t address)
{
    for (size_t i = 0; i < scene->n_waits; i++)
        if (address >= scene->waits[i].start && address < scene->waits[i].end)
            return true;
    return false;
}

bool scene_is_python_text(const struct scene *scene, uint64_t address)
{
    const struct image *python = &scene->target->python;

    for (size_t i = 0; i < python->n_loads; i++)
        if (python->loads[i].is_executable && address >= python->loads[i].start &&
            address < python->loads[i].end)
            return true;
    return false;
}
