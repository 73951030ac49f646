/*
 * What an attach reads of the target's images before it stops anything: ranges in which
 * no thread is borrowed, unwind tables, the cave. The bytes stand where the dynamic
 * loader and the C library should; the seed is those of this very process.
 */
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/uio.h>
#include <unistd.h>

#include "attach/safepoint.h"
#include "attach/scene.h"
#include "fuzz.h"

#define LOADER_BASE  UINT64_C(0x7f5500000000)
#define LIBC_BASE    UINT64_C(0x7f5600000000)
#define LOADER_BYTES ((size_t)256 << 10) /* the rest of the input is the C library */
#define LIBC_BYTES   ((size_t)192 << 10) /* up to its code: names and hash tables */

static void demand(bool condition)
{
    if (!condition)
        abort();
}

/* Ranges in order, names that are text, and never more than there is room for. */
static void check_scene(struct scene *scene)
{
    demand(scene->n_ranges <= SCENE_RANGES_MAX);
    for (size_t i = 0; i < scene->n_ranges; i++)
        demand(scene->ranges[i].start < scene->ranges[i].end && scene->ranges[i].name);
}

static void look(struct scene *scene)
{
    struct err err = ERR_INIT;

    scene_find_ranges(scene);
    check_scene(scene);
    if (cave_find(scene, &err) == 0)
        demand(image_contains(scene->loader, raddr_of(scene->cave)));
    else
        demand(err.text[0] != '\0');
    safepoint_rehearse(scene->safepoint, 0);
    scene_unsafe_name(scene, LOADER_BASE + 4096);
    scene_is_python_text(scene, LIBC_BASE);
}

/* The first is the loader, the last the C library and Python: they may be one. */
static void add_images(struct scene *scene, struct target *target,
                       const struct mapping *mappings, size_t count)
{
    struct err err;

    for (size_t i = 0; i < count; i++)
        if (image_read(&scene->images[scene->n_images], scene->kept, &mappings[i],
                       &err) == 0)
            scene->n_images++;
    if (!scene->n_images)
        return;
    scene->loader = &scene->images[0];
    scene->libc = scene->threads = &scene->images[scene->n_images - 1];
    target->python = scene->images[scene->n_images - 1];
    scene->safepoint = safepoint_new(scene);
    look(scene);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t loader_bytes = size < LOADER_BYTES ? size : LOADER_BYTES;
    const struct image_segment segments[2] = {
        {{LOADER_BASE}, data, loader_bytes},
        {{LIBC_BASE}, data + loader_bytes, size - loader_bytes}};
    struct mapping mappings[2] = {{.start = LOADER_BASE,
                                   .end = LOADER_BASE + loader_bytes,
                                   .is_readable = true,
                                   .is_executable = true,
                                   .path = "/lib/ld-linux-x86-64.so.2"},
                                  {.start = LIBC_BASE,
                                   .end = LIBC_BASE + size - loader_bytes,
                                   .is_readable = true,
                                   .is_executable = true,
                                   .path = "/lib/libc.so.6"}};
    size_t count = size > loader_bytes ? 2 : 1;
    struct target target = {.fds = TARGET_FDS_NONE,
                            .maps = {mappings, count, false, NULL}};
    struct scene *scene = calloc(1, sizeof(*scene));

    if (!scene)
        abort();
    scene->target = &target;
    scene->mem_fd = -1;
    scene->images = calloc(SCENE_IMAGES_MAX, sizeof(scene->images[0]));
    if (!scene->images)
        abort();
    target.reader = reader_image_new(segments, count);
    scene->kept = reader_kept_new(target.reader, &target.maps);
    if (!scene->kept)
        abort();
    add_images(scene, &target, mappings, count);
    scene_close(scene);
    reader_close(target.reader);
    free(scene);
    return 0;
}

/* Page by page: between segments there may be nothing. */
static size_t copy_own(uint64_t from, uint8_t *to, size_t size)
{
    size_t length = 0;

    for (size_t at = 0; at + 4096 <= size; at += 4096) {
        struct iovec local = {to + at, 4096};
        struct iovec remote = {(void *)(uintptr_t)(from + at), 4096};

        if (process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == 4096)
            length = at + 4096;
    }
    return length;
}

static int take_libc(struct dl_phdr_info *info, size_t size, void *base)
{
    (void)size;
    if (strstr(info->dlpi_name, "libc.so"))
        *(uint64_t *)base = info->dlpi_addr;
    return 0;
}

size_t fuzz_seed(uint8_t *buffer, size_t size)
{
    uint64_t loader = getauxval(AT_BASE), libc = 0;

    dl_iterate_phdr(take_libc, &libc);
    if (!loader || !libc || size < LOADER_BYTES + LIBC_BYTES)
        return 0;
    memset(buffer, 0, LOADER_BYTES);
    if (!copy_own(loader, buffer, LOADER_BYTES))
        return 0;
    return LOADER_BYTES + copy_own(libc, buffer + LOADER_BYTES, LIBC_BYTES);
}
