#include "model/sharing.h"

#include <stdio.h>

#include "heaptop/units.h"

#define FREEZE_LEAST_BYTES (INT64_C(1) << 20) /* less is not worth a word */

/* Unknown where the oldest generation has no threshold: the incremental collector of 3.14
 * has no full collections, and heaptop says so by that. */
static struct reading full_collections(const struct gc_section *gc)
{
    const struct generation_row *oldest = gc ? &gc->generations[2] : NULL;

    if (!gc || gc->n_generations < 3 || !oldest->threshold.value)
        return reading_unknown();
    return oldest->collections;
}

/* Frozen objects are not written to: is that most of them? */
static bool is_frozen(const struct gc_section *gc)
{
    int64_t tracked = 0;

    if (!reading_is_known(gc->frozen))
        return false;
    for (size_t i = 0; i < gc->n_generations; i++)
        tracked += gc->generations[i].objects.value;
    return gc->frozen.value > tracked;
}

enum has_collected sharing_has_collected(const struct gc_section *worker,
                                         const struct gc_section *parent)
{
    struct reading own = full_collections(worker), theirs = full_collections(parent);

    if (!reading_is_known(own) || !reading_is_known(theirs) || own.value < theirs.value)
        return HAS_COLLECTED_UNKNOWN;
    return own.value > theirs.value && !is_frozen(worker) ? HAS_COLLECTED
                                                          : HAS_NOT_COLLECTED;
}

struct reading sharing_shared(const struct sharing *sharing)
{
    return sharing->wall_ns ? reading_exact(sharing->shared_bytes) : reading_unknown();
}

struct reading sharing_own(const struct sharing *sharing)
{
    return sharing->wall_ns ? reading_exact(sharing->own_bytes) : reading_unknown();
}

struct reading sharing_unshared(const struct sharing *sharing)
{
    int64_t bytes = 0;

    for (int i = 0; i < UNSHARED_CAUSES; i++)
        bytes += sharing->unshared_bytes[i];
    return sharing->wall_ns ? reading_exact(bytes) : reading_unknown();
}

struct reading sharing_unshared_by(const struct sharing *sharing, enum unshared_by cause)
{
    int64_t bytes = sharing->unshared_bytes[cause];

    if (!sharing->wall_ns)
        return reading_unknown();
    if (cause == UNSHARED_UNKNOWN || !sharing->unshared_bytes[UNSHARED_UNKNOWN])
        return reading_exact(bytes);
    return (struct reading){bytes, READING_ESTIMATE};
}

struct reading sharing_freeze(const struct sharing *sharing)
{
    if (!sharing->wall_ns)
        return reading_unknown();
    return (struct reading){sharing->unshared_bytes[UNSHARED_GC_HEADS], READING_ESTIMATE};
}

static size_t add_causes(const struct sharing *sharing, char *text, size_t size)
{
    static const char *const words[] = {"by GC heads", "by refcounts", "by new data",
                                        "unknown why"};
    char bytes[UNITS_MAX];
    size_t used = 0;

    for (int i = 0; i < UNSHARED_CAUSES && used < size; i++) {
        if (!sharing->unshared_bytes[i])
            continue;
        used += (size_t)snprintf(
            text + used, size - used, "%s%s %s", used ? ", " : "",
            units_bytes(bytes, reading_exact(sharing->unshared_bytes[i])), words[i]);
    }
    return used;
}

void sharing_add(struct sharing *sum, const struct sharing *sharing)
{
    if (!sum->wall_ns || sharing->wall_ns < sum->wall_ns)
        sum->wall_ns = sharing->wall_ns;
    sum->shared_bytes += sharing->shared_bytes;
    sum->own_bytes += sharing->own_bytes;
    sum->cpu_ns += sharing->cpu_ns;
    sum->read_bytes += sharing->read_bytes;
    for (int i = 0; i < UNSHARED_CAUSES; i++)
        sum->unshared_bytes[i] += sharing->unshared_bytes[i];
}

void sharing_words(const struct sharing *sharing, const char *who, char *text,
                   size_t size)
{
    struct reading unshared = sharing_unshared(sharing);
    int64_t heads_bytes = sharing->unshared_bytes[UNSHARED_GC_HEADS];
    char copied[UNITS_MAX], all[UNITS_MAX], freeze[UNITS_MAX], causes[160] = "";
    int used;

    text[0] = '\0';
    if (!sharing->wall_ns)
        return;
    units_bytes(copied, unshared);
    units_bytes(all, reading_exact(sharing->shared_bytes + unshared.value));
    add_causes(sharing, causes, sizeof(causes));
    used = snprintf(text, size, "%s copied %s of %s inherited%s%s", who, copied, all,
                    causes[0] ? ": " : "", causes);
    if (heads_bytes >= FREEZE_LEAST_BYTES && used > 0 && (size_t)used < size)
        snprintf(text + used, size - (size_t)used,
                 "; gc.freeze() before the fork would keep up to %s shared",
                 units_bytes(freeze, reading_exact(heads_bytes)));
}

const char *unshared_by_name(enum unshared_by cause)
{
    static const char *const names[] = {"gc_heads", "refcounts", "new_data", "unknown"};

    return names[cause];
}
