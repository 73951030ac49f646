#include "model/collect_cost.h"

#include <string.h>

static struct reading tracked_objects(const struct snapshot *snapshot)
{
    const struct objects_section *objects = snapshot->objects;
    struct reading frozen = snapshot->gc->frozen;
    int64_t tracked = objects ? (int64_t)objects->tracked : 0;

    if (!objects || !objects->walk.complete)
        return reading_unknown();
    if (reading_is_known(frozen) && frozen.value <= tracked)
        tracked -= frozen.value;
    return (struct reading){tracked, READING_ESTIMATE};
}

struct reading collect_objects(const struct snapshot *snapshot, int generation)
{
    const struct gc_section *gc = snapshot->gc;
    int64_t sum = 0;

    if (!gc || generation < 0 || generation >= (int)gc->n_generations)
        return reading_unknown();
    for (int i = 0; i <= generation; i++) {
        if (!reading_is_known(gc->generations[i].objects))
            return generation == (int)gc->n_generations - 1 ? tracked_objects(snapshot)
                                                            : reading_unknown();
        sum += gc->generations[i].objects.value;
    }
    return reading_exact(sum);
}

/* The newest snapshot that was taken right after a collection of this generation. */
static const struct snapshot *newest_with_pause(const struct history *history,
                                                int generation)
{
    const struct snapshot *snapshot;

    for (size_t back = 0; (snapshot = history_back(history, back)); back++)
        if (snapshot->gc && snapshot->gc->pauses.last_generation == generation &&
            reading_is_known(snapshot->gc->pauses.last_ns))
            return snapshot;
    return NULL;
}

/* In proportion to the objects: a collection goes along all of them, more than once. */
static struct reading scale(struct reading ns, struct reading then, struct reading now)
{
    if (!reading_is_known(then) || !reading_is_known(now) || then.value <= 0)
        return ns;
    return (struct reading){
        (int64_t)((double)ns.value / (double)then.value * (double)now.value),
        READING_ESTIMATE};
}

/* A collection of the youngest begins when there are as many as its threshold says, and
 * leaves its list empty. */
static struct reading looked_at(const struct snapshot *seen, int generation)
{
    struct reading threshold = seen->gc->generations[0].threshold;

    if (generation > 0)
        return collect_objects(seen, generation);
    if (!reading_is_known(threshold) || threshold.value <= 0)
        return reading_unknown();
    return (struct reading){threshold.value, READING_ESTIMATE};
}

void collect_cost(const struct history *history, int generation,
                  struct collect_cost *cost)
{
    const struct snapshot *latest = history_latest(history), *seen;

    memset(cost, 0, sizeof(*cost));
    if (!latest)
        return;
    cost->objects = collect_objects(latest, generation);
    seen = newest_with_pause(history, generation);
    if (!seen) {
        seen = newest_with_pause(history, 0);
        generation = 0;
        cost->is_of_youngest = true;
    }
    if (!seen)
        return;
    cost->last_objects = looked_at(seen, generation);
    if (cost->is_of_youngest &&
        (!reading_is_known(cost->last_objects) || !reading_is_known(cost->objects)))
        return;
    cost->last_ns = seen->gc->pauses.last_ns;
    cost->expected_ns = scale(cost->last_ns, cost->last_objects, cost->objects);
}
