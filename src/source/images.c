#include "source/images.h"

#include <stdlib.h>
#include <string.h>

#include "util/xalloc.h"

#define PAGE       UINT64_C(4096)
#define IMAGES_MAX 4096

static const struct {
    const char *allocator, *symbol;
} marks[] = {
    {"jemalloc", "mallctl"},
    {"tcmalloc", "tc_malloc"},
    {"tcmalloc", "MallocExtension_Internal_GetNumericProperty"},
    {"mimalloc", "mi_malloc"},
    {"musl", "__dls3"}, /* ldso/dynlink.c: libc and loader are one; paths differ */
    {"glibc", "gnu_get_libc_version"},
};

void images_release(struct images *images)
{
    for (size_t i = 0; i < images->n_paths; i++)
        free(images->paths[i]);
    free(images->paths);
    free(images->ranges);
    memset(images, 0, sizeof(*images));
}

static bool is_image_start(const struct mapping *mapping)
{
    return !mapping->offset && mapping->is_readable && !mapping->is_shared &&
           mapping->path[0] == '/';
}

/* Changes when a file is mapped or unmapped. */
static uint64_t fingerprint_of(const struct maps *maps)
{
    uint64_t sum = 14695981039346656037u;

    for (size_t i = 0; i < maps->count; i++) {
        if (!is_image_start(&maps->mappings[i]))
            continue;
        sum = (sum ^ maps->mappings[i].start) * 1099511628211u;
        sum = (sum ^ maps->mappings[i].inode) * 1099511628211u;
    }
    return sum | 1;
}

static void add_range(struct images *images, const struct image_load *load)
{
    if (images->count == images->capacity) {
        images->capacity = images->capacity ? images->capacity * 2 : 256;
        images->ranges =
            xreallocarray(images->ranges, images->capacity, sizeof(*images->ranges));
    }
    images->ranges[images->count++] = (struct image_range){
        load->start & ~(PAGE - 1), (load->end + PAGE - 1) & ~(PAGE - 1),
        (uint32_t)images->n_paths, load->is_writable};
}

/* An image that only has an allocator for itself does not define malloc. */
static void name_allocator(struct images *images, struct reader *reader,
                           const struct image *image)
{
    struct image_symbol symbol;

    if (images->allocator[0] && strcmp(images->allocator, "glibc") != 0)
        return;
    if (!image_symbol(image, reader, "malloc", &symbol))
        return;
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        if (!image_symbol(image, reader, marks[i].symbol, &symbol))
            continue;
        images->allocator = marks[i].allocator;
        return;
    }
}

/* glibc's own: where main_arena is. */
static void note_glibc(struct images *images, struct reader *reader,
                       const struct image *image)
{
    struct image_symbol symbol;

    if (!image_symbol(image, reader, "gnu_get_libc_version", &symbol))
        return;
    for (size_t i = 0; i < image->n_loads && i < IMAGE_SEGMENTS_MAX; i++)
        if (image->loads[i].is_writable) {
            images->malloc_start = (image->loads[i].start + 7) & ~UINT64_C(7);
            images->malloc_end = image->loads[i].end & ~UINT64_C(7);
        }
}

static void add_image(struct images *images, struct reader *reader,
                      const struct maps *maps, const struct mapping *mapping)
{
    struct image image;
    struct err ignored;

    if (images->n_paths == IMAGES_MAX || image_read(&image, reader, mapping, &ignored) ||
        !image_is_loaded(&image, maps))
        return;
    for (size_t i = 0; i < image.n_loads && i < IMAGE_SEGMENTS_MAX; i++)
        add_range(images, &image.loads[i]);
    images->paths =
        xreallocarray(images->paths, images->n_paths + 1, sizeof(*images->paths));
    images->paths[images->n_paths++] = xstrdup(mapping->path);
    name_allocator(images, reader, &image);
    note_glibc(images, reader, &image);
}

static int range_compare(const void *left, const void *right)
{
    const struct image_range *a = left, *b = right;

    return a->start < b->start ? -1 : a->start > b->start;
}

void images_refresh(struct images *images, struct reader *reader, const struct maps *maps)
{
    uint64_t fingerprint = fingerprint_of(maps);

    if (images->fingerprint == fingerprint)
        return;
    images_release(images);
    images->fingerprint = fingerprint;
    images->allocator = "";
    for (size_t i = 0; i < maps->count; i++)
        if (is_image_start(&maps->mappings[i]))
            add_image(images, reader, maps, &maps->mappings[i]);
    if (images->count)
        qsort(images->ranges, images->count, sizeof(*images->ranges), range_compare);
}
