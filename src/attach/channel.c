#include "attach/channel.h"

#include <errno.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "util/clock.h"

#define PAGE_FILE_BYTES ((sizeof(struct agent_page) + 4095) & ~(size_t)4095)
#define PRIVATE_POLL_NS (5 * NS_PER_MS)

/* When this thread ends, however that comes, the kernel marks the owner word
 * and wakes the agent. Only the word itself lies in shared memory. */
static void register_owner(struct channel *channel)
{
    uint32_t *word = &channel->shared->client_owner;
    pid_t tid = (pid_t)syscall(SYS_gettid);

    if (syscall(SYS_get_robust_list, 0, &channel->old_robust,
                &channel->old_robust_bytes) != 0)
        return;
    channel->robust.next = &channel->robust;
    channel->robust.futex_offset = 0;
    channel->robust.pending = word;
    __atomic_store_n(word, (uint32_t)tid | FUTEX_WAITERS, __ATOMIC_RELEASE);
    if (syscall(SYS_set_robust_list, &channel->robust, sizeof(channel->robust)) == 0)
        channel->owner_tid = tid;
}

int channel_open_shared(struct channel *channel, int fd, struct err *err)
{
    void *page = mmap(NULL, PAGE_FILE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    memset(channel, 0, sizeof(*channel));
    if (page == MAP_FAILED)
        return err_set_errno(err, ERR_FAILED, errno, "cannot map the agent's memory");
    madvise(page, PAGE_FILE_BYTES, MADV_DONTFORK);
    channel->shared = page;
    register_owner(channel);
    return 0;
}

void channel_open_private(struct channel *channel, const struct target *target,
                          const struct injector *injector, uint64_t address)
{
    memset(channel, 0, sizeof(*channel));
    channel->target = target;
    channel->injector = injector;
    channel->address = address;
}

void channel_close(struct channel *channel)
{
    if (channel->owner_tid && channel->owner_tid == (pid_t)syscall(SYS_gettid))
        syscall(SYS_set_robust_list, channel->old_robust, channel->old_robust_bytes);
    if (channel->shared)
        munmap(channel->shared, PAGE_FILE_BYTES);
    memset(channel, 0, sizeof(*channel));
}

bool channel_copy(const struct channel *channel, size_t offset, void *to, size_t length)
{
    if (channel->shared) {
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        memcpy(to, (const char *)channel->shared + offset, length);
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        return true;
    }
    return channel->address &&
           reader_read(channel->target->reader, raddr_of(channel->address + offset), to,
                       length) == 0;
}

static uint32_t *word_at(const struct channel *channel, size_t offset)
{
    return (uint32_t *)((char *)channel->shared + offset);
}

bool channel_get(const struct channel *channel, size_t offset, uint32_t *value)
{
    if (!channel->shared)
        return channel_copy(channel, offset, value, sizeof(*value));
    *value = __atomic_load_n(word_at(channel, offset), __ATOMIC_ACQUIRE);
    return true;
}

bool channel_put(struct channel *channel, size_t offset, const void *from, size_t length)
{
    struct iovec local = {(void *)(uintptr_t)from, length};
    struct iovec remote = {(void *)(uintptr_t)(channel->address + offset), length};

    if (channel->shared) {
        memcpy((char *)channel->shared + offset, from, length);
        return true;
    }
    if (!channel->address)
        return false;
    return process_vm_writev(channel->target->pid, &local, 1, &remote, 1, 0) ==
               (ssize_t)length ||
           (channel->injector &&
            injector_write_page(channel->injector, offset, from, length));
}

void channel_publish(struct channel *channel, size_t offset, uint32_t value)
{
    if (!channel->shared) {
        channel_put(channel, offset, &value, sizeof(value));
        return;
    }
    __atomic_store_n(word_at(channel, offset), value, __ATOMIC_RELEASE);
    syscall(SYS_futex, word_at(channel, offset), FUTEX_WAKE, 0x7fffffff, NULL, NULL, 0);
}

void channel_wait(const struct channel *channel, size_t offset, uint32_t value,
                  int64_t limit_ns)
{
    struct timespec limit = {limit_ns / NS_PER_S, limit_ns % NS_PER_S};

    if (channel->shared) {
        syscall(SYS_futex, word_at(channel, offset), FUTEX_WAIT, value, &limit, NULL, 0);
        return;
    }
    if (limit_ns > PRIVATE_POLL_NS)
        limit = (struct timespec){0, PRIVATE_POLL_NS};
    nanosleep(&limit, NULL);
}
