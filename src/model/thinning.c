#include "model/thinning.h"

#define HALVINGS 20 /* of the ratio: one point more or less does not matter */

/* From the newest back, each that is `ratio` of the age of the last one taken older than
 * it; the oldest at last. Returns how many, and writes them when there is room for all.
 */
static size_t choose(const int64_t *times_ns, size_t count, double ratio, size_t most,
                     size_t *kept)
{
    size_t last = count - 1, taken = 1;
    int64_t now_ns = times_ns[last];

    if (kept)
        kept[most - 1] = last;
    for (size_t i = last; i-- > 0;) {
        double gap = (double)(times_ns[last] - times_ns[i]);

        if (i > 0 && gap <= ratio * (double)(now_ns - times_ns[i]))
            continue;
        last = i;
        taken++;
        if (kept && taken <= most)
            kept[most - taken] = i;
    }
    return taken;
}

size_t thinning_choose(const int64_t *times_ns, size_t count, size_t most, size_t *kept)
{
    double low = 0, high = 1;
    size_t taken;

    for (int i = 0; i < HALVINGS; i++) {
        double ratio = (low + high) / 2;

        if (choose(times_ns, count, ratio, most, NULL) > most)
            low = ratio;
        else
            high = ratio;
    }
    taken = choose(times_ns, count, high, most, kept);
    if (taken > most) /* times that do not rise: the newest */
        taken = most;
    for (size_t i = 0; i < taken; i++)
        kept[i] = kept[most - taken + i];
    return taken;
}
