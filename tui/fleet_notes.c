#include "tui/fleet_notes.h"

#include <stdio.h>
#include <string.h>

#include "heaptop/units.h"
#include "util/utf8.h"

#define WORDS_BYTES 480
#define LINES_MOST  8 /* of one sentence */

/* Why it stands out, cannot be read, or what its verdict is. */
static void state_words(const struct fleet_row *row, char *text, size_t size)
{
    char clock[UNITS_MAX];

    if (row->state == MEMBER_ENDED)
        snprintf(text, size, "%d ended at %s", (int)row->pid,
                 units_clock(clock, row->ended_wall_ns));
    else if (row->state == MEMBER_CLOSED)
        snprintf(text, size, "%d: %.380s", (int)row->pid, row->why);
    else if (row->outlier != OUTLIER_NONE)
        fleet_outlier_words(row, text, size);
    else if (row->rule[0])
        snprintf(text, size, "%d: %.400s", (int)row->pid, row->verdict);
    else
        snprintf(text, size, "%d is read for the first time", (int)row->pid);
}

static void sums_words(const struct fleet_sample *sample, pid_t parent, char *text,
                       size_t size)
{
    char who[64];
    struct sharing sum;
    size_t count = fleet_sharing_below(sample, parent, &sum);

    if (parent)
        snprintf(who, sizeof(who), "the %zu forked by %d", count, (int)parent);
    else
        snprintf(who, sizeof(who), "%zu forked process%s", count, count == 1 ? "" : "es");
    sharing_words(&sum, who, text, size);
}

static void shared_words(const struct fleet_sample *sample, const struct fleet_row *row,
                         char *text, size_t size)
{
    char who[16];

    text[0] = '\0';
    if (!row || (!row->sharing.wall_ns && !row->sharing_why[0])) {
        sums_words(sample, row ? row->pid : 0, text, size);
    } else if (row->sharing.wall_ns) {
        snprintf(who, sizeof(who), "%d", (int)row->pid);
        sharing_words(&row->sharing, who, text, size);
    } else {
        snprintf(text, size, "what it shares is not known: %s", row->sharing_why);
    }
}

static size_t add_age(char *text, size_t size, size_t used, const char *what,
                      int64_t now_ns, int64_t then_ns)
{
    char age[UNITS_MAX];

    if (!then_ns || used >= size)
        return used;
    units_duration(age, reading_exact(now_ns > then_ns ? now_ns - then_ns : 0));
    return used + (size_t)snprintf(text + used, size - used, "%s%s %s ago",
                                   used ? ", " : "", what, age);
}

/* What it is called where it has no PID, whose it is, and how old its numbers are. */
static void age_words(const struct fleet_sample *sample, const struct fleet_row *row,
                      char *text, size_t size)
{
    char name[FLEET_NAME_MAX];
    size_t used = 0;

    text[0] = '\0';
    if (row->state == MEMBER_ENDED)
        return;
    used = (size_t)snprintf(text, size, "%s", fleet_name(row, name));
    if (row->parent)
        used += (size_t)snprintf(text + used, size - used, " of %d", (int)row->parent);
    used = add_age(text, size, used, "read", sample->wall_ns, row->sampled_wall_ns);
    used = add_age(text, size, used, "walked", sample->wall_ns, row->walked_wall_ns);
    add_age(text, size, used, "compared", sample->wall_ns, row->sharing.wall_ns);
}

/* How much of the text goes into a line. */
static size_t line_bytes(const char *text, int room)
{
    size_t cut = 0;

    if (utf8_columns(text) <= room)
        return strlen(text);
    for (size_t i = 0; text[i] && i < (size_t)room; i++)
        if (text[i] == ' ')
            cut = i;
    return cut ? cut : strlen(text);
}

static int count_lines(const char *text, int room)
{
    int lines = text[0] != 0;

    while (text[line_bytes(text, room)] && lines++ < LINES_MOST)
        text += line_bytes(text, room) + 1;
    return lines;
}

int fleet_draw_words(struct canvas *canvas, int y, int lines, enum role role,
                     const char *text)
{
    int room = canvas->width - 2, used = 0;

    if (lines <= 0 || room <= 0 || !text[0])
        return 0;
    while (++used < lines && text[line_bytes(text, room)]) {
        size_t bytes = line_bytes(text, room);

        canvas_textf(canvas, y++, 1, room, role, "%.*s", (int)bytes, text);
        text += bytes + 1;
    }
    canvas_text(canvas, y, 1, room, role, text);
    return used;
}

void fleet_draw_notes(struct canvas *canvas, int y, int lines,
                      const struct fleet_sample *sample, const struct fleet_row *row)
{
    char text[WORDS_BYTES];
    int used = 0, left;

    if (row) {
        state_words(row, text, sizeof(text));
        used = fleet_draw_words(canvas, y, lines < 2 ? lines : 2,
                                row->outlier != OUTLIER_NONE ? ROLE_WARNING : ROLE_NORMAL,
                                text);
    }
    shared_words(sample, row, text, sizeof(text));
    left = lines - used;
    used +=
        fleet_draw_words(canvas, y + used, left > 1 ? left - 1 : left, ROLE_NORMAL, text);
    if (!row)
        return;
    age_words(sample, row, text, sizeof(text));
    fleet_draw_words(canvas, y + used, lines - used, ROLE_DIM, text);
}

static bool has_words(const struct fleet_row *row)
{
    return row->state == MEMBER_CLOSED || row->outlier != OUTLIER_NONE;
}

int fleet_text_lines(const struct fleet_sample *sample, int columns)
{
    char text[WORDS_BYTES];
    int lines;

    sums_words(sample, 0, text, sizeof(text));
    lines = count_lines(text, columns - 2);
    for (size_t i = 0; i < sample->count; i++)
        lines += has_words(&sample->rows[i]);
    return lines;
}

void fleet_draw_text(struct canvas *canvas, int y, const struct fleet_sample *sample)
{
    char text[WORDS_BYTES];

    for (size_t i = 0; i < sample->count; i++) {
        if (!has_words(&sample->rows[i]))
            continue;
        state_words(&sample->rows[i], text, sizeof(text));
        canvas_text(canvas, y++, 1, canvas->width - 1, ROLE_NORMAL, text);
    }
    sums_words(sample, 0, text, sizeof(text));
    fleet_draw_words(canvas, y, LINES_MOST, ROLE_NORMAL, text);
}
