#include "model/thinning.h"

#define BATCH_SHARE 8 /* of the axis: so many points get room at once */

/* So many old ones and so many that become old have to fit in one half. */
static size_t choose_distance(struct thinning *thinning, size_t n_aging, size_t room)
{
    size_t stride = 1;

    if (!thinning->every)
        thinning->every = 1;
    while (thinning->n_old / stride + n_aging / thinning->every + 2 > room) {
        stride *= 2;
        thinning->every *= 2;
    }
    return stride;
}

size_t thinning_choose(struct thinning *thinning, size_t count, size_t *kept)
{
    size_t half = count / 2, first_dense = count - half + count / BATCH_SHARE;
    size_t stride = choose_distance(thinning, first_dense - thinning->n_old, half);
    size_t n_kept = 0;

    for (size_t i = 0; i < thinning->n_old; i += stride)
        kept[n_kept++] = i;
    for (size_t i = thinning->n_old; i < first_dense; i++)
        if (thinning->number++ % thinning->every == 0)
            kept[n_kept++] = i;
    thinning->n_old = n_kept;
    for (size_t i = first_dense; i < count; i++)
        kept[n_kept++] = i;
    return n_kept;
}
