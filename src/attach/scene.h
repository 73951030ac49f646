/*
 * scene.h - everything about the target that the injector must know before it
 * stops anything: its images, the addresses it will call, the ranges in which a
 * thread must not be borrowed, and the cave for the stub.
 *
 * Built in the injector child from the target's memory; every number in it may
 * be a lie, so users bound what they do with it. A crash here costs the child.
 */
#ifndef HEAPTOP_ATTACH_SCENE_H
#define HEAPTOP_ATTACH_SCENE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/protocol.h"
#include "attach/stub.h"
#include "heaptop/err.h"
#include "target/image.h"
#include "target/target.h"

struct safepoint;

#define SCENE_IMAGES_MAX 2048
#define SCENE_RANGES_MAX 2304
#define SCENE_STUB_MAX   2048
#define SCENE_WAITS_MAX  32

/* Code in which a thread must not be borrowed. */
struct scene_range {
    uint64_t start, end;
    const char *name; /* static text */
};

struct scene {
    struct target *target;
    int mem_fd;          /* /proc/PID/mem for writing; -1 = the kernel forbids it */
    pid_t agent_tid;     /* once it was looked for */
    bool must_poke;      /* code is written by ptrace */
    bool may_make_file;  /* no filter stands against a memory file */
    bool is_restricted;  /* the target has a seccomp filter */
    struct reader *kept; /* reads code and tables, each page once */
    struct safepoint *safepoint;
    struct image *images;
    size_t n_images;
    const struct image *loader, *libc, *threads; /* threads: has pthread_create */
    const struct image *other_malloc;            /* in place of glibc's; NULL: none */
    uint64_t vdso_base, loader_base;
    struct scene_range ranges[SCENE_RANGES_MAX];
    size_t n_ranges;
    struct scene_range waits[SCENE_WAITS_MAX]; /* only where there is a sanitizer */
    size_t n_waits;
    struct stub_table table;
    struct agent_place place;
    uint64_t cave;       /* where the stub goes */
    uint64_t cave_bytes; /* the room there */
    uint8_t cave_original[SCENE_STUB_MAX];
    bool has_original;   /* cave_original is what the file says */
    bool found_leftover; /* an earlier heaptop was killed here */
};

/* What is mapped where: what unwinding needs. The scene is zeroed memory; the target's
 * mappings were just read. */
void scene_look(struct scene *scene, struct target *target);
/* What every way in needs, in place of it. */
int scene_open(struct scene *scene, struct target *target, struct err *err);
/* And what borrowing a thread needs: memory to write to, no tracer, the cave. */
int scene_prepare_borrowing(struct scene *scene, struct err *err);
void scene_close(struct scene *scene);

/* The file that has the target's malloc when that is not glibc's, else "". */
const char *scene_other_malloc(const struct scene *scene);
const struct image *scene_image_at(const struct scene *scene, uint64_t address);
/* The name of the unsafe range, or NULL when the address is in none. */
const char *scene_unsafe_name(const struct scene *scene, uint64_t address);
/* The same of the call that returns to this address. Before glibc 2.34 clone calls the
 * first function of every thread and stays below it: that is not unsafe. */
const char *scene_unsafe_caller(const struct scene *scene, uint64_t return_address);
/* The name of the range that a sanitizer's runtime is: it is unsafe because it allocates,
 * but it also stands between Python and libc's waiting functions. */
extern const char scene_sanitizer[];
/* Is it in a function of libc that only waits for the kernel? */
bool scene_is_wait(const struct scene *scene, uint64_t address);
bool scene_is_python_text(const struct scene *scene, uint64_t address);

/* ranges.c */
void scene_find_ranges(struct scene *scene);
void scene_add_range(struct scene *scene, uint64_t start, uint64_t end, const char *name);

/* cave.c */
int cave_find(struct scene *scene, struct err *err);
int cave_write_stub(struct scene *scene, struct err *err);
/* With must_poke set, the stub is written by this thread, which is traced and stands
 * still. */
int cave_poke_stub(struct scene *scene, pid_t tid, struct err *err);
/* Only when no thread can be in the stub any more. */
void cave_restore(struct scene *scene);

/* Writing into the target; only the injector does. */
int scene_write_code(struct scene *scene, uint64_t address, const void *bytes,
                     size_t length);
int scene_write(struct scene *scene, uint64_t address, const void *bytes, size_t length);
int scene_read(struct scene *scene, uint64_t address, void *bytes, size_t length);
/* What does not change: code, and tables of images. */
int scene_read_image(struct scene *scene, uint64_t address, void *bytes, size_t length);

#endif
