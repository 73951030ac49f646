/*
 * What the agent has mapped: itself, the region, tables. A forked child has none of
 * it but the kept pages (kept_*.S), unless the kernel cannot wipe a page at a fork
 * (before 4.14) or a seccomp filter stands between; then the child has a copy that
 * nobody uses.
 */
#include <asm/unistd.h>
#include <linux/mman.h>
#include <linux/prctl.h>

#include "agent/agent.h"

static void advise(uint64_t address, uint64_t bytes, int advice)
{
    if (bytes)
        agent_system_call(__NR_madvise, (long)address, (long)bytes, advice, 0, 0, 0);
}

void agent_unmap(uint64_t address, uint64_t bytes)
{
    if (bytes)
        agent_system_call(__NR_munmap, (long)address, (long)bytes, 0, 0, 0, 0);
}

void *agent_map(uint64_t bytes)
{
    long address = agent_system_call(__NR_mmap, 0, (long)bytes, PROT_READ | PROT_WRITE,
                                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (address < 0 && address > -4096)
        return NULL;
    if (agent.hides_from_forks)
        advise((uint64_t)address, bytes, MADV_DONTFORK);
    return (void *)address;
}

void agent_region_close(void)
{
    agent_unmap((uintptr_t)agent.region, REGION_BYTES);
}

/* The image without the kept pages: the code, what is between, the data. */
struct pieces {
    uint64_t code, code_bytes;
    uint64_t middle, middle_bytes;
    uint64_t data, data_bytes;
};

static struct pieces image_pieces(void)
{
    uint64_t kept_code = (uintptr_t)agent_kept_code;
    uint64_t kept_data = (uintptr_t)&agent_kept;
    struct pieces pieces = {.code = agent_place.image};

    pieces.code_bytes = kept_code - pieces.code;
    pieces.middle = kept_code + AGENT_PAGE_BYTES;
    pieces.middle_bytes = kept_data - pieces.middle;
    pieces.data = (uintptr_t)&agent_guard + AGENT_PAGE_BYTES;
    pieces.data_bytes = agent_place.image + agent_place.image_bytes - pieces.data;
    return pieces;
}

/* After the data is gone, nothing but the stack may be used. */
void agent_farewell_say(struct agent_farewell *farewell, enum agent_rest rest)
{
    struct pieces pieces = image_pieces();

    farewell->unmap = agent_place.unmap;
    farewell->address = pieces.code;
    farewell->bytes = rest == AGENT_REST_NOTHING ? agent_place.image_bytes
                      : rest == AGENT_REST_ENTRY ? pieces.code_bytes
                                                 : 0;
    if (rest != AGENT_REST_ENTRY)
        return;
    agent_unmap(pieces.middle, pieces.middle_bytes);
    agent_unmap(pieces.data, pieces.data_bytes);
}

static void advise_all(int advice)
{
    struct pieces pieces = image_pieces();

    advise(pieces.code, pieces.code_bytes, advice);
    advise(pieces.middle, pieces.middle_bytes, advice);
    advise(pieces.data, pieces.data_bytes, advice);
    advise((uintptr_t)agent.region, REGION_BYTES, advice);
}

void agent_fork_prepare(void)
{
    if (agent.is_restricted)
        return;
    agent.pid = (int)agent_system_call(__NR_getpid, 0, 0, 0, 0, 0, 0);
    agent.hides_from_forks =
        agent_system_call(__NR_madvise, (long)&agent_guard, AGENT_PAGE_BYTES,
                          MADV_WIPEONFORK, 0, 0, 0) == 0;
    if (agent.hides_from_forks)
        advise_all(MADV_DONTFORK);
    agent_system_call(__NR_prctl, PR_SET_NAME, (long)AGENT_THREAD_NAME, 0, 0, 0, 0);
}

void agent_fork_allow(void)
{
    if (agent.hides_from_forks)
        advise_all(MADV_DOFORK);
}

/* A child that a finalizer forked in the agent's thread ends here: it has come back to
 * where it has nothing to do. */
void agent_fork_forbid(void)
{
    if (!agent.hides_from_forks)
        return;
    if (!agent_guard.on_collection)
        agent_system_call(__NR_exit_group, 0, 0, 0, 0, 0, 0);
    advise_all(MADV_DONTFORK);
}

/* False in a forked child that has a copy of everything. */
bool agent_is_original(void)
{
    return agent.hides_from_forks || agent.is_restricted ||
           (int)agent_system_call(__NR_getpid, 0, 0, 0, 0, 0, 0) == agent.pid;
}
