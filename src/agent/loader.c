/* Puts the agent into anonymous memory of this process and starts its thread. */
#include <asm/errno.h>
#include <asm/unistd.h>
#include <linux/memfd.h>
#include <linux/mman.h>

#include "agent/loader_private.h"
#include "agent/region.h"

#define STACK_BYTES       8388608 /* as the stub gives: finalizers may run there */
#define SMALL_STACK_BYTES 524288
#define SIG_SETMASK       2
#define MASK_BYTES        8
#define DETACHED          1 /* PTHREAD_CREATE_DETACHED */

struct loader_cargo loader_cargo = {.magic = LOADER_MAGIC};

struct attributes {
    uint64_t room[8]; /* pthread_attr_t: 56 bytes in glibc, fewer in musl */
};

struct threads {
    int (*init)(struct attributes *attributes);
    int (*set_stack)(struct attributes *attributes, size_t bytes);
    int (*set_detached)(struct attributes *attributes, int state);
    int (*create)(uint64_t *thread, const struct attributes *attributes,
                  void *(*start)(void *), void *argument);
};

static bool is_failure(long result)
{
    return result < 0 && result > -4096;
}

static long map(uint64_t address, uint64_t bytes, long protection, long flags, long fd)
{
    return agent_system_call(__NR_mmap, (long)address, (long)bytes, protection, flags, fd,
                             0);
}

/* Where memory that was written may not become executable: by way of a file. */
static long seal_by_file(uint64_t image, uint64_t code_bytes)
{
    long fd =
        agent_system_call(__NR_memfd_create, (long)"heaptop", MFD_CLOEXEC, 0, 0, 0, 0);
    long result = fd;

    if (is_failure(fd))
        return fd;
    result = agent_system_call(__NR_write, fd, (long)image, (long)code_bytes, 0, 0, 0);
    if (result == (long)code_bytes)
        result =
            map(image, code_bytes, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, fd);
    agent_system_call(__NR_close, fd, 0, 0, 0, 0, 0);
    return result;
}

/* The image's address, or a negative errno. */
static long map_image(const struct agent_place *given, uint64_t region)
{
    const struct loader_cargo *cargo = &loader_cargo;
    long image =
        map(0, cargo->length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    struct agent_place *place;
    long result;

    if (is_failure(image))
        return image;
    for (uint64_t i = 0; i < cargo->length; i++)
        ((uint8_t *)image)[i] = cargo->image[i];
    place = (struct agent_place *)((uint64_t)image + cargo->place);
    *place = *given;
    place->image = (uint64_t)image;
    place->image_bytes = cargo->length;
    place->region = region;
    result = agent_system_call(__NR_mprotect, image, (long)cargo->data_offset,
                               PROT_READ | PROT_EXEC, 0, 0, 0);
    if (is_failure(result))
        result = seal_by_file((uint64_t)image, cargo->data_offset);
    if (!is_failure(result))
        return image;
    agent_system_call(__NR_munmap, image, (long)cargo->length, 0, 0, 0, 0);
    return result;
}

static bool find_threads(struct threads *threads)
{
    *threads = (struct threads){
        dlsym(LOADER_HERE, "pthread_attr_init"),
        dlsym(LOADER_HERE, "pthread_attr_setstacksize"),
        dlsym(LOADER_HERE, "pthread_attr_setdetachstate"),
        dlsym(LOADER_HERE, "pthread_create"),
    };
    return threads->init && threads->set_stack && threads->set_detached &&
           threads->create;
}

/* The new thread is born with all signals blocked but the C library's own. */
static uint64_t mask_at_birth(void)
{
    bool is_glibc = dlsym(LOADER_HERE, "gnu_get_libc_version") != NULL;

    return ~(UINT64_C(1) << ((is_glibc ? GLIBC_SIGSETXID : MUSL_SIGSYNCCALL) - 1));
}

static int start_thread(const struct threads *threads, uint64_t entry, uint64_t region)
{
    static const size_t stacks[] = {STACK_BYTES, SMALL_STACK_BYTES};
    struct attributes attributes;
    uint64_t mask = mask_at_birth(), old, thread;
    int problem = EAGAIN;

    agent_system_call(__NR_rt_sigprocmask, SIG_SETMASK, (long)&mask, (long)&old,
                      MASK_BYTES, 0, 0);
    for (int i = 0; i < 2 && problem; i++) {
        threads->init(&attributes);
        threads->set_stack(&attributes, stacks[i]);
        threads->set_detached(&attributes, DETACHED);
        problem =
            threads->create(&thread, &attributes, (void *(*)(void *))(uintptr_t)entry,
                            (void *)(uintptr_t)region);
    }
    agent_system_call(__NR_rt_sigprocmask, SIG_SETMASK, (long)&old, 0, MASK_BYTES, 0, 0);
    return problem;
}

int64_t loader_load(const struct agent_place *place)
{
    const struct loader_cargo *cargo = &loader_cargo;
    struct threads threads;
    long region, image;
    int problem;

    if (!cargo->length || !dlsym || !find_threads(&threads))
        return -ENOSYS;
    region =
        map(0, REGION_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    if (is_failure(region))
        return region;
    image = map_image(place, (uint64_t)region);
    ((struct agent_region *)region)->image = (uint64_t)image;
    problem = is_failure(image) ? (int)-image
                                : start_thread(&threads, (uint64_t)image + cargo->entry,
                                               (uint64_t)region);
    if (!problem)
        return region;
    agent_system_call(__NR_munmap, region, REGION_BYTES, 0, 0, 0, 0);
    if (!is_failure(image))
        agent_system_call(__NR_munmap, image, (long)cargo->length, 0, 0, 0, 0);
    return -problem;
}
