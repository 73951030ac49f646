#include "source/objects_agent.h"

#include <stdlib.h>
#include <string.h>

#include "attach/session.h"
#include "model/builder.h"
#include "model/kind.h"
#include "util/clock.h"

#define SLOTS_MAX 16384 /* no honest agent has more types */
#define WAIT_NS   (5 * NS_PER_MS)

void agent_walk_release(struct agent_walk *walk)
{
    free(walk->rows);
    memset(walk, 0, sizeof(*walk));
}

static enum source_result fail(struct agent_walk *walk, struct err *err, const char *why)
{
    agent_walk_release(walk);
    err_set(err, ERR_FAILED, "the agent could not count the objects: %s", why);
    return SOURCE_FAILED;
}

static void begin(struct agent_walk *walk)
{
    agent_walk_release(walk);
    walk->is_walking = true;
    walk->facts.walk.method = "agent";
    walk->facts.walk.began_mono_ns = clock_monotonic_ns();
}

/* How much of it the collector's account leaves out is known only in part: frozen objects
 * are not visited by every version, and untracked ones never are. */
static bool take_count(struct agent_walk *walk, const struct agent_answer *answer)
{
    if (answer->value < 0 || answer->value > SLOTS_MAX)
        return false;
    walk->n_slots = answer->value;
    walk->is_counted = true;
    walk->facts.walk.tracked_only = true;
    walk->facts.walk.is_cut_short = answer->before[0] != 1;
    walk->rows = calloc((size_t)walk->n_slots + 1, sizeof(*walk->rows));
    return walk->rows != NULL;
}

/* Types of one name are one kind. */
static struct kind_row *row_of(struct agent_walk *walk, const struct kind *kind)
{
    for (size_t i = 0; i < walk->n_rows; i++)
        if (walk->rows[i].kind == kind)
            return &walk->rows[i];
    walk->rows[walk->n_rows].kind = kind;
    return &walk->rows[walk->n_rows++];
}

static bool take_kinds(struct agent_walk *walk, struct session *session,
                       const struct agent_answer *answer)
{
    struct agent_kind kinds[AGENT_KINDS];
    int64_t left = walk->n_slots - walk->next;

    if (answer->value <= 0 || answer->value > AGENT_KINDS || answer->value > left ||
        !session_kinds(session, kinds, (size_t)answer->value))
        return false;
    for (int64_t i = 0; i < answer->value; i++) {
        const struct agent_kind *from = &kinds[i];
        struct kind_row *row = row_of(walk, kind_intern(from->name, strlen(from->name)));

        if (from->count < 0 || from->size_bytes < 0)
            return false;
        row->count += (uint64_t)from->count;
        row->tracked += (uint64_t)from->count;
        row->size_bytes += (uint64_t)from->size_bytes;
        row->memory_bytes += (uint64_t)from->size_bytes;
    }
    walk->next += answer->value;
    return true;
}

static bool ask(struct agent_walk *walk, struct session *session, struct err *err)
{
    const int64_t limit[AGENT_ARGUMENTS] = {AGENT_WALK_HOLD_NS, -1, -1};
    const int64_t first[AGENT_ARGUMENTS] = {walk->next, -1, -1};

    return session_ask(session, walk->is_counted ? AGENT_NAME : AGENT_PARTITION,
                       walk->is_counted ? first : limit, err) == 0;
}

static enum source_result finish(struct agent_walk *walk, struct source_context *context,
                                 struct err *err)
{
    struct walk_facts *facts = &walk->facts.walk;
    const struct objects_section *section;

    facts->ended_mono_ns = clock_monotonic_ns();
    facts->ended_wall_ns = clock_wall_ns();
    facts->wall_ns = facts->ended_mono_ns - facts->began_mono_ns;
    section = objects_seal(&walk->facts, walk->rows, walk->n_rows);
    if (!section)
        return fail(walk, err, "out of memory");
    builder_objects(context->builder, section);
    objects_unref(section);
    agent_walk_release(walk);
    return SOURCE_DONE;
}

/* One answer; false with `why` when it makes no sense. */
static bool take(struct agent_walk *walk, struct session *session,
                 const struct agent_answer *answer)
{
    if (answer->status != AGENT_STATUS_OK)
        return false;
    if (answer->gil_held_ns > 0)
        walk->facts.walk.stopped_ns += answer->gil_held_ns;
    return walk->is_counted ? take_kinds(walk, session, answer)
                            : take_count(walk, answer);
}

enum source_result agent_walk_sample(struct agent_walk *walk,
                                     struct source_context *context, struct err *err)
{
    struct err busy = ERR_INIT;
    struct agent_answer answer;

    if (!context->session)
        return fail(walk, err, "it is not there any more");
    if (!walk->is_walking)
        begin(walk);
    while (clock_monotonic_ns() < context->deadline_mono_ns) {
        if (!walk->is_asked && !ask(walk, context->session, &busy))
            return SOURCE_MORE; /* it has another command, or waits for the GIL */
        walk->is_asked = true;
        if (!session_answer(context->session, WAIT_NS, &answer))
            return SOURCE_MORE;
        walk->is_asked = false;
        if (!take(walk, context->session, &answer))
            return fail(walk, err, "its answer makes no sense");
        if (walk->next >= walk->n_slots)
            return finish(walk, context, err);
    }
    return SOURCE_MORE;
}
