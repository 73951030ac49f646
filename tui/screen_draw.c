/* Drawing of the screen: status lines, bottom bar around header, tabs and pane. */
#include <stdio.h>
#include <string.h>

#include "heaptop/units.h"
#include "tui/header.h"
#include "tui/line.h"
#include "tui/screen_private.h"
#include "util/clock.h"
#include "util/utf8.h"

#define MESSAGE_NS (10 * NS_PER_S)
#define EVENT_NS   (60 * NS_PER_S)

static void add_hit(struct screen *screen, int y, int x, int width,
                    enum command_id command)
{
    if (screen->n_hits < SCREEN_HITS)
        screen->hits[screen->n_hits++] = (struct hit){y, x, width, command, 0};
}

static bool is_possible(const struct screen *screen, const struct command *command)
{
    const struct snapshot *latest = history_latest(screen->history);
    bool is_live = latest && latest->target.state != TARGET_ENDED;

    if ((command->flags & COMMAND_ACTS) && !screen->allows_actions)
        return false;
    return is_live || !(command->flags & COMMAND_LIVE);
}

static int label_width(const struct command *command)
{
    return (int)strcspn(command->keys, " ") + utf8_columns(command->bar);
}

static int draw_label(struct screen *screen, struct canvas *canvas, int y, int x,
                      const struct command *command)
{
    int key = (int)strcspn(command->keys, " "), width = label_width(command);
    bool possible = is_possible(screen, command);

    canvas_textf(canvas, y, x, key, possible ? ROLE_BAR_KEY : ROLE_DIM, "%.*s", key,
                 command->keys);
    canvas_text(canvas, y, x + key, width - key, possible ? ROLE_BAR : ROLE_DIM,
                command->bar);
    add_hit(screen, y, x, width, command->id);
    return width;
}

/* Quit is always there; of the others as many as fit, in their order. */
static void draw_bar(struct screen *screen, struct canvas *canvas, struct rect rect)
{
    int quit = label_width(&commands[COMMAND_QUIT]), x = rect.width >= 12 ? 1 : 0;
    int total = x, gap = 1;

    if (!rect.height)
        return;
    canvas_fill(canvas, rect, ROLE_BAR);
    for (size_t i = COMMAND_NONE + 1; i < COMMAND_COUNT; i++)
        if (commands[i].bar)
            total += label_width(&commands[i]) + 2;
    if (total - 2 <= rect.width)
        gap = 2;
    for (size_t i = COMMAND_NONE + 1; i < COMMAND_COUNT; i++) {
        if (!commands[i].bar || i == COMMAND_QUIT)
            continue;
        if (x + label_width(&commands[i]) + gap + quit > rect.width)
            break;
        if (rect.width < 30 && i != COMMAND_HELP) /* there is no table */
            continue;
        x += draw_label(screen, canvas, rect.y, x, &commands[i]) + gap;
    }
    draw_label(screen, canvas, rect.y, x, &commands[COMMAND_QUIT]);
}

static bool has_message(const struct screen *screen)
{
    const struct snapshot *latest = history_latest(screen->history);

    if (!screen->message[0])
        return false;
    return !latest || latest->mono_ns - screen->message_mono_ns < MESSAGE_NS;
}

/* The message, else a fresh event, else words about the selected row. */
static enum role status_words(const struct screen *screen, struct strbuf *out)
{
    const struct snapshot *latest = history_latest(screen->history);
    const struct pane_ops *pane = screen_pane(screen);
    const struct event *events;
    size_t count = history_events(screen->history, &events);
    char clock[UNITS_MAX];

    if (has_message(screen)) {
        strbuf_add_text(out, screen->message);
        return screen->message_role;
    }
    if (count && latest && latest->wall_ns - events[count - 1].wall_ns < EVENT_NS) {
        const struct event *event = &events[count - 1];

        strbuf_addf(out, "%s %s", units_clock(clock, event->wall_ns), event->words);
        return event->type == EVENT_ERROR ? ROLE_WARNING : ROLE_NORMAL;
    }
    if (pane->describe)
        pane->describe(screen->panes[screen->current], out);
    return ROLE_DIM;
}

static void add_delta_words(const struct screen *screen, struct strbuf *out)
{
    const struct mark *mark = screen_mark(screen);

    switch (screen_delta(screen)) {
    case DELTA_OFF:
    case DELTA_MODES:
        strbuf_add_text(out, "off");
        break;
    case DELTA_PREVIOUS:
        strbuf_add_text(out, "since the previous walk or sample");
        break;
    case DELTA_MARK:
        strbuf_addf(out, "since mark #%u", mark ? (unsigned)mark->number : 0);
        break;
    case DELTA_RATE:
        strbuf_add_text(out, "per second");
        break;
    }
}

/* Tall screens say how the table is looked at. */
static void draw_view_line(struct screen *screen, struct canvas *canvas, int y, int width)
{
    struct table *table = screen_table(screen);
    struct strbuf text = STRBUF_INIT;
    const struct column *columns;
    bool ascending;

    strbuf_addf(&text, "Filter: %s", *screen->filter ? screen->filter : "(none)");
    if (table) {
        size_t column = table_sort_column(table, &ascending);

        table_columns(table, &columns);
        strbuf_addf(&text, "    Sort: %s, %s",
                    *columns[column].heading ? columns[column].heading
                                             : columns[column].name,
                    ascending ? "ascending" : "descending");
    }
    strbuf_add_text(&text, "    Delta: ");
    add_delta_words(screen, &text);
    canvas_text(canvas, y, 1, width - 2, ROLE_DIM, strbuf_text(&text));
    strbuf_release(&text);
}

static void draw_status(struct screen *screen, struct canvas *canvas,
                        const struct layout *layout)
{
    const struct rect *rect = &layout->status;
    struct strbuf text = STRBUF_INIT;
    int room = rect->width - 2;
    enum role role = status_words(screen, &text);

    if (rect->height == 0) { /* no line of its own: in place of the bar */
        if (has_message(screen) && layout->form != LAYOUT_RES) {
            canvas_fill(canvas, layout->bar, ROLE_NORMAL);
            canvas_text(canvas, layout->bar.y, 1, layout->bar.width - 1, role,
                        strbuf_text(&text));
        }
        strbuf_release(&text);
        return;
    }
    if (*screen->filter && rect->height == 1) {
        char filter[80];

        snprintf(filter, sizeof(filter), "filter: %.60s", screen->filter);
        int width = utf8_columns(filter);
        canvas_text_right(canvas, rect->y, rect->width - 1 - width, width, ROLE_WARNING,
                          filter);
        room -= width + 2;
    }
    canvas_text(canvas, rect->y, 1, room, role, strbuf_text(&text));
    if (rect->height > 1)
        draw_view_line(screen, canvas, rect->y + 1, rect->width);
    strbuf_release(&text);
}

void screen_draw(struct screen *screen, struct canvas *canvas)
{
    struct header_input input;
    struct layout layout;
    struct table *table = screen_table(screen);

    screen_header_input(screen, &input);
    input.has_process_line = canvas->height >= HEADER_TALL;
    layout_make(&layout, canvas->height, canvas->width,
                screen->is_header_hidden ? 0 : header_lines(&input, canvas->height));
    canvas_clear(canvas);
    screen->n_hits = 0;
    screen->body = layout.body;
    if (table)
        table_strong_sort(table, screen->is_strong);
    header_draw(&input, canvas, &layout);
    if (layout.form == LAYOUT_RES)
        return;
    screen_draw_tabs(screen, canvas, &layout.tabs);
    if (layout.body.height > 0)
        screen_pane(screen)->draw(screen->panes[screen->current], canvas, layout.body,
                                  true);
    draw_bar(screen, canvas, layout.bar);
    draw_status(screen, canvas, &layout);
}

void screen_draw_pane(struct screen *screen, struct canvas *canvas, struct rect rect)
{
    screen_pane(screen)->draw(screen->panes[screen->current], canvas, rect, false);
}

int screen_header_lines(const struct screen *screen)
{
    struct header_input input;

    screen_header_input(screen, &input);
    input.has_process_line = true;
    return header_lines(&input, HEADER_TALL);
}

void screen_draw_header(struct screen *screen, struct canvas *canvas)
{
    struct header_input input;
    struct layout layout = {.form = LAYOUT_FULL};

    screen_header_input(screen, &input);
    input.has_process_line = true;
    layout.header = (struct rect){0, 0, header_lines(&input, HEADER_TALL), canvas->width};
    header_draw(&input, canvas, &layout);
}
