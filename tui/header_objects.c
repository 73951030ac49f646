/* The header's line of objects, and the small forms of the header. */
#include <stdio.h>
#include <string.h>

#include "heaptop/units.h"
#include "model/difference.h"
#include "tui/header_private.h"
#include "tui/line.h"
#include "util/clock.h"

#define WIDE 120

static void add_walk(struct line *line, const struct header_input *input, bool is_wide)
{
    const struct walk_facts *walk = &input->now->objects->walk;
    int64_t age_ns = input->now->mono_ns - walk->ended_mono_ns;
    char took[UNITS_MAX], age[UNITS_MAX], read[UNITS_MAX];
    struct part *part = line_part(line, 2);

    units_duration(took, reading_exact(walk->wall_ns));
    if (age_ns < NS_PER_S)
        snprintf(age, sizeof(age), "now");
    else
        snprintf(age, sizeof(age), "%llds old", (long long)(age_ns / NS_PER_S));
    if (age_ns >= 100 * NS_PER_S) {
        units_duration(age, reading_exact(age_ns));
        snprintf(age + strlen(age), sizeof(age) - strlen(age), " old");
    }
    if (walk->oldest_mono_ns)
        snprintf(age, sizeof(age), "up to %llds old",
                 (long long)((input->now->mono_ns - walk->oldest_mono_ns) / NS_PER_S));
    part_add(part, ROLE_DIM, "walk");
    part_add(part, ROLE_HEADER, "%s, %s,", took, age);
    if (!walk->complete)
        part_add(part, ROLE_WARNING, "partial");
    else
        part_add(part, ROLE_HEADER, walk->is_exact ? "exact" : "complete");
    if (walk->torn_pools)
        part_add(part, ROLE_WARNING, "%llu torn", (unsigned long long)walk->torn_pools);
    if (!is_wide)
        return;
    if (walk->torn_pools && walk->pools)
        part_add(part, ROLE_WARNING, "(%.2g%%)",
                 100.0 * (double)walk->torn_pools / (double)walk->pools);
    if (input->now->cost.walk_period_ns > 0) {
        part = line_part(line, 7);
        part_add(part, ROLE_DIM, "walks take");
        part_add(part, ROLE_HEADER, "%.1f%% CPU",
                 100.0 * (double)input->now->cost.walk_cpu_ns /
                     (double)input->now->cost.walk_period_ns);
    }
    part = line_part(line, 6);
    part_add(part, ROLE_DIM, "read");
    part_add(part, ROLE_HEADER, "%s",
             units_bytes(read, reading_exact((int64_t)walk->read_bytes)));
    part_add(part, ROLE_DIM, "stop");
    part_add(part, walk->stopped_ns ? ROLE_WARNING : ROLE_HEADER, "%s",
             walk->stopped_ns ? units_duration(took, reading_exact(walk->stopped_ns))
                              : "0");
}

/* The price: one thread diverted, once; the interpreter held, at each sample. Where there
 * is little room, the second is what counts. */
static void add_loaded(struct line *line, struct part *part,
                       const struct cost_facts *cost, bool is_wide)
{
    char diverted[UNITS_MAX], held[UNITS_MAX];

    units_duration(held, cost->gil_held_ns);
    part_add(part, ROLE_DIM, "agent");
    if (!is_wide && reading_is_known(cost->gil_held_ns)) {
        part_add(part, ROLE_HEADER, "GIL %s", held);
        return;
    }
    part_add(part, ROLE_HEADER, "loaded,");
    part_add(part, ROLE_HEADER, "diverted %s",
             units_duration(diverted, reading_exact(cost->target_stopped_ns)));
    if (reading_is_known(cost->gil_held_ns))
        part_add(line_part(line, 6), ROLE_HEADER, "GIL %s", held);
}

static void add_agent(struct line *line, const struct snapshot *now, bool has_reason,
                      bool is_wide)
{
    const struct access_facts *access = &now->access;
    struct part *part = line_part(line, 5);

    switch (access->agent) {
    case AGENT_LOADED:
        add_loaded(line, part, &now->cost, is_wide);
        break;
    case AGENT_ATTACHING:
        part_add(part, ROLE_WARNING, "agent attaching");
        break;
    case AGENT_LOST:
        part_add(part, ROLE_WARNING, "agent lost");
        break;
    case AGENT_NONE:
        if (!has_reason) /* else that line says it */
            part_add(part, ROLE_DIM, "no agent");
        break;
    }
}

static void add_mark(struct line *line, const struct header_input *input)
{
    const struct mark *mark = input->mark;
    char ago[UNITS_MAX];

    if (!mark)
        return;
    int64_t age_ns = input->now->mono_ns - mark->snapshot->mono_ns;
    struct part *part = line_part(line, 3);
    part->is_right = true;
    part_add(part, ROLE_DIM, "mark #%u", (unsigned)mark->number);
    if (mark->name[0])
        part_add(part, ROLE_HEADER, "%s", mark->name);
    if (difference_is_within_one(mark->snapshot, input->now))
        part_add(part, ROLE_HEADER, age_ns < 0 ? "%s later" : "%s ago",
                 units_duration(ago, reading_exact(age_ns < 0 ? -age_ns : age_ns)));
}

static void add_count(struct line *line, const struct header_input *input)
{
    const struct objects_section *objects = input->now->objects;
    const struct objects_section *older = input->walked ? input->walked->objects : NULL;
    struct part *part = line_part(line, 1);
    char buffer[UNITS_MAX];

    part_add(part, ROLE_DIM, "objects");
    if (!objects) {
        part_add(part, ROLE_HEADER, "-");
        return;
    }
    part_add(part, ROLE_VALUE, "%s%s",
             units_count(buffer, reading_exact((int64_t)objects->count)),
             objects->walk.complete ? "" : "?");
    if (!older)
        return;
    int64_t delta = (int64_t)objects->count - (int64_t)older->count;
    part_add(part,
             delta > 0   ? ROLE_GROWTH
             : delta < 0 ? ROLE_SHRINK
                         : ROLE_DIM,
             "%s", units_count_delta(buffer, reading_exact(delta)));
}

void header_draw_objects(const struct header_input *input, struct canvas *canvas, int y,
                         int width, bool has_reason)
{
    const struct objects_section *objects = input->now->objects;
    char buffer[UNITS_MAX];
    struct line line;

    line_init(&line);
    add_count(&line, input);
    if (objects && width >= WIDE) {
        struct part *part = line_part(&line, 7);

        part_add(part, ROLE_DIM, "tracked");
        part_add(part, ROLE_HEADER, "%s",
                 units_count(buffer, reading_exact((int64_t)objects->tracked)));
    }
    if (objects)
        add_walk(&line, input, width >= WIDE);
    else
        part_add(line_part(&line, 2), ROLE_DIM, "no walk yet");
    add_agent(&line, input->now, has_reason, width >= WIDE);
    add_mark(&line, input);
    line_draw(&line, canvas, y, 1, width - 2);
}

void header_draw_reason(const struct header_input *input, struct canvas *canvas, int y,
                        int width)
{
    const struct access_facts *access = &input->now->access;
    const char *what = "note:";

    if (access->method == METHOD_PROCESS_ONLY)
        what = "process numbers only:";
    else if (access->method == METHOD_AGENT)
        what = "counted by the agent:";
    else if (access->agent == AGENT_NONE)
        what = "no agent:";
    else if (access->agent == AGENT_LOST)
        what = "agent lost:";
    const char *why = access->why;
    if (strncmp(why, what, strlen(what)) == 0) /* the reason may say it as well */
        why += strlen(what);
    why += strspn(why, " ");
    int used = canvas_text(canvas, y, 1, width - 2, ROLE_WARNING, what);
    canvas_text(canvas, y, used + 2, width - 3 - used, ROLE_HEADER, why);
}

static struct reading res_of(const struct snapshot *snapshot)
{
    return snapshot && snapshot->process ? snapshot->process->res_bytes
                                         : reading_unknown();
}

static struct reading arenas_of(const struct snapshot *snapshot)
{
    return snapshot->pymalloc ? reading_exact((int64_t)snapshot->pymalloc->arena_bytes)
                              : reading_unknown();
}

static struct reading full_runs_of(const struct snapshot *snapshot)
{
    const struct gc_section *gc = snapshot->gc;

    if (!gc || !gc->n_generations || gc->n_generations > GENERATIONS_MAX)
        return reading_unknown();
    return gc->generations[gc->n_generations - 1].collections;
}

static void add_short(struct line *line, int priority, const char *name, const char *text)
{
    struct part *part = line_part(line, priority);

    part_add(part, ROLE_DIM, "%s", name);
    part_add(part, ROLE_VALUE, "%s", text);
}

void header_draw_short(const struct header_input *input, struct canvas *canvas, int y,
                       int width)
{
    const struct snapshot *now = input->now;
    struct reading delta = reading_difference(res_of(now), res_of(input->older));
    char buffer[UNITS_MAX], name[UNITS_MAX];
    struct line line;

    line_init(&line);
    add_short(
        &line, 2, "VIRT",
        units_bytes(buffer, now->process ? now->process->virt_bytes : reading_unknown()));
    add_short(&line, 1, "RES", units_bytes(buffer, res_of(now)));
    if (reading_is_known(delta))
        part_add(&line.parts[1], delta.value > 0 ? ROLE_GROWTH : ROLE_DIM, "%s",
                 units_bytes_delta(buffer, delta));
    add_short(&line, 3, "pm", units_bytes(buffer, arenas_of(now)));
    if (now->gc && now->gc->n_generations) {
        snprintf(name, sizeof(name), "gen%zu", now->gc->n_generations - 1);
        add_short(&line, 4, name, units_count(buffer, full_runs_of(now)));
    }
    if (now->objects)
        add_short(&line, 5, "objects",
                  units_count(buffer, reading_exact((int64_t)now->objects->count)));
    line_draw(&line, canvas, y, 1, width - 2);
}

/* The lines in the order in which they are given up, RES last. */
static int tiny_lines(const struct header_input *input, char lines[5][64])
{
    const struct snapshot *now = input->now;
    struct reading delta = reading_difference(res_of(now), res_of(input->older));
    char first[UNITS_MAX], second[UNITS_MAX];
    bool is_ended = now->target.state == TARGET_ENDED;

    snprintf(lines[0], 64, "%d%s", (int)now->target.pid, is_ended ? " ENDED" : "");
    snprintf(
        lines[1], 64, "VIRT %s",
        units_bytes(first, now->process ? now->process->virt_bytes : reading_unknown()));
    snprintf(lines[2], 64, "RES %s %s", units_bytes(first, res_of(now)),
             reading_is_known(delta) ? units_bytes_delta(second, delta) : "");
    snprintf(lines[3], 64, "pm %s gc %s", units_bytes(first, arenas_of(now)),
             units_count(second, full_runs_of(now)));
    snprintf(lines[4], 64, "RES %s", units_bytes(first, res_of(now)));
    return 4;
}

void header_draw_tiny(const struct header_input *input, struct canvas *canvas,
                      const struct rect *rect)
{
    static const int order[] = {2, 1, 0, 3}; /* who gets a line first */
    bool is_drawn[4] = {false};
    char lines[5][64];
    int count = tiny_lines(input, lines), y = rect->y;

    if (rect->width < 14 || rect->height < 3) {
        const char *number = lines[4] + strlen("RES ");
        const char *text = rect->width < (int)strlen(lines[4]) ? number : lines[4];

        canvas_text(canvas, y, rect->x, rect->width, ROLE_VALUE, text);
        if (input->now->target.state == TARGET_ENDED)
            canvas_text(canvas, y + 1, rect->x, rect->width, ROLE_WARNING, "ENDED");
        return;
    }
    for (int i = 0; i < count && i < rect->height; i++)
        is_drawn[order[i]] = true;
    for (int i = 0; i < count; i++)
        if (is_drawn[i])
            canvas_text(canvas, y++, rect->x, rect->width, ROLE_VALUE, lines[i]);
}
