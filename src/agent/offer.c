/*
 * The page that the agent has in common with heaptop: a memory file, which heaptop opens
 * by its number in /proc, sizes and pays for.
 *
 * The file is made by a thread that ends when heaptop has it, and whose table of
 * descriptors is its own and empty. In the target's table a number would be taken for
 * some microseconds: a program that closes one and opens another file expects the same
 * number again, and dup2() to a number that is just being given fails with EBUSY. That
 * is still so where there is no close_range() (before Linux 5.9) or no more thread.
 */
#include <asm/stat.h>
#include <asm/unistd.h>
#include <linux/fcntl.h>
#include <linux/memfd.h>
#include <linux/mman.h>
#include <linux/sched.h>

#include "agent/agent.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif
#ifndef __NR_close_range
#define __NR_close_range 436
#endif

#define CLOSE_RANGE_UNSHARE (1U << 1) /* linux/close_range.h, Linux 5.9 */
#define THREAD_FLAGS                                                                    \
    (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | \
     CLONE_CHILD_CLEARTID)
#define STACK_BYTES     2048
#define HIGH_DESCRIPTOR 50 /* a table of 64 is not made larger for it */
#define TAKING_NS       INT64_C(2000000000)
#define SOON_NS         INT64_C(5000000) /* heaptop is at work, and cannot wake anyone */
#define LOOK_NS         INT64_C(10000000)

struct offer {
    enum agent_offer outcome;
    void *page;
    uint32_t lives; /* the thread that makes it */
};

static long call3(long number, long a, long b, long c)
{
    return agent_system_call(number, a, b, c, 0, 0, 0);
}

static long make_file(void)
{
    long fd = call3(__NR_memfd_create, (long)"heaptop", MFD_CLOEXEC | MFD_NOEXEC_SEAL, 0);

    if (fd == -22) /* EINVAL: Linux before 6.3 */
        fd =
            call3(__NR_memfd_create, (long)"heaptop", MFD_CLOEXEC | MFD_ALLOW_SEALING, 0);
    return fd;
}

/* Before heaptop gives it a size. */
static void *map_file(long fd)
{
    long address = agent_system_call(__NR_mmap, 0, AGENT_SHARED_BYTES,
                                     PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    if (address < 0 && address > -4096)
        return NULL;
    /* A forked child must not write into the session of its parent. */
    call3(__NR_madvise, address, AGENT_SHARED_BYTES, MADV_DONTFORK);
    return (void *)address;
}

/* Shows heaptop the file, and waits until it has it. Of the thread `tid`; 0: of all. */
static void show_file(struct offer *offer, long fd, long tid)
{
    struct agent_region *region = agent.region;
    int64_t began = agent_now_ns();
    uint32_t taken;

    region->channel_tid = (int32_t)tid;
    region->channel_fd = (int32_t)fd;
    __atomic_store_n(&region->state, REGION_STATE_OFFERED, __ATOMIC_RELEASE);
    while (!(taken = __atomic_load_n(&region->channel_taken, __ATOMIC_ACQUIRE)) &&
           agent_now_ns() - began < TAKING_NS)
        agent_wait(&region->channel_taken, 0,
                   agent_now_ns() - began < SOON_NS ? SOON_NS / 500 : SOON_NS / 10,
                   false);
    offer->outcome = taken == 1 ? AGENT_OFFER_TAKEN : AGENT_OFFER_REFUSED;
}

/* ---- in a thread apart ---- */

static void offer_apart(void *with)
{
    struct offer *offer = with;
    long fd;

    if (call3(__NR_close_range, 0, -1, CLOSE_RANGE_UNSHARE) != 0)
        return;
    fd = make_file();
    if (fd < 0)
        return;
    offer->page = map_file(fd);
    if (offer->page)
        show_file(offer, fd, call3(__NR_gettid, 0, 0, 0));
}

static void offer_by_thread(struct offer *offer)
{
    char stack[STACK_BYTES] __attribute__((aligned(16)));

    offer->lives = 1;
    if (agent_thread_start(THREAD_FLAGS, stack + sizeof(stack), &offer->lives,
                           offer_apart, offer) < 0)
        return;
    while (__atomic_load_n(&offer->lives, __ATOMIC_ACQUIRE))
        agent_wait(&offer->lives, 1, LOOK_NS, true);
}

/* ---- in the target's own table ---- */

static uint64_t inode_of(long fd)
{
    struct stat status = {.st_ino = 0};

    return call3(__NR_fstat, fd, (long)&status, 0) == 0 ? status.st_ino : 0;
}

/* The program may have closed it, and given its number to a file of its own. */
static void close_own(long fd, uint64_t inode)
{
    if (inode && inode_of(fd) == inode)
        call3(__NR_close, fd, 0, 0);
}

/* Away from the numbers that programs close and expect to get again. */
static long move_up(long fd, uint64_t inode)
{
    long high = call3(__NR_fcntl, fd, F_DUPFD_CLOEXEC, HIGH_DESCRIPTOR);

    if (high < 0)
        return fd;
    close_own(fd, inode);
    return high;
}

/* Mapped while the number is surely the file's. */
static void offer_here(struct offer *offer)
{
    long fd = make_file();
    uint64_t inode;

    if (fd < 0)
        return;
    inode = inode_of(fd);
    offer->page = map_file(fd);
    fd = move_up(fd, inode);
    if (offer->page)
        show_file(offer, fd, 0);
    close_own(fd, inode);
}

enum agent_offer agent_offer(void **page)
{
    struct offer offer = {.outcome = AGENT_OFFER_IMPOSSIBLE, .page = NULL};

    offer_by_thread(&offer);
    if (offer.outcome == AGENT_OFFER_IMPOSSIBLE && !offer.page)
        offer_here(&offer);
    if (offer.page && offer.outcome != AGENT_OFFER_TAKEN)
        agent_unmap((uintptr_t)offer.page, AGENT_SHARED_BYTES);
    *page = offer.outcome == AGENT_OFFER_TAKEN ? offer.page : NULL;
    return offer.outcome;
}
