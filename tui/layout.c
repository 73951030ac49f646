#include "tui/layout.h"

#include <string.h>

#define FULL_HEIGHT  16
#define FULL_WIDTH   60
#define SHORT_HEIGHT 8
#define SHORT_WIDTH  30
#define TINY_HEIGHT  4
#define TINY_WIDTH   14
#define TALL_HEIGHT  40 /* two lines of status */

static enum layout_form form_of(int height, int width)
{
    if (height >= FULL_HEIGHT && width >= FULL_WIDTH)
        return LAYOUT_FULL;
    if (height >= SHORT_HEIGHT && width >= SHORT_WIDTH)
        return LAYOUT_SHORT;
    if (height >= TINY_HEIGHT && width >= TINY_WIDTH)
        return LAYOUT_TINY;
    return LAYOUT_RES;
}

static struct rect take(int *y, int lines, int width)
{
    struct rect rect = {*y, 0, lines, width};

    *y += lines;
    return rect;
}

void layout_make(struct layout *layout, int height, int width, int header_lines)
{
    int y = 0, status;

    memset(layout, 0, sizeof(*layout));
    layout->form = form_of(height, width);
    if (layout->form == LAYOUT_RES) {
        layout->header = take(&y, height, width);
        return;
    }
    if (layout->form == LAYOUT_TINY) {
        layout->header = take(&y, height - 1, width);
        layout->bar = take(&y, 1, width);
        return;
    }
    if (layout->form == LAYOUT_SHORT && header_lines > 2)
        header_lines = 2;
    status = layout->form == LAYOUT_SHORT ? 0 : height >= TALL_HEIGHT ? 2 : 1;
    layout->header = take(&y, header_lines, width);
    layout->tabs = take(&y, 1, width);
    layout->body = take(&y, height - y - status - 1, width);
    layout->status = take(&y, status, width);
    layout->bar = take(&y, 1, width);
}
