/*
 * kind_view.h - one kind, opened: its numbers, and below them one of several tables: its
 * walks so far, sizes, refcounts, the largest objects.
 *
 * The first comes from the snapshots, the others from an inquiry, and say how old it is.
 */
#ifndef HEAPTOP_TUI_KIND_VIEW_H
#define HEAPTOP_TUI_KIND_VIEW_H

#include "tui/pane.h"
#include "tui/table.h"

struct kind_view;

struct kind_view *kind_view_new(void);
void kind_view_free(struct kind_view *view);

/* The kind of this row of a table of kinds, with its walks on show. */
void kind_view_open(struct kind_view *view, uint64_t identity, const char *name);
void kind_view_update(struct kind_view *view, const struct view_input *input);
void kind_view_draw(struct kind_view *view, struct canvas *canvas, struct rect rect,
                    bool has_focus);
enum pane_result kind_view_command(struct kind_view *view, enum command_id command);
struct table *kind_view_table(struct kind_view *view);
const char *kind_view_name(const struct kind_view *view);
/* How old an answer is, or why there is none. */
void answer_describe(const struct answer *answer, const char *why, struct strbuf *out);
void kind_view_wants(const struct kind_view *view, struct inquiry *inquiry);

#endif
