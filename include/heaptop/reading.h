/*
 * reading.h - a number that was read from the target, or could not be.
 *
 * Unknown is not zero: every headline number is a `struct reading`, and a
 * zeroed one is unknown. Text shows `-`, JSON shows null. A number that was
 * read while it changed is torn (shown with a trailing `?`), one that was
 * inferred from sampling is an estimate (shown with a leading `~`).
 */
#ifndef HEAPTOP_READING_H
#define HEAPTOP_READING_H

#include <stdbool.h>
#include <stdint.h>

enum reading_state {
    READING_UNKNOWN = 0,
    READING_EXACT,
    READING_TORN,
    READING_ESTIMATE,
};

struct reading {
    int64_t value;
    enum reading_state state;
};

static inline struct reading reading_exact(int64_t value)
{
    return (struct reading){value, READING_EXACT};
}

static inline struct reading reading_unknown(void)
{
    return (struct reading){0, READING_UNKNOWN};
}

/* Where less than 0 stands for unknown. */
static inline struct reading reading_of_count(int64_t value)
{
    return value < 0 ? reading_unknown() : reading_exact(value);
}

static inline bool reading_is_known(struct reading reading)
{
    return reading.state != READING_UNKNOWN;
}

/* Unknown when either is, and as uncertain as the worse of them. */
static inline struct reading reading_sum(struct reading a, struct reading b)
{
    if (!reading_is_known(a) || !reading_is_known(b))
        return reading_unknown();
    return (struct reading){a.value + b.value, a.state > b.state ? a.state : b.state};
}

/* newer - older; unknown when either is, and as uncertain as the worse of them. */
static inline struct reading reading_difference(struct reading newer,
                                                struct reading older)
{
    if (!reading_is_known(newer) || !reading_is_known(older))
        return reading_unknown();
    return (struct reading){newer.value - older.value,
                            newer.state > older.state ? newer.state : older.state};
}

#endif
