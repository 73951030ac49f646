#include "tui/header.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "heaptop/units.h"
#include "tui/header_private.h"
#include "tui/line.h"
#include "tui/series.h"
#include "util/clock.h"

#define SPARK_MOST 32
#define SPARK_SPAN (300 * NS_PER_S)
#define WIDE       120

static enum role delta_role(struct reading delta)
{
    if (!reading_is_known(delta) || delta.value == 0)
        return ROLE_DIM;
    return delta.value > 0 ? ROLE_GROWTH : ROLE_SHRINK;
}

static struct reading of_count(uint64_t count)
{
    return reading_exact((int64_t)count);
}

static void add_bytes(struct line *line, int priority, const char *name,
                      struct reading bytes)
{
    char buffer[UNITS_MAX];
    struct part *part = line_part(line, priority);

    part_add(part, ROLE_DIM, "%s", name);
    part_add(part, ROLE_HEADER, "%s", units_bytes(buffer, bytes));
}

static void add_bytes_delta(struct line *line, int priority, const char *name,
                            struct reading bytes, struct reading delta)
{
    char buffer[UNITS_MAX];
    struct part *part = line_part(line, priority);

    part_add(part, ROLE_DIM, "%s", name);
    part_add(part, ROLE_VALUE, "%s", units_bytes(buffer, bytes));
    if (reading_is_known(delta))
        part_add(part, delta_role(delta), "%s", units_bytes_delta(buffer, delta));
}

static bool is_recorded(const struct header_input *input)
{
    return input->recording && input->recording[0];
}

static void add_state(struct line *line, const struct header_input *input, bool is_wide)
{
    const struct snapshot *now = input->now;
    struct part *part = line_part(line, 2);
    char buffer[UNITS_MAX];

    part->is_right = true;
    if (input->replay && input->replay[0]) {
        part_add(part, ROLE_WARNING, "%s", input->replay);
    } else if (now->target.state == TARGET_ENDED) {
        part_add(part, ROLE_WARNING, "ENDED");
        if (now->target.ended_wall_ns)
            part_add(part, ROLE_WARNING, "%s",
                     units_clock(buffer, now->target.ended_wall_ns));
    } else if (input->is_past) {
        part_add(part, ROLE_WARNING, "HISTORY");
    } else if (input->is_paused) {
        part_add(part, ROLE_WARNING, "PAUSED");
    } else if (now->target.state == TARGET_STOPPED) {
        part_add(part, ROLE_WARNING, "STOPPED");
    } else {
        if (is_recorded(input))
            part_add(part, ROLE_WARNING, "REC");
        else
            part_add(part, ROLE_HEADER, "LIVE");
        if (is_wide && now->interval_ns > 0)
            part_add(part, ROLE_HEADER, "%.1fs",
                     (double)now->interval_ns / (double)NS_PER_S);
    }
}

/* The word without its folder; a word that is a folder stays whole. */
static size_t skip_folder(const char *word, size_t length)
{
    size_t start = 0;

    for (size_t i = 0; i + 1 < length; i++)
        if (word[i] == '/')
            start = i + 1;
    return length && word[length - 1] == '/' ? 0 : start;
}

/* How many words from this option on are not the name of a program. */
static int words_of_option(const char *word, size_t length)
{
    if (length == 2 && (word[1] == 'c' || word[1] == 'm'))
        return INT_MAX; /* what follows is not a file */
    return length == 2 && (word[1] == 'X' || word[1] == 'W') ? 2 : 1;
}

char *header_short_command(char *buffer, size_t size, const char *command)
{
    bool is_script = false; /* past the interpreter, the script not seen yet */
    int skipped = 0;
    size_t used = 0;

    buffer[0] = '\0';
    for (bool is_first = true; *command; is_first = false) {
        size_t length = strcspn(command, " "), start = 0;

        if (is_first) {
            start = command[0] == '/' ? skip_folder(command, length) : 0;
            is_script = command[length - (length > 0)] != ':'; /* not a title */
        } else if (is_script && skipped > 0) {
            skipped--;
        } else if (is_script && command[0] == '-') {
            skipped = words_of_option(command, length) - 1;
        } else if (is_script && length) {
            start = skip_folder(command, length);
            is_script = false;
        }
        length += strspn(command + length, " ");
        int wrote = snprintf(buffer + used, size - used, "%.*s", (int)(length - start),
                             command + start);
        if (wrote < 0 || used + (size_t)wrote >= size)
            break;
        used += (size_t)wrote;
        command += length;
    }
    return buffer;
}

static void draw_identity(const struct header_input *input, struct canvas *canvas, int y,
                          int width)
{
    const struct target_facts *target = &input->now->target;
    const char *command = target->command[0] ? target->command : "-";
    struct line line;
    struct part *part;
    char buffer[UNITS_MAX], shortened[512];

    if (width < WIDE)
        command = header_short_command(shortened, sizeof(shortened), command);
    line_init(&line);
    part = line_part(&line, 1);
    part->least = 18;
    part_add(part, ROLE_VALUE, "%d", (int)target->pid);
    part_add(part, ROLE_HEADER, "%s", command);

    part = line_part(&line, 4);
    part_add(part, ROLE_HEADER, "CPython %s", target->python[0] ? target->python : "-");
    if (target->allocator[0] &&
        (width >= WIDE || strcmp(target->allocator, "pymalloc") != 0))
        part_add(part, ROLE_DIM, "(%s)", target->allocator);
    if (input->now->process) {
        part = line_part(&line, 5);
        part_add(part, ROLE_DIM, "up");
        part_add(part, ROLE_HEADER, "%s",
                 units_duration(buffer, input->now->process->uptime_ns));
    }
    if (input->now->process && !input->has_process_line)
        header_add_cpu(&line, 6, input->now->process->cpu_milli_percent);
    add_state(&line, input, width >= 60);
    part = line_part(&line, 3);
    part_add(part, ROLE_HEADER, "%s", units_clock(buffer, input->now->wall_ns));
    line_draw(&line, canvas, y, 1, width - 2);
}

/* The sparkline of RES with the time it covers. */
static void add_spark(struct line *line, const struct header_input *input, int cells,
                      int64_t *values)
{
    char buffer[UNITS_MAX];
    int64_t covered_ns;
    int count =
        series_cells(input->history, SERIES_RES, SPARK_SPAN, cells, values, &covered_ns);

    bool is_known = false;
    for (int i = 0; i < count; i++)
        is_known = is_known || values[i] != SERIES_UNKNOWN;
    if (count < 2 || !is_known)
        return;
    struct part *part = line_part(line, 8);
    part->is_right = true;
    part->spark = values;
    part->n_spark = count;
    part_add(part, ROLE_DIM, "%s", series_span(buffer, covered_ns));
}

static void draw_memory(const struct header_input *input, struct canvas *canvas, int y,
                        int width)
{
    static const struct process_section nothing;
    const struct process_section *now =
        input->now->process ? input->now->process : &nothing;
    const struct process_section *older =
        input->older && input->older->process ? input->older->process : &nothing;
    int64_t values[SPARK_MOST];
    struct line line;

    line_init(&line);
    add_bytes_delta(&line, 2, "VIRT", now->virt_bytes,
                    reading_difference(now->virt_bytes, older->virt_bytes));
    add_bytes_delta(&line, 1, "RES", now->res_bytes,
                    reading_difference(now->res_bytes, older->res_bytes));
    if (width >= WIDE) {
        add_bytes(&line, 4, "anon", now->anon_bytes);
        add_bytes(&line, 5, "file", now->file_bytes);
        add_bytes(&line, 7, "shmem", now->shmem_bytes);
    }
    bool has_swap = now->swap_bytes.value > 0;
    if (width >= WIDE || has_swap)
        add_bytes(&line, has_swap ? 3 : 6, "swap", now->swap_bytes);
    add_bytes(&line, 3, "peak", now->peak_res_bytes);
    add_spark(&line, input, width >= WIDE ? SPARK_MOST : 20, values);
    line_draw(&line, canvas, y, 1, width - 2);
}

static void add_pymalloc_pools(struct line *line, const struct pymalloc_section *pymalloc)
{
    uint64_t blocks = pymalloc->blocks_used + pymalloc->blocks_free;
    char used[UNITS_MAX], freed[UNITS_MAX];
    struct part *part = line_part(line, 3);

    part_add(part, ROLE_HEADER, "%s", units_count(used, of_count(pymalloc->pools_used)));
    part_add(part, ROLE_DIM, "pools used");
    part_add(part, ROLE_HEADER, "%s", units_count(freed, of_count(pymalloc->pools_free)));
    part_add(part, ROLE_DIM, "free");
    part = line_part(line, 4);
    part_add(part, ROLE_DIM, "blocks");
    if (blocks)
        part_add(part, ROLE_HEADER, "%.0f%%",
                 (double)pymalloc->blocks_used * 100.0 / (double)blocks);
    else
        part_add(part, ROLE_HEADER, "-");
    part_add(part, ROLE_DIM, "in use");
}

static void draw_pymalloc(const struct header_input *input, struct canvas *canvas, int y,
                          int width)
{
    const struct pymalloc_section *pymalloc = input->now->pymalloc;
    char buffer[UNITS_MAX];
    struct line line;
    struct part *part;

    line_init(&line);
    if (!pymalloc) {
        part = line_part(&line, 1);
        part_add(part, ROLE_DIM, "pymalloc");
        part_add(part, ROLE_HEADER, "-");
        line_draw(&line, canvas, y, 1, width - 2);
        return;
    }
    add_bytes(&line, 1, "pymalloc", of_count(pymalloc->arena_bytes));
    line.parts[0].pieces[1].role = ROLE_VALUE;
    part = line_part(&line, 2);
    part_add(part, ROLE_HEADER, "%s", units_count(buffer, of_count(pymalloc->arenas)));
    part_add(part, ROLE_DIM, pymalloc->arenas == 1 ? "arena" : "arenas");
    if (width >= WIDE && reading_is_known(pymalloc->arenas_peak)) {
        part_add(part, ROLE_DIM, "(peak %s)", units_count(buffer, pymalloc->arenas_peak));
    }
    add_pymalloc_pools(&line, pymalloc);
    part = line_part(&line, 5);
    part_add(part, ROLE_HEADER, "%s",
             units_bytes(buffer, of_count(pymalloc->free_block_bytes)));
    part_add(part, ROLE_DIM, "free in pools");
    part = line_part(&line, 6);
    part_add(part, ROLE_HEADER, "%s",
             units_bytes(buffer, of_count(pymalloc->free_pool_bytes)));
    part_add(part, ROLE_DIM, "free pools");
    line_draw(&line, canvas, y, 1, width - 2);
}

static void add_last_pause(struct line *line, const struct header_input *input, bool wide)
{
    const struct gc_pauses *pauses = &input->now->gc->pauses;
    char buffer[UNITS_MAX], ago[UNITS_MAX];

    if (!reading_is_known(pauses->last_ns))
        return;
    struct part *part = line_part(line, 5);
    if (pauses->last_generation >= 0)
        part_add(part, ROLE_DIM, wide ? "last gen%d" : "last g%d",
                 pauses->last_generation);
    else
        part_add(part, ROLE_DIM, "last");
    units_duration(buffer, pauses->last_ns);
    if (wide && reading_is_known(pauses->last_wall_ns)) {
        int64_t age_ns = input->now->wall_ns - pauses->last_wall_ns.value;

        units_duration(ago, reading_exact(age_ns > 0 ? age_ns : 0));
        part_add(part, ROLE_HEADER, "%s, %s ago", buffer, ago);
    } else {
        part_add(part, ROLE_HEADER, "%s", buffer);
    }
    if (!wide || !reading_is_known(pauses->max_ns))
        return;
    part = line_part(line, 8);
    part_add(part, ROLE_DIM, "max");
    part_add(part, ROLE_HEADER, "%s", units_duration(buffer, pauses->max_ns));
}

static struct reading sum_of(const struct gc_section *gc, size_t offset)
{
    struct reading sum = reading_unknown();

    for (size_t i = 0; i < gc->n_generations; i++) {
        const char *row = (const char *)&gc->generations[i];
        struct reading part;

        memcpy(&part, row + offset, sizeof(part));
        if (!reading_is_known(part))
            return reading_unknown();
        sum.value += part.value;
        sum.state = part.state > sum.state ? part.state : sum.state;
    }
    return sum;
}

static void add_generations(struct line *line, const struct gc_section *gc)
{
    char count[UNITS_MAX], threshold[UNITS_MAX], runs[128] = "";
    size_t used = 0;

    for (size_t i = 0; i < gc->n_generations && i < GENERATIONS_MAX; i++) {
        const struct generation_row *row = &gc->generations[i];
        struct part *part = line_part(line, 2);
        int wrote;

        part_add(part, ROLE_DIM, "gen%zu", i);
        part_add(part, ROLE_HEADER, "%s/%s", units_count(count, row->count),
                 units_count(threshold, row->threshold));
        wrote = snprintf(runs + used, sizeof(runs) - used, "%s%s", used ? "/" : "",
                         units_count(count, row->collections));
        used += wrote > 0 ? (size_t)wrote : 0;
    }
    if (!used)
        return;
    struct part *part = line_part(line, 3);
    part_add(part, ROLE_DIM, "runs");
    part_add(part, ROLE_HEADER, "%s", runs);
}

static void draw_gc(const struct header_input *input, struct canvas *canvas, int y,
                    int width)
{
    const struct gc_section *gc = input->now->gc;
    char buffer[UNITS_MAX];
    struct line line;
    struct part *part;

    line_init(&line);
    part = line_part(&line, 1);
    part_add(part, ROLE_DIM, "GC");
    if (!gc || !reading_is_known(gc->enabled))
        part_add(part, ROLE_HEADER, "-");
    else
        part_add(part, gc->enabled.value ? ROLE_HEADER : ROLE_WARNING, "%s",
                 gc->enabled.value ? "on" : "OFF");
    if (gc) {
        add_generations(&line, gc);
        part = line_part(&line, 6);
        part_add(part, ROLE_DIM, "collected");
        part_add(
            part, ROLE_HEADER, "%s",
            units_count(buffer, sum_of(gc, offsetof(struct generation_row, collected))));
        part = line_part(&line, 7);
        part_add(part, ROLE_DIM, "uncollectable");
        part_add(part, ROLE_HEADER, "%s",
                 units_count(buffer,
                             sum_of(gc, offsetof(struct generation_row, uncollectable))));
        add_last_pause(&line, input, width >= WIDE);
    }
    line_draw(&line, canvas, y, 1, width - 2);
}

static void draw_recording(const struct header_input *input, struct canvas *canvas, int y,
                           int width)
{
    struct line line;
    struct part *part;

    line_init(&line);
    part = line_part(&line, 1);
    part->least = 18;
    part_add(part, ROLE_WARNING, "REC");
    part_add(part, ROLE_HEADER, "%s", input->recording);
    line_draw(&line, canvas, y, 1, width - 2);
}

int header_lines(const struct header_input *input, int height)
{
    bool has_reason = input->now && input->now->access.why[0];

    return 5 + input->has_process_line + (has_reason && height >= 20) +
           (is_recorded(input) && height >= 20);
}

static void draw_full(const struct header_input *input, struct canvas *canvas,
                      const struct rect *rect)
{
    int y = rect->y, end = rect->y + rect->height;
    int more = rect->height - 5 - input->has_process_line;
    bool has_recording = is_recorded(input) && more > 0;
    bool has_reason = more > has_recording;

    draw_identity(input, canvas, y++, rect->width);
    draw_memory(input, canvas, y++, rect->width);
    if (input->has_process_line)
        header_draw_process(input, canvas, y++, rect->width);
    draw_pymalloc(input, canvas, y++, rect->width);
    draw_gc(input, canvas, y++, rect->width);
    header_draw_objects(input, canvas, y++, rect->width, has_reason);
    if (has_recording)
        draw_recording(input, canvas, y++, rect->width);
    if (y < end)
        header_draw_reason(input, canvas, y, rect->width);
}

void header_draw(const struct header_input *input, struct canvas *canvas,
                 const struct layout *layout)
{
    const struct rect *rect = &layout->header;

    if (rect->height <= 0)
        return;
    if (!input->now) {
        canvas_text(canvas, rect->y, rect->x + (rect->width > 20), rect->width,
                    ROLE_HEADER, rect->width > 20 ? "waiting for the first sample" : "-");
        return;
    }
    switch (layout->form) {
    case LAYOUT_FULL:
        draw_full(input, canvas, rect);
        break;
    case LAYOUT_SHORT:
        draw_identity(input, canvas, rect->y, rect->width);
        header_draw_short(input, canvas, rect->y + 1, rect->width);
        break;
    case LAYOUT_TINY:
    case LAYOUT_RES:
        header_draw_tiny(input, canvas, rect);
        break;
    }
}
