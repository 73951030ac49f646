/*
 * What the agent wants from the kernel: time, futexes, the shared page, the
 * life of heaptop. Under seccomp nothing but mmap, munmap and futex is
 * called, and rt_sigprocmask once, as by every new thread.
 */
#include <asm/unistd.h>
#include <linux/futex.h>
#include <linux/mman.h>
#include <linux/time.h>

#include "agent/agent.h"

#define SIG_UNBLOCK 1
#define NS_PER_S    INT64_C(1000000000)
#define PATIENCE_NS (3 * NS_PER_S / 2) /* without a beat */

struct timespec64 {
    int64_t s, ns;
};

static long call2(long number, long a, long b)
{
    return agent_system_call(number, a, b, 0, 0, 0, 0);
}

int64_t agent_now_ns(void)
{
    struct timespec64 now = {0, 0};
    int (*gettime)(int, struct timespec64 *) =
        (int (*)(int, struct timespec64 *))(uintptr_t)agent_place.clock_gettime;

    if (gettime)
        gettime(CLOCK_MONOTONIC, &now);
    else
        call2(__NR_clock_gettime, CLOCK_MONOTONIC, (long)&now);
    return now.s * NS_PER_S + now.ns;
}

void agent_wait(uint32_t *word, uint32_t value, int64_t limit_ns, bool shared)
{
    struct timespec64 limit = {limit_ns / NS_PER_S, limit_ns % NS_PER_S};

    agent_system_call(__NR_futex, (long)word,
                      FUTEX_WAIT | (shared ? 0 : FUTEX_PRIVATE_FLAG), value, (long)&limit,
                      0, 0);
}

void agent_wake(uint32_t *word)
{
    agent_system_call(__NR_futex, (long)word, FUTEX_WAKE, 0x7fffffff, 0, 0, 0);
}

/* Who borrowed a thread to start this one has left it unblocked; what a program starts or
 * executes itself need not. */
void agent_hear_of_credentials(void)
{
    uint64_t setxid = UINT64_C(1) << (GLIBC_SIGSETXID - 1);

    agent_system_call(__NR_rt_sigprocmask, SIG_UNBLOCK, (long)&setxid, 0, sizeof(setxid),
                      0, 0);
}

/* The kernel marks the owner word when this thread ends, however that comes. */
static void robust_open(void)
{
    struct agent_page *page = agent.page;
    long tid = call2(__NR_gettid, 0, 0);

    if (agent_system_call(__NR_get_robust_list, 0, (long)&agent.old_robust,
                          (long)&agent.old_robust_bytes, 0, 0, 0) != 0)
        return;
    agent.robust.next = &agent.robust;
    agent.robust.futex_offset = 0;
    agent.robust.pending = &page->agent_owner;
    page->agent_owner = (uint32_t)tid | FUTEX_WAITERS;
    call2(__NR_set_robust_list, (long)&agent.robust, sizeof(agent.robust));
}

static void use_private_page(void)
{
    agent.page = (struct agent_page *)((char *)agent.region + REGION_PAGE);
    agent.region->page_is_private = 1;
}

static void use_shared_page(void *page)
{
    agent.page = page;
    agent.page_is_shared = true;
    robust_open();
}

int agent_channel_open(void)
{
    void *page = NULL;
    enum agent_offer offer = AGENT_OFFER_IMPOSSIBLE;

    agent.region->channel_fd = -1;
    if (agent_place.page)
        page = (void *)(uintptr_t)agent_place.page; /* heaptop started the program */
    else if (!agent.is_restricted)
        offer = agent_offer(&page);
    if (offer == AGENT_OFFER_REFUSED)
        return -1;
    if (page)
        use_shared_page(page);
    else
        use_private_page();
    agent.page->version = AGENT_PROTOCOL_VERSION;
    agent.page->life = AGENT_LIFE_STARTING;
    __atomic_store_n(&agent.page->magic, AGENT_MAGIC, __ATOMIC_RELEASE);
    __atomic_store_n(&agent.region->state, REGION_STATE_CONNECTED, __ATOMIC_RELEASE);
    agent.last_beat_ns = agent_now_ns();
    return 0;
}

void agent_channel_share(bool with_child)
{
    agent_system_call(__NR_madvise, (long)agent.page, AGENT_SHARED_BYTES,
                      with_child ? MADV_DOFORK : MADV_DONTFORK, 0, 0, 0);
}

void agent_channel_close(bool unmap)
{
    if (!agent.page_is_shared)
        return;
    if (agent.old_robust_bytes) {
        call2(__NR_set_robust_list, (long)agent.old_robust, (long)agent.old_robust_bytes);
        agent.page->agent_owner = FUTEX_OWNER_DIED;
    }
    agent_wake(&agent.page->answered);
    if (unmap)
        agent_unmap((uintptr_t)agent.page, AGENT_SHARED_BYTES);
}

/* Who has put their name on the shared page is watched by the kernel, which marks the
 * word when they die: a heaptop that is stopped or slow is not taken for dead. On a
 * private page, and until the name is there, only the beat tells. */
bool agent_client_is_gone(void)
{
    uint32_t owner = __atomic_load_n(&agent.page->client_owner, __ATOMIC_RELAXED);
    uint32_t beat = __atomic_load_n(&agent.page->client_beat, __ATOMIC_RELAXED);
    int64_t now = agent_now_ns();

    if (owner & FUTEX_OWNER_DIED)
        return true;
    if (beat != agent.last_beat || (agent.page_is_shared && (owner & FUTEX_TID_MASK))) {
        agent.last_beat = beat;
        agent.last_beat_ns = now;
    }
    return now - agent.last_beat_ns > PATIENCE_NS;
}
