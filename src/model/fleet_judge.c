/*
 * Outliers and sums. Who does the same work as others should need what they need, so
 * processes of one role and parent are compared: one is an outlier when it lies above the
 * median by more than 3.5 deviations, a quarter of the median, and a floor under which
 * nobody cares. The deviation is the median one, made comparable with a standard
 * deviation by 1.4826 (Iglewicz and Hoaglin, How to Detect and Handle Outliers, 1993):
 * unlike a mean, it is not moved by the outlier itself.
 */
#include "model/fleet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "heaptop/units.h"

#define DEVIATIONS       3.5
#define DEVIATION_FACTOR 1.4826
#define SHARE_OF_MEDIAN  0.25
#define PEERS_LEAST      3

/* Growth is the better sign, for it comes before the size. */
static const struct measure {
    enum outlier outlier;
    size_t member; /* of struct fleet_row */
    int64_t floor_bytes;
} measures[] = {
    {OUTLIER_GROWTH, offsetof(struct fleet_row, growth_bytes), INT64_C(1) << 20},
    {OUTLIER_PRIVATE, offsetof(struct fleet_row, private_bytes), INT64_C(16) << 20},
    {OUTLIER_RES, offsetof(struct fleet_row, res_bytes), INT64_C(16) << 20},
};

static struct reading value_of(const struct fleet_row *row, size_t member)
{
    return *(const struct reading *)((const char *)row + member);
}

static bool is_alive(const struct fleet_row *row)
{
    return row->state != MEMBER_ENDED;
}

static bool are_peers(const struct fleet_row *one, const struct fleet_row *other)
{
    return is_alive(other) && one->parent == other->parent && one->role[0] &&
           !strcmp(one->role, other->role);
}

static int compare_values(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;

    return (a > b) - (a < b);
}

static int64_t median(int64_t *values, size_t count)
{
    qsort(values, count, sizeof(*values), compare_values);
    return count % 2 ? values[count / 2]
                     : (values[count / 2 - 1] + values[count / 2]) / 2;
}

static int64_t median_deviation(const int64_t *values, size_t count, int64_t middle)
{
    int64_t away[FLEET_MEMBERS_MAX];

    for (size_t i = 0; i < count; i++)
        away[i] = values[i] > middle ? values[i] - middle : middle - values[i];
    return median(away, count);
}

/* How far above the median is too far. */
static double bound(const struct measure *measure, int64_t *values, size_t count,
                    int64_t *middle)
{
    double most = (double)measure->floor_bytes, by_deviation, by_share;

    *middle = median(values, count);
    by_deviation =
        DEVIATIONS * DEVIATION_FACTOR * (double)median_deviation(values, count, *middle);
    by_share = SHARE_OF_MEDIAN * (double)*middle;
    most = by_deviation > most ? by_deviation : most;
    return by_share > most ? by_share : most;
}

static bool judge_by(struct fleet_row *row, const struct fleet_sample *sample,
                     const struct measure *measure)
{
    struct reading own = value_of(row, measure->member);
    int64_t values[FLEET_MEMBERS_MAX], middle;
    size_t count = 0;
    double most;

    for (size_t i = 0; i < sample->count; i++) {
        struct reading value = value_of(&sample->rows[i], measure->member);

        if (reading_is_known(value) && are_peers(row, &sample->rows[i]))
            values[count++] = value.value;
    }
    if (!reading_is_known(own) || count < PEERS_LEAST)
        return false;
    most = bound(measure, values, count, &middle);
    if ((double)own.value - (double)middle <= most)
        return false;
    row->outlier = measure->outlier;
    row->peers = count;
    row->outlier_value = own;
    row->outlier_median = reading_exact(middle);
    return true;
}

static void judge_row(struct fleet_row *row, const struct fleet_sample *sample)
{
    row->outlier = OUTLIER_NONE;
    for (size_t i = 0; is_alive(row) && i < sizeof(measures) / sizeof(measures[0]); i++)
        if (judge_by(row, sample, &measures[i]))
            return;
}

static void add(struct reading *sum, struct reading value)
{
    *sum = reading_sum(*sum, value);
}

static void take_older(int64_t *oldest_ns, int64_t wall_ns)
{
    if (wall_ns && (!*oldest_ns || wall_ns < *oldest_ns))
        *oldest_ns = wall_ns;
}

static void sum_row(struct fleet_sums *sums, const struct fleet_row *row)
{
    sums->closed += row->state == MEMBER_CLOSED;
    sums->outliers += row->outlier != OUTLIER_NONE;
    add(&sums->res_bytes, row->res_bytes);
    add(&sums->pss_bytes, row->pss_bytes);
    add(&sums->private_bytes, row->private_bytes);
    add(&sums->swap_bytes, row->swap_bytes);
    add(&sums->arena_bytes, row->arena_bytes);
    add(&sums->malloc_bytes, row->malloc_bytes);
    add(&sums->other_bytes, row->other_bytes);
    add(&sums->objects, row->objects);
    add(&sums->growth_bytes, row->growth_bytes);
    take_older(&sums->oldest_res_wall_ns, row->res_wall_ns);
    take_older(&sums->oldest_sampled_wall_ns, row->sampled_wall_ns);
    take_older(&sums->oldest_walked_wall_ns, row->walked_wall_ns);
}

size_t fleet_sharing_below(const struct fleet_sample *sample, pid_t parent,
                           struct sharing *sum)
{
    size_t count = 0;

    *sum = (struct sharing){.parent = parent};
    for (size_t i = 0; i < sample->count; i++) {
        const struct fleet_row *row = &sample->rows[i];

        if (!row->sharing.wall_ns || !is_alive(row) || (parent && row->parent != parent))
            continue;
        sharing_add(sum, &row->sharing);
        count++;
    }
    return count;
}

void fleet_judge(struct fleet_sample *sample)
{
    struct fleet_sums *sums = &sample->sums;
    const struct reading zero = reading_exact(0);

    *sums = (struct fleet_sums){
        .res_bytes = zero,
        .pss_bytes = zero,
        .private_bytes = zero,
        .swap_bytes = zero,
        .arena_bytes = zero,
        .malloc_bytes = zero,
        .other_bytes = zero,
        .objects = zero,
        .growth_bytes = zero,
    };
    fleet_sharing_below(sample, 0, &sums->sharing);
    for (size_t i = 0; i < sample->count; i++) {
        struct fleet_row *row = &sample->rows[i];

        judge_row(row, sample);
        sums->ended += !is_alive(row);
        sums->members += is_alive(row);
        if (is_alive(row))
            sum_row(sums, row);
    }
}

void fleet_outlier_words(const struct fleet_row *row, char *text, size_t size)
{
    char value[UNITS_MAX], middle[UNITS_MAX];

    text[0] = '\0';
    units_bytes(value, row->outlier_value);
    units_bytes(middle, row->outlier_median);
    if (row->outlier == OUTLIER_GROWTH)
        snprintf(text, size, "%d grows by %s a minute; the median of %zu is %s",
                 (int)row->pid, value, row->peers, middle);
    else if (row->outlier != OUTLIER_NONE)
        snprintf(text, size, "%d has %s %s; the median of %zu is %s", (int)row->pid,
                 value, row->outlier == OUTLIER_PRIVATE ? "private" : "resident",
                 row->peers, middle);
}
