#include "tui/fleet_view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "heaptop/units.h"
#include "model/verdict.h"
#include "tui/fleet_notes.h"
#include "tui/header.h"
#include "util/plural.h"
#include "util/utf8.h"
#include "util/xalloc.h"

#define TEXT_BYTES 240 /* of the line of counts */

enum {
    COLUMN_PID,
    COLUMN_ROLE,
    COLUMN_PARENT,
    COLUMN_RES,
    COLUMN_PSS,
    COLUMN_PRIVATE,
    COLUMN_UNSHARED,
    COLUMN_HEADS,
    COLUMN_REFCOUNTS,
    COLUMN_NEW_DATA,
    COLUMN_OWN,
    COLUMN_ARENAS,
    COLUMN_MALLOC,
    COLUMN_OTHER,
    COLUMN_OBJECTS,
    COLUMN_GROWTH,
    COLUMN_GC,
    COLUMN_VERDICT,
    COLUMN_COMMAND,
    COLUMN_TREE,
    N_COLUMNS,
};

static const struct column columns[] = {
    [COLUMN_PID] = {.name = "pid",
                    .heading = "PID",
                    .help = "process; ! is an outlier among its like",
                    .type = VALUE_LABEL,
                    .width = 8,
                    .ascending_first = true},
    [COLUMN_ROLE] = {.name = "role",
                     .heading = "ROLE",
                     .help = "what it is to the others: master, worker, ...",
                     .type = VALUE_TEXT,
                     .width = 8,
                     .weight = 9,
                     .ascending_first = true},
    [COLUMN_PARENT] = {.name = "parent",
                       .heading = "PARENT",
                       .help = "the process it is a child of, when that is one of these",
                       .type = VALUE_LABEL,
                       .width = 8,
                       .weight = 7,
                       .ascending_first = true,
                       .hidden_first = true},
    [COLUMN_RES] = {.name = "res",
                    .heading = "RES",
                    .help = "resident memory, what is shared counted in each process",
                    .type = VALUE_BYTES,
                    .width = 6,
                    .weight = 12,
                    .sort_key = 'B'},
    [COLUMN_PSS] = {.name = "pss",
                    .heading = "PSS",
                    .help = "its share of resident memory, each page counted once",
                    .type = VALUE_BYTES,
                    .width = 6,
                    .weight = 9},
    [COLUMN_PRIVATE] = {.name = "private",
                        .heading = "PRIV",
                        .help = "resident memory that it shares with nobody",
                        .type = VALUE_BYTES,
                        .width = 6,
                        .weight = 10,
                        .sort_key = 'V'},
    [COLUMN_UNSHARED] = {.name = "copied",
                         .heading = "COPIED",
                         .help = "of what it inherited from its parent: copied since",
                         .type = VALUE_BYTES,
                         .width = 6,
                         .weight = 7,
                         .sort_key = 'U'},
    [COLUMN_HEADS] = {.name = "heads",
                      .heading = "HEADS",
                      .help =
                          "of it: by GC heads; gc.freeze() before the fork keeps that",
                      .type = VALUE_BYTES,
                      .width = 6,
                      .weight = 3},
    [COLUMN_REFCOUNTS] = {.name = "refcounts",
                          .heading = "REFCNT",
                          .help = "of it: by refcounts, objects that were looked at",
                          .type = VALUE_BYTES,
                          .width = 6,
                          .weight = 2},
    [COLUMN_NEW_DATA] = {.name = "data",
                         .heading = "DATA",
                         .help = "of it: by new data",
                         .type = VALUE_BYTES,
                         .width = 6,
                         .weight = 2},
    [COLUMN_OWN] = {.name = "own",
                    .heading = "OWN",
                    .help = "private memory in places where its parent has none",
                    .type = VALUE_BYTES,
                    .width = 6,
                    .weight = 2,
                    .hidden_first = true},
    [COLUMN_ARENAS] = {.name = "arenas",
                       .heading = "ARENAS",
                       .help = "of RES: pymalloc's arenas",
                       .type = VALUE_BYTES,
                       .width = 6,
                       .weight = 6},
    [COLUMN_MALLOC] = {.name = "malloc",
                       .heading = "MALLOC",
                       .help = "of RES: malloc's heaps and mapped chunks",
                       .type = VALUE_BYTES,
                       .width = 6,
                       .weight = 5},
    [COLUMN_OTHER] = {.name = "other",
                      .heading = "OTHER",
                      .help = "of RES: files, libraries, stacks, and the rest",
                      .type = VALUE_BYTES,
                      .width = 6,
                      .weight = 2},
    [COLUMN_OBJECTS] = {.name = "objects",
                        .heading = "OBJECTS",
                        .help = "live objects at the last walk",
                        .type = VALUE_COUNT,
                        .width = 9,
                        .weight = 7,
                        .sort_key = 'O'},
    [COLUMN_GROWTH] = {.name = "growth",
                       .heading = "+/MIN",
                       .help = "what RES gains a minute; +0: a test finds no growth",
                       .type = VALUE_BYTES_DELTA,
                       .width = 7,
                       .weight = 11,
                       .sort_key = 'D'},
    [COLUMN_GC] =
        {.name = "gc",
         .heading = "GC%",
         .help = "share of time in collections; ~ by looking often, exact with the agent",
         .type = VALUE_PERCENT,
         .width = 5,
         .weight = 1},
    [COLUMN_VERDICT] = {.name = "verdict",
                        .heading = "VERDICT",
                        .help = "the first verdict in a word",
                        .type = VALUE_TEXT,
                        .width = 9,
                        .weight = 8,
                        .ascending_first = true},
    [COLUMN_COMMAND] = {.name = "command",
                        .heading = "COMMAND",
                        .help = "its command line",
                        .type = VALUE_TEXT,
                        .width = 16,
                        .grow = 1,
                        .weight = 3,
                        .ascending_first = true,
                        .is_name = true,
                        .sort_key = 'A'},
    [COLUMN_TREE] = {.name = "tree",
                     .heading = "TREE",
                     .help = "parents before their children",
                     .type = VALUE_COUNT,
                     .width = 4,
                     .ascending_first = true,
                     .hidden_first = true},
};

/* What a row borrows from the view. */
struct row_texts {
    char pid[16], role[32], parent[16], command[256];
};

struct fleet_view {
    struct table *table;
    struct fleet_sample *sample; /* a copy */
    struct row_texts texts[FLEET_MEMBERS_MAX + 1];
    bool has_shown_parents; /* by itself, once */
    char message[400];
};

struct fleet_view *fleet_view_new(void)
{
    struct fleet_view *view = xcalloc(1, sizeof(*view));

    view->sample = xcalloc(1, sizeof(*view->sample));
    view->table = table_new(columns, N_COLUMNS, COLUMN_TREE);
    return view;
}

void fleet_view_free(struct fleet_view *view)
{
    if (!view)
        return;
    table_free(view->table);
    free(view->sample);
    free(view);
}

static const char *role_of(const struct fleet_row *row)
{
    return row->state == MEMBER_ENDED    ? "ended"
           : row->state == MEMBER_CLOSED ? "closed"
                                         : row->role;
}

static enum role color_of(const struct fleet_row *row)
{
    if (row->state == MEMBER_ENDED || row->state == MEMBER_CLOSED)
        return ROLE_DIM;
    return row->outlier != OUTLIER_NONE ? ROLE_WARNING : ROLE_NORMAL;
}

static void fill_numbers(struct table_row *row, const struct fleet_row *from)
{
    row->values[COLUMN_RES].number = from->res_bytes;
    row->values[COLUMN_PSS].number = from->pss_bytes;
    row->values[COLUMN_PRIVATE].number = from->private_bytes;
    row->values[COLUMN_UNSHARED].number = sharing_unshared(&from->sharing);
    row->values[COLUMN_HEADS].number =
        sharing_unshared_by(&from->sharing, UNSHARED_GC_HEADS);
    row->values[COLUMN_REFCOUNTS].number =
        sharing_unshared_by(&from->sharing, UNSHARED_REFCOUNTS);
    row->values[COLUMN_NEW_DATA].number =
        sharing_unshared_by(&from->sharing, UNSHARED_NEW_DATA);
    row->values[COLUMN_OWN].number = sharing_own(&from->sharing);
    row->values[COLUMN_ARENAS].number = from->arena_bytes;
    row->values[COLUMN_MALLOC].number = from->malloc_bytes;
    row->values[COLUMN_OTHER].number = from->other_bytes;
    row->values[COLUMN_OBJECTS].number = from->objects;
    row->values[COLUMN_GROWTH].number = from->growth_bytes;
    row->values[COLUMN_GC].number = from->gc_milli_percent;
}

static void add_row(struct fleet_view *view, const struct fleet_row *from, size_t place)
{
    struct row_texts *texts = &view->texts[place];
    struct table_row row = {.identity = (uint64_t)from->pid ^ from->start_ticks << 24,
                            .role = color_of(from)};

    snprintf(texts->pid, sizeof(texts->pid), "%s%d",
             from->outlier != OUTLIER_NONE ? "!" : "", (int)from->pid);
    snprintf(texts->role, sizeof(texts->role), "%*s%s",
             from->depth > 0 && from->depth < 4 ? from->depth : 0, "", role_of(from));
    texts->parent[0] = '\0';
    if (from->parent)
        snprintf(texts->parent, sizeof(texts->parent), "%d", (int)from->parent);
    header_short_command(texts->command, sizeof(texts->command), from->command);
    row.values[COLUMN_PID].text = texts->pid;
    row.values[COLUMN_PID].number = reading_exact(from->pid);
    row.values[COLUMN_ROLE].text = texts->role;
    row.values[COLUMN_PARENT].text = texts->parent;
    row.values[COLUMN_PARENT].number = reading_exact(from->parent);
    fill_numbers(&row, from);
    row.values[COLUMN_VERDICT].text =
        from->state == MEMBER_ENDED ? "" : verdict_rule_word(from->rule);
    row.values[COLUMN_COMMAND].text = texts->command;
    row.values[COLUMN_TREE].number = reading_exact((int64_t)place);
    table_add_row(view->table, &row);
}

static void add_sums(struct fleet_view *view)
{
    const struct fleet_sums *sums = &view->sample->sums;
    struct row_texts *texts = &view->texts[FLEET_MEMBERS_MAX];
    struct table_row row = {.identity = UINT64_MAX, .role = ROLE_VALUE, .is_fixed = true};
    struct fleet_row as_row = {.res_bytes = sums->res_bytes,
                               .pss_bytes = sums->pss_bytes,
                               .private_bytes = sums->private_bytes,
                               .arena_bytes = sums->arena_bytes,
                               .malloc_bytes = sums->malloc_bytes,
                               .other_bytes = sums->other_bytes,
                               .objects = sums->objects,
                               .growth_bytes = sums->growth_bytes,
                               .sharing = sums->sharing};

    snprintf(texts->pid, sizeof(texts->pid), "all %zu", sums->members);
    row.values[COLUMN_PID].text = texts->pid;
    row.values[COLUMN_ROLE].text = row.values[COLUMN_PARENT].text =
        row.values[COLUMN_VERDICT].text = row.values[COLUMN_COMMAND].text = "";
    fill_numbers(&row, &as_row);
    table_add_row(view->table, &row);
}

static bool has_two_parents(const struct fleet_sample *sample)
{
    pid_t first = 0;

    for (size_t i = 0; i < sample->count; i++) {
        pid_t parent = sample->rows[i].parent;

        if (parent && first && parent != first)
            return true;
        first = first ? first : parent;
    }
    return false;
}

/* The workers of two masters are told apart when they are sorted, too. Who chooses the
 * columns from then on has them so. */
static void show_parents(struct fleet_view *view)
{
    if (view->has_shown_parents || !has_two_parents(view->sample))
        return;
    view->has_shown_parents = true;
    table_show_column(view->table, COLUMN_PARENT, true);
}

void fleet_view_update(struct fleet_view *view, const struct fleet_sample *sample)
{
    *view->sample = *sample;
    show_parents(view);
    table_begin_rows(view->table, sample->count + 1);
    for (size_t i = 0; i < sample->count; i++)
        add_row(view, &view->sample->rows[i], i);
    add_sums(view);
    table_end_rows(view->table);
}

static const struct fleet_row *selected(const struct fleet_view *view)
{
    const struct table_row *row = table_selected(view->table);

    for (size_t i = 0; row && i < view->sample->count; i++) {
        const struct fleet_row *at = &view->sample->rows[i];

        if (row->identity == ((uint64_t)at->pid ^ at->start_ticks << 24))
            return at;
    }
    return NULL;
}

pid_t fleet_view_selected(const struct fleet_view *view)
{
    const struct fleet_row *row = selected(view);

    return row ? row->pid : 0;
}

static void draw_title(const struct fleet_view *view, struct canvas *canvas)
{
    const struct fleet_sample *sample = view->sample;
    char right[64], clock[UNITS_MAX], interval[UNITS_MAX];
    int width;

    canvas_fill(canvas, (struct rect){0, 0, 1, canvas->width}, ROLE_HEADER);
    if (sample->pattern)
        canvas_textf(canvas, 0, 1, canvas->width - 1, ROLE_HEADER, "Tree of \"%s\"",
                     sample->pattern);
    else
        canvas_textf(canvas, 0, 1, canvas->width - 1, ROLE_HEADER, "Tree of %d",
                     (int)sample->root);
    snprintf(right, sizeof(right), "LIVE %s  %s",
             units_duration(interval, reading_exact(sample->interval_ns)),
             units_clock(clock, sample->wall_ns));
    width = utf8_columns(right);
    if (width + 30 <= canvas->width)
        canvas_text_right(canvas, 0, canvas->width - 1 - width, width, ROLE_HEADER,
                          right);
}

/* How old the sample and the walk are that wait longest for the next, if there is room.
 */
static void add_oldest(const struct fleet_sample *sample, char *text, size_t used,
                       int room)
{
    const struct fleet_sums *sums = &sample->sums;
    char sampled[UNITS_MAX], walked[UNITS_MAX], words[80];
    int length;

    if (!sums->oldest_sampled_wall_ns || !sums->oldest_walked_wall_ns)
        return;
    units_duration(sampled,
                   reading_exact(sample->wall_ns - sums->oldest_sampled_wall_ns));
    units_duration(walked, reading_exact(sample->wall_ns - sums->oldest_walked_wall_ns));
    length =
        snprintf(words, sizeof(words), "  oldest sample %s, walk %s", sampled, walked);
    if (length > 0 && used + (size_t)length < TEXT_BYTES && (int)used + length <= room)
        memcpy(text + used, words, (size_t)length + 1);
}

/* While the first walks are not all done: they take their time. */
static size_t add_first_walks(const struct fleet_sample *sample, char *text, size_t used)
{
    size_t walked = 0;

    for (size_t i = 0; i < sample->count; i++)
        walked += sample->rows[i].state == MEMBER_LIVE && sample->rows[i].walked_wall_ns;
    if (!walked || walked >= sample->sums.members)
        return used;
    return used +
           (size_t)snprintf(text + used, TEXT_BYTES - used, "  %zu walked", walked);
}

/* The counts that the rows do not show: how many stand out, ended, cannot be read. */
static void draw_counts(const struct fleet_view *view, struct canvas *canvas, int y)
{
    const struct fleet_sums *sums = &view->sample->sums;
    char text[TEXT_BYTES], pss[UNITS_MAX], res[UNITS_MAX];
    size_t used;

    used = (size_t)snprintf(
        text, sizeof(text), "%zu process%s  PSS %s of RES %s  %zu outlier%s",
        sums->members, sums->members == 1 ? "" : "es", units_bytes(pss, sums->pss_bytes),
        units_bytes(res, sums->res_bytes), sums->outliers,
        plural((int64_t)sums->outliers));
    if (sums->ended)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "  %zu ended",
                                 sums->ended);
    if (sums->closed)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "  %zu cannot be read",
                                 sums->closed);
    if (view->sample->n_left_out)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "  %zu more left out",
                                 view->sample->n_left_out);
    used = add_first_walks(view->sample, text, used);
    add_oldest(view->sample, text, used, canvas->width - 2);
    canvas_fill(canvas, (struct rect){y, 0, 1, canvas->width}, ROLE_HEADER);
    canvas_text(canvas, y, 1, canvas->width - 2, ROLE_HEADER, text);
}

static void draw_bar(struct canvas *canvas)
{
    int y = canvas->height - 1;

    canvas_fill(canvas, (struct rect){y, 0, 1, canvas->width}, ROLE_BAR);
    canvas_text(canvas, y, 1, canvas->width - 2, ROLE_BAR,
                canvas->width >= 62
                    ? "Enter open   \\ filter   F6 sort   f columns   ? help   q quit"
                    : "Enter open   q quit");
}

void fleet_view_draw(struct fleet_view *view, struct canvas *canvas)
{
    int height = canvas->height;
    int notes = height >= 24 ? 5 : height >= 12 ? 2 : height >= 8 ? 1 : 0;
    int title = height >= 3, counts = height >= 8, bar = height >= 4;
    struct rect rect = {title + counts, 0, height - title - counts - notes - bar,
                        canvas->width};

    canvas_clear(canvas);
    if (title)
        draw_title(view, canvas);
    if (counts)
        draw_counts(view, canvas, 1);
    table_draw(view->table, canvas, rect, true);
    if (view->message[0])
        fleet_draw_words(canvas, rect.y + rect.height, notes, ROLE_WARNING,
                         view->message);
    else
        fleet_draw_notes(canvas, rect.y + rect.height, notes, view->sample,
                         selected(view));
    if (bar)
        draw_bar(canvas);
}

int fleet_view_lines(const struct fleet_view *view, int width)
{
    return 2 + 1 + (int)view->sample->count + 1 + fleet_text_lines(view->sample, width);
}

void fleet_view_draw_lines(struct fleet_view *view, struct canvas *canvas)
{
    int y = 2 + 1 + (int)view->sample->count + 1;

    draw_title(view, canvas);
    draw_counts(view, canvas, 1);
    table_draw(view->table, canvas, (struct rect){2, 0, y - 2, canvas->width}, false);
    fleet_draw_text(canvas, y, view->sample);
}

bool fleet_view_command(struct fleet_view *view, enum command_id command)
{
    view->message[0] = '\0';
    return table_command(view->table, command);
}

bool fleet_view_click(struct fleet_view *view, int y, int x, bool *chosen)
{
    return table_click(view->table, y, x, chosen);
}

struct table *fleet_view_table(struct fleet_view *view)
{
    return view->table;
}

void fleet_view_set_filter(struct fleet_view *view, const char *pattern)
{
    table_set_filter(view->table, pattern);
}

void fleet_view_message(struct fleet_view *view, const char *text)
{
    snprintf(view->message, sizeof(view->message), "%s", text);
}

size_t fleet_view_columns(const struct column **all)
{
    *all = columns;
    return N_COLUMNS;
}
