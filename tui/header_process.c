/* The header's line of the process's own numbers, where the screen is tall. */
#include "heaptop/units.h"
#include "tui/header_private.h"
#include "tui/line.h"
#include "util/clock.h"

static void add_number(struct line *line, int priority, const char *name,
                       const char *number)
{
    struct part *part = line_part(line, priority);

    part_add(part, ROLE_DIM, "%s", name);
    part_add(part, ROLE_HEADER, "%s", number);
}

void header_add_cpu(struct line *line, int priority, struct reading milli_percent)
{
    char buffer[UNITS_MAX];
    struct part *part = line_part(line, priority);

    part_add(part, ROLE_DIM, "cpu");
    part_add(part, ROLE_HEADER, reading_is_known(milli_percent) ? "%s%%" : "%s",
             units_percent(buffer, milli_percent));
}

/* PSS and USS cost so much that they are read on a budget: their age stands beside. */
static void add_shares(struct line *line, const struct process_section *process)
{
    char buffer[UNITS_MAX];
    struct part *part;

    add_number(line, 3, "pss", units_bytes(buffer, process->pss_bytes));
    add_number(line, 3, "uss", units_bytes(buffer, process->uss_bytes));
    if (reading_is_known(process->pss_age_ns) && process->pss_age_ns.value >= NS_PER_S) {
        part = &line->parts[line->n_parts - 1];
        part_add(part, ROLE_DIM, "%s old", units_duration(buffer, process->pss_age_ns));
    }
    add_number(line, 6, "shr", units_bytes(buffer, process->shr_bytes));
}

static void add_pair(struct line *line, int priority, const char *name,
                     const char *first_name, const char *first, const char *second_name,
                     const char *second)
{
    struct part *part = line_part(line, priority);

    part_add(part, ROLE_DIM, "%s %s", name, first_name);
    part_add(part, ROLE_HEADER, "%s", first);
    part_add(part, ROLE_DIM, "%s", second_name);
    part_add(part, ROLE_HEADER, "%s", second);
}

void header_draw_process(const struct header_input *input, struct canvas *canvas, int y,
                         int width)
{
    static const struct process_section nothing;
    const struct process_section *process =
        input->now->process ? input->now->process : &nothing;
    char first[UNITS_MAX], second[UNITS_MAX];
    struct line line;

    line_init(&line);
    header_add_cpu(&line, 1, process->cpu_milli_percent);
    add_number(&line, 2, "threads", units_count(first, process->threads));
    add_shares(&line, process);
    add_pair(&line, 4, "faults", "minor", units_count(first, process->minor_faults),
             "major", units_count(second, process->major_faults));
    add_pair(&line, 5, "io", "read", units_bytes(first, process->io_read_bytes),
             "written", units_bytes(second, process->io_write_bytes));
    line_draw(&line, canvas, y, 1, width - 2);
}
