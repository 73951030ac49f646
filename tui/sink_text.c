/*
 * sink_text.c - batch text: the header and the tables of the screen as lines.
 * One sample after the other, a blank line between them.
 */
#include "heaptop/sink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tui/screen.h"
#include "util/xalloc.h"

#define COLUMNS_LEAST 40
#define COLUMNS_MOST  1000
#define SPARE_LINES   32 /* for panes that draw more than their table */

#define REASON_LABEL_COLUMNS 12 /* "no agent:" and the margins */

struct sink_text {
    struct sink_options options;
    struct history *history;
    struct screen *screen;
    uint64_t n_samples;
};

static int text_choose(struct sink_text *text, struct err *err)
{
    const struct sink_options *options = &text->options;

    if (options->pane && !screen_show_pane(text->screen, options->pane)) {
        err_set(err, ERR_USAGE, "there is no pane \"%s\"", options->pane);
        return err_remedy(err,
                          "use overview, types, sizes, gc, arenas, pins, heaps, account, "
                          "history, log or verdict");
    }
    if (options->sort && !screen_sort_by(text->screen, options->sort)) {
        err_set(err, ERR_USAGE, "there is no column \"%s\" to sort by", options->sort);
        return err_remedy(err, "--sort help lists the columns");
    }
    if (options->filter)
        screen_set_filter(text->screen, options->filter);
    return 0;
}

static void text_free(struct sink_text *text)
{
    screen_free(text->screen);
    history_free(text->history);
    free(text);
}

static int text_open(const struct sink_options *options, void **state, struct err *err)
{
    struct sink_text *text = xcalloc(1, sizeof(*text));

    text->options = *options;
    if (text->options.columns <= 0)
        text->options.columns = 80;
    if (text->options.columns < COLUMNS_LEAST)
        text->options.columns = COLUMNS_LEAST;
    if (text->options.columns > COLUMNS_MOST)
        text->options.columns = COLUMNS_MOST;
    text->history = history_new();
    text->screen = screen_new(text->history);
    if (options->has_past)
        screen_show_replay(text->screen, "REPLAY");
    if (text_choose(text, err)) {
        text_free(text);
        return -1;
    }
    *state = text;
    return 0;
}

/* Lines of the canvas without the blank ones at its end. */
static int put_canvas(struct sink_text *text, const struct canvas *canvas,
                      struct err *err)
{
    struct strbuf lines = STRBUF_INIT;
    int result = 0;

    canvas_lines(canvas, &lines);
    while (lines.length > 1 && lines.text[lines.length - 2] == '\n')
        lines.length--;
    if (fwrite(strbuf_text(&lines), 1, lines.length, text->options.out) != lines.length)
        result = err_set_errno(err, ERR_FAILED, errno, "cannot write the text");
    strbuf_release(&lines);
    return result;
}

static int put_header(struct sink_text *text, struct err *err)
{
    struct canvas canvas;

    canvas_init(&canvas, screen_header_lines(text->screen), text->options.columns,
                text->options.use_unicode);
    screen_draw_header(text->screen, &canvas);
    int result = put_canvas(text, &canvas, err);
    canvas_release(&canvas);
    return result;
}

/* Why not more is seen has its line in the header. What does not fit there follows whole:
 * nobody can widen a text that was written. */
static void put_whole_reason(const struct sink_text *text,
                             const struct snapshot *snapshot)
{
    const char *why = snapshot->access.why;

    if (strlen(why) + REASON_LABEL_COLUMNS > (size_t)text->options.columns)
        fprintf(text->options.out, " why: %s\n", why);
}

static int put_pane(struct sink_text *text, const char *name, struct err *err)
{
    struct table *table;
    struct canvas canvas;
    size_t rows = 0, wanted = (size_t)(text->options.rows > 0 ? text->options.rows : 0);

    screen_show_pane(text->screen, name);
    table = screen_table(text->screen);
    if (table)
        rows = table_row_count(table, NULL);
    /* The heading, the line of what is left out, and for some a row of totals. */
    bool is_cut = wanted && rows > wanted;
    int height = (int)(is_cut ? wanted + 2 : rows + SPARE_LINES);

    if (is_cut && table)
        height += (int)table_fixed_count(table);
    canvas_init(&canvas, height, text->options.columns, text->options.use_unicode);
    screen_draw_pane(text->screen, &canvas,
                     (struct rect){0, 0, height, text->options.columns});
    int result = put_canvas(text, &canvas, err);
    canvas_release(&canvas);
    return result;
}

/* Of each that is used, as its tab shows it: a table, or why there is none. */
static int put_plugins(struct sink_text *text, const struct snapshot *snapshot,
                       struct err *err)
{
    const struct plugins_section *plugins = snapshot->plugins;

    for (size_t i = 0; plugins && i < plugins->n_views; i++) {
        const struct plugin_view *view = &plugins->views[i];
        char pane[PLUGIN_NAME_BYTES + 8];

        if (view->state == PLUGIN_FOUND || (view->is_sink && !view->is_source))
            continue;
        snprintf(pane, sizeof(pane), "plugin:%s", view->name);
        fputc('\n', text->options.out);
        if (put_pane(text, pane, err))
            return -1;
    }
    return 0;
}

static int put_panes(struct sink_text *text, const struct snapshot *snapshot,
                     struct err *err)
{
    const char *pane = text->options.pane;

    if (pane && strcmp(pane, "overview") != 0)
        return put_pane(text, pane, err);
    if (put_pane(text, "types", err))
        return -1;
    fputc('\n', text->options.out);
    screen_set_filter(text->screen, ""); /* the filter chooses kinds */
    int result = put_pane(text, "sizes", err);
    if (!result)
        result = put_plugins(text, snapshot, err);
    screen_set_filter(text->screen, text->options.filter);
    return result;
}

static int text_snapshot(void *state, const struct snapshot *snapshot,
                         const struct history *history, struct err *err)
{
    struct sink_text *text = state;

    (void)history; /* its own holds what was printed, and no marks of the screen */
    history_add(text->history, snapshot);
    /* The first sample has nothing to be compared with. */
    screen_show_delta(text->screen, text->n_samples ? DELTA_PREVIOUS : DELTA_OFF);
    screen_update(text->screen);
    if (text->n_samples++)
        fputc('\n', text->options.out);
    if (put_header(text, err))
        return -1;
    put_whole_reason(text, snapshot);
    fputc('\n', text->options.out);
    if (put_panes(text, snapshot, err))
        return -1;
    if (fflush(text->options.out))
        return err_set_errno(err, ERR_FAILED, errno, "cannot write the text");
    return 0;
}

static int text_close(void *state, struct err *err)
{
    (void)err;
    if (state)
        text_free(state);
    return 0;
}

const struct sink_ops sink_text = {
    .name = "text",
    .open = text_open,
    .snapshot = text_snapshot,
    .close = text_close,
};
