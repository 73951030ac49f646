#include "source/gc_pauses.h"

#include <stdlib.h>
#include <string.h>

#include "attach/session.h"
#include "util/clock.h"

#define PAUSE_MAX_NS (NS_PER_S * 86400)

/* More pauses than the ring holds may have come since the last look: the agent's own
 * sums have them all. */
static void take_sums(struct gc_pause_record *record, const struct agent_pause *pause)
{
    if (pause->total_ns > PAUSE_MAX_NS || pause->max_ns > pause->total_ns)
        return;
    if (pause->total_ns > record->total_ns)
        record->total_ns = pause->total_ns;
    if (pause->max_ns > record->max_ns)
        record->max_ns = pause->max_ns;
}

void gc_pauses_add(struct gc_pause_record *record, const struct agent_pause *pauses,
                   uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        int64_t pause_ns;

        if (pauses[i].began_ns < 0 || pauses[i].ended_ns < pauses[i].began_ns ||
            pauses[i].ended_ns - pauses[i].began_ns > PAUSE_MAX_NS) {
            record->has_missed = true;
            continue;
        }
        pause_ns = pauses[i].ended_ns - pauses[i].began_ns;
        record->kept_ns[record->n_kept++ % GC_PAUSES_KEPT] = pause_ns;
        if (record->n_kept == 2 * GC_PAUSES_KEPT)
            record->n_kept = GC_PAUSES_KEPT;
        if (record->total_ns <= INT64_MAX - pause_ns)
            record->total_ns += pause_ns;
        if (pause_ns > record->max_ns)
            record->max_ns = pause_ns;
        take_sums(record, &pauses[i]);
        record->last = pauses[i];
    }
}

void gc_pauses_take(struct gc_pause_record *record, struct session *session)
{
    struct agent_pause pauses[AGENT_PAUSES];
    uint32_t before = record->seen, count;

    count = session_pauses(session, &record->seen, pauses, AGENT_PAUSES);
    if (count > AGENT_PAUSES)
        count = AGENT_PAUSES;
    if (record->seen - before != count)
        record->has_missed = true;
    gc_pauses_add(record, pauses, count);
}

static int pause_compare(const void *left, const void *right)
{
    const int64_t *a = left, *b = right;

    return (*a > *b) - (*a < *b);
}

/* The pause that `percent` of the sorted ones do not exceed (nearest rank). */
static int64_t pause_percentile(const int64_t *sorted, size_t count, size_t percent)
{
    size_t rank = (count * percent + 99) / 100;

    return sorted[rank ? rank - 1 : 0];
}

void gc_pauses_fill(const struct gc_pause_record *record, struct gc_pauses *pauses)
{
    size_t kept = record->n_kept < GC_PAUSES_KEPT ? record->n_kept : GC_PAUSES_KEPT;
    bool is_whole = !record->has_missed || record->last.total_ns == record->total_ns;
    int64_t sorted[GC_PAUSES_KEPT];

    *pauses = (struct gc_pauses){.last_generation = -1, .exact = is_whole};
    pauses->count = reading_exact(record->seen);
    pauses->total_ns = reading_exact(record->total_ns);
    if (!is_whole)
        pauses->total_ns.state = READING_ESTIMATE;
    if (!kept)
        return;
    memcpy(sorted, record->kept_ns, kept * sizeof(sorted[0]));
    qsort(sorted, kept, sizeof(sorted[0]), pause_compare);
    pauses->p50_ns = reading_exact(pause_percentile(sorted, kept, 50));
    pauses->p99_ns = reading_exact(pause_percentile(sorted, kept, 99));
    if (record->has_missed)
        pauses->p50_ns.state = pauses->p99_ns.state = READING_ESTIMATE;
    pauses->max_ns = reading_exact(record->max_ns);
    pauses->last_ns = reading_exact(record->last.ended_ns - record->last.began_ns);
    pauses->last_wall_ns =
        reading_exact(clock_wall_ns() - clock_monotonic_ns() + record->last.ended_ns);
    if (record->last.generation >= 0 && record->last.generation < AGENT_GENERATIONS)
        pauses->last_generation = record->last.generation;
}
