/*
 * header.h - the lines on top: who, VIRT and RES, pymalloc, GC, objects, and
 * the age and price of all that. Draws what fits; unknown is `-`.
 */
#ifndef HEAPTOP_TUI_HEADER_H
#define HEAPTOP_TUI_HEADER_H

#include "model/history.h"
#include "tui/canvas.h"
#include "tui/layout.h"

struct header_input {
    const struct snapshot *now;    /* the newest: the header goes on while paused */
    const struct snapshot *older;  /* changes of VIRT and RES are counted from it */
    const struct snapshot *walked; /* the walk that `objects` is compared with */
    const struct history *history; /* never NULL */
    const struct mark *mark;       /* its age is shown; or NULL */
    bool is_paused;
    bool is_past;          /* `now` is an older sample: the cursor in time stands on it */
    const char *replay;    /* where it stands in a recording; "" or NULL: live */
    const char *recording; /* what is being recorded; "" or NULL: nothing */
    bool has_process_line; /* there is room for CPU, threads, PSS, faults, ... */
};

#define HEADER_TALL 30 /* lines of a screen on which the process has a line */

/* Without the folder of the program, which says little and takes much room. */
char *header_short_command(char *buffer, size_t size, const char *command);

/* How many lines the full form takes for this input. */
int header_lines(const struct header_input *input, int height);
void header_draw(const struct header_input *input, struct canvas *canvas,
                 const struct layout *layout);

#endif
