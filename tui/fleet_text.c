/* Batch text of --tree: the table of the screen as lines, a blank line between samples.
 */
#include "sink/fleet_sink.h"

#include <errno.h>
#include <stdlib.h>

#include "tui/fleet_view.h"
#include "util/xalloc.h"

#define COLUMNS_USUAL 80
#define COLUMNS_LEAST 40
#define COLUMNS_MOST  1000

struct fleet_text {
    FILE *out;
    struct fleet_view *view;
    int columns;
    bool use_unicode, is_later;
};

static int width_of(const struct sink_options *options)
{
    int columns = options->columns > 0 ? options->columns : COLUMNS_USUAL;

    return columns < COLUMNS_LEAST  ? COLUMNS_LEAST
           : columns > COLUMNS_MOST ? COLUMNS_MOST
                                    : columns;
}

static int fleet_text_open(const struct sink_options *options, void **state,
                           struct err *err)
{
    struct fleet_text *text = xcalloc(1, sizeof(*text));

    text->out = options->out;
    text->columns = width_of(options);
    text->use_unicode = options->use_unicode;
    text->view = fleet_view_new();
    *state = text;
    if (options->filter)
        fleet_view_set_filter(text->view, options->filter);
    if (!options->sort || table_sort_by(fleet_view_table(text->view), options->sort))
        return 0;
    fleet_view_free(text->view);
    free(text);
    err_set(err, ERR_USAGE, "there is no column \"%.80s\" to sort by", options->sort);
    return err_remedy(err, "-s help lists the columns");
}

static int fleet_text_sample(void *state, const struct fleet_sample *sample,
                             struct err *err)
{
    struct fleet_text *text = state;
    struct strbuf lines = STRBUF_INIT;
    struct canvas canvas;
    size_t length, wrote;

    fleet_view_update(text->view, sample);
    canvas_init(&canvas, fleet_view_lines(text->view, text->columns), text->columns,
                text->use_unicode);
    fleet_view_draw_lines(text->view, &canvas);
    if (text->is_later)
        strbuf_add_char(&lines, '\n');
    text->is_later = true;
    canvas_lines(&canvas, &lines);
    canvas_release(&canvas);
    length = lines.length;
    wrote = fwrite(strbuf_text(&lines), 1, length, text->out);
    strbuf_release(&lines);
    if (wrote != length || fflush(text->out))
        return err_set_errno(err, ERR_FAILED, errno, "cannot write the text");
    return 0;
}

static void fleet_text_close(void *state)
{
    struct fleet_text *text = state;

    fleet_view_free(text->view);
    free(text);
}

const struct fleet_sink_ops fleet_sink_text = {
    .name = "text",
    .open = fleet_text_open,
    .sample = fleet_text_sample,
    .close = fleet_text_close,
};
