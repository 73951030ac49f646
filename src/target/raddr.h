/*
 * raddr.h - an address in the target.
 *
 * A type of its own, so that the compiler refuses to dereference it or to mix
 * it with a local pointer. Arithmetic wraps like the target's; whoever reads
 * through it must expect the read to fail.
 */
#ifndef HEAPTOP_TARGET_RADDR_H
#define HEAPTOP_TARGET_RADDR_H

#include <stdbool.h>
#include <stdint.h>

/* The end of user space: x86_64 with four levels of pages. */
#define RADDR_END (UINT64_C(1) << 47)

struct raddr {
    uint64_t value;
};

static inline struct raddr raddr_of(uint64_t value)
{
    return (struct raddr){value};
}

static inline struct raddr raddr_add(struct raddr base, int64_t offset)
{
    return (struct raddr){base.value + (uint64_t)offset};
}

/* May a word lie there? Nothing is mapped in the first page. */
static inline bool raddr_may_hold_word(uint64_t value)
{
    return value >= 4096 && value < RADDR_END && !(value & 7);
}

static inline bool raddr_is_null(struct raddr address)
{
    return address.value == 0;
}

#endif
