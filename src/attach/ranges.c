/*
 * Where a thread must not be borrowed: the dynamic loader, every allocator, and
 * what holds locks across fork, exit or a change of user. Found without debug
 * symbols.
 */
#include "attach/scene.h"

#include <string.h>

#include "attach/arch.h"
#include "attach/safepoint.h"

/* The functions of glibc's malloc.o; they and the static ones beside them lie
 * in one block of 23 to 27 KiB (glibc 2.31 to 2.43). */
static const char *const family[] = {
    "malloc",
    "free",
    "calloc",
    "realloc",
    "memalign",
    "aligned_alloc",
    "valloc",
    "pvalloc",
    "posix_memalign",
    "malloc_trim",
    "malloc_usable_size",
    "mallinfo",
    "mallinfo2",
    "malloc_stats",
    "mallopt",
    "malloc_info",
    "free_sized",
    "free_aligned_sized",
    "reallocarray",
};

#define BLOCK_BYTES_MAX 65536

const char scene_sanitizer[] = "a sanitizer's runtime";

/* A sanitizer's allocator calls none of them: it has system calls of its own. */
static const char *const waiting[] = {
    "read",
    "recv",
    "recvfrom",
    "recvmsg",
    "accept",
    "accept4",
    "poll",
    "ppoll",
    "select",
    "epoll_wait",
    "epoll_pwait",
    "wait4",
    "waitpid",
    "waitid",
    "nanosleep",
    "sigwait",
    "sigtimedwait",
    "clock_nanosleep",
    "sem_wait",
    "sem_timedwait",
    "sem_clockwait",
    "sigwaitinfo",
    "pthread_cond_wait",
    "pthread_cond_timedwait",
    "pthread_cond_clockwait",
};

static const char *const forbidden[] = {
    "fork",
    "__libc_fork",
    "_Fork",
    "vfork",
    "clone",
    "__clone",
    "posix_spawn",
    "posix_spawnp",
    "system",
    "popen",
    "dl_iterate_phdr",
    "dlopen",
    "dlclose",
    "dlsym",
    "dlvsym",
    "dladdr",
    "dladdr1",
    "dlinfo",
    "dlmopen",
    "dlerror",
    "__libc_dlopen_mode",
    "pthread_create",
    "pthread_exit",
    "pthread_join",
    "pthread_atfork",
    "exit",
    "quick_exit",
    "abort",
    "__cxa_finalize",
    "__cxa_atexit",
    "__register_atfork",
    "setuid",
    "setgid",
    "seteuid",
    "setegid",
    "setreuid",
    "setregid",
    "setresuid",
    "setresgid",
    "setgroups",
    "pthread_tryjoin_np",
    "pthread_timedjoin_np",
    "pthread_clockjoin_np",
    "pthread_detach",
    "pthread_cancel",
    "pthread_setattr_default_np",
    "pthread_getattr_default_np",
    "thrd_create",
    "thrd_join",
    "thrd_detach",
    "thrd_exit",
};

void scene_add_range(struct scene *scene, uint64_t start, uint64_t end, const char *name)
{
    if (start >= end || scene->n_ranges == SCENE_RANGES_MAX)
        return;
    scene->ranges[scene->n_ranges++] = (struct scene_range){start, end, name};
}

static void add_text(struct scene *scene, const struct image *image, const char *name)
{
    for (size_t i = 0; i < image->n_loads; i++)
        if (image->loads[i].is_executable)
            scene_add_range(scene, image->loads[i].start, image->loads[i].end, name);
}

struct block {
    uint64_t members[sizeof(family) / sizeof(family[0])];
    size_t n_members;
    uint64_t start, end;             /* of the family itself */
    uint64_t below_end, above_start; /* of its exported neighbours */
    uint64_t left_out;               /* __default_morecore, which lies among them */
};

static bool is_member(const struct block *block, uint64_t address)
{
    for (size_t i = 0; i < block->n_members; i++)
        if (block->members[i] == address)
            return true;
    return false;
}

static bool widen(void *context, const struct image_symbol *symbol)
{
    struct block *block = context;
    uint64_t start = symbol->address.value, end = start + symbol->size_bytes;
    bool is_nearer_below =
        start < block->start && end <= block->start && end > block->below_end;
    bool is_nearer_above = start >= block->end && start < block->above_start;

    if ((!is_nearer_below && !is_nearer_above) || !symbol->is_function ||
        is_member(block, start) || start == block->left_out)
        return true;
    if (is_nearer_below)
        block->below_end = end;
    else
        block->above_start = start;
    return true;
}

static void find_family(struct scene *scene, struct block *block)
{
    struct image_symbol symbol, malloc_symbol;
    struct reader *reader = scene->kept;

    if (!image_symbol(scene->libc, reader, "malloc", &malloc_symbol))
        return;
    block->start = malloc_symbol.address.value;
    block->end = block->start + malloc_symbol.size_bytes;
    for (size_t i = 0; i < sizeof(family) / sizeof(family[0]); i++) {
        uint64_t start, end, distance;

        if (!image_symbol(scene->libc, reader, family[i], &symbol))
            continue;
        start = symbol.address.value;
        end = start + symbol.size_bytes;
        scene_add_range(scene, start, end, "malloc");
        distance = start > malloc_symbol.address.value
                       ? start - malloc_symbol.address.value
                       : malloc_symbol.address.value - start;
        if (distance > BLOCK_BYTES_MAX)
            continue;
        block->members[block->n_members++] = start;
        block->start = start < block->start ? start : block->start;
        block->end = end > block->end ? end : block->end;
    }
}

static void add_malloc_block(struct scene *scene)
{
    struct block block = {.above_start = UINT64_MAX};
    struct image_symbol symbol;

    find_family(scene, &block);
    if (!block.n_members)
        return;
    if (image_symbol(scene->libc, scene->kept, "__default_morecore", &symbol))
        block.left_out = symbol.address.value;
    image_each_place(scene->libc, scene->kept, widen, &block);
    if (block.below_end == 0 || block.start - block.below_end > BLOCK_BYTES_MAX)
        block.below_end = block.start - 4096;
    if (block.above_start == UINT64_MAX ||
        block.above_start - block.below_end > BLOCK_BYTES_MAX)
        block.above_start = block.end + 16384;
    scene_add_range(scene, block.below_end, block.above_start, "malloc");
}

static void add_symbol(struct scene *scene, const struct image *image, const char *name)
{
    struct image_symbol symbol;

    if (image_symbol(image, scene->kept, name, &symbol))
        scene_add_range(
            scene, symbol.address.value,
            symbol.address.value + (symbol.size_bytes ? symbol.size_bytes : 64), name);
}

#define FUNCTION_BYTES_MAX 4096
#define TAIL_CALLS_MAX     3

/* A function that ends in a jump to another one is not on the stack while that
 * one runs: pthread_join becomes __pthread_clockjoin_ex, which is not exported
 * and frees stacks under a lock. So the targets of jumps that leave a forbidden
 * function and begin another one are forbidden too. */
static void add_tail_calls(struct scene *scene, uint64_t start, uint64_t end,
                           const char *name, int depth)
{
    uint8_t code[FUNCTION_BYTES_MAX];
    size_t length = end - start < sizeof(code) ? (size_t)(end - start) : sizeof(code);

    if (depth == TAIL_CALLS_MAX || end <= start ||
        scene_read_image(scene, start, code, length) != 0)
        return;
    for (size_t at = 0; at < length; at++) {
        uint64_t target, target_start, target_end;

        if (!arch_jump_target(code + at, length - at, start + at, &target) ||
            target - start < end - start || scene_unsafe_name(scene, target) ||
            !safepoint_function(scene->safepoint, target, &target_start, &target_end) ||
            target_start != target)
            continue;
        scene_add_range(scene, target_start, target_end, name);
        add_tail_calls(scene, target_start, target_end, name, depth + 1);
    }
}

static void add_forbidden(struct scene *scene, const struct image *image)
{
    for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++) {
        struct image_symbol symbol;
        uint64_t start, end;

        if (!image_symbol(image, scene->kept, forbidden[i], &symbol))
            continue;
        start = symbol.address.value;
        end = start + (symbol.size_bytes ? symbol.size_bytes : 64);
        scene_add_range(scene, start, end, forbidden[i]);
        add_tail_calls(scene, start, end, forbidden[i], 0);
    }
}

static void add_waits(struct scene *scene, const struct image *image)
{
    struct image_symbol symbol;

    for (size_t i = 0; i < sizeof(waiting) / sizeof(waiting[0]); i++) {
        uint64_t start;

        if (scene->n_waits == SCENE_WAITS_MAX ||
            !image_symbol(image, scene->kept, waiting[i], &symbol))
            continue;
        start = symbol.address.value;
        scene->waits[scene->n_waits++] =
            (struct scene_range){start, start + symbol.size_bytes, waiting[i]};
    }
}

/* The preloaded runtime of AddressSanitizer, which has names for most of libc. */
static bool add_sanitizer(struct scene *scene, const struct image *image)
{
    struct image_symbol symbol;

    if (!image_symbol(image, scene->kept, "__asan_init", &symbol))
        return false;
    add_text(scene, image, scene_sanitizer);
    add_waits(scene, scene->libc);
    if (scene->threads != scene->libc)
        add_waits(scene, scene->threads);
    return true;
}

/* jemalloc, tcmalloc, mimalloc and the like: their whole text; in the executable
 * or in the image of Python itself only the functions. */
static void add_other_allocators(struct scene *scene)
{
    const struct image *main_image = scene->n_images ? &scene->images[0] : NULL;
    struct image_symbol symbol;

    for (size_t i = 0; i < scene->n_images; i++) {
        const struct image *image = &scene->images[i];
        bool is_shared_room =
            image == main_image || image->base == scene->target->python.base;

        if (image == scene->libc || image == scene->loader ||
            image->base == scene->vdso_base ||
            !image_symbol(image, scene->kept, "malloc", &symbol))
            continue;
        if (!scene->other_malloc)
            scene->other_malloc = image;
        if (!is_shared_room && !add_sanitizer(scene, image))
            add_text(scene, image, "an allocator");
        for (size_t k = 0; is_shared_room && k < sizeof(family) / sizeof(family[0]); k++)
            add_symbol(scene, image, family[k]);
    }
}

void scene_find_ranges(struct scene *scene)
{
    if (scene->loader != scene->libc)
        add_text(scene, scene->loader, "the dynamic loader");
    add_malloc_block(scene);
    add_other_allocators(scene);
    add_forbidden(scene, scene->libc);
    if (scene->threads != scene->libc)
        add_forbidden(scene, scene->threads);
    add_symbol(scene, &scene->target->python, "Py_FinalizeEx");
    add_symbol(scene, &scene->target->python, "Py_Exit");
}
