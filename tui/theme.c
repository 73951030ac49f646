#include "tui/theme.h"

enum color {
    NONE = THEME_DEFAULT,
    BLACK = 0,
    RED,
    GREEN,
    YELLOW,
    BLUE,
    MAGENTA,
    CYAN,
    WHITE,
};

static const struct style colored[ROLE_COUNT] = {
    [ROLE_NORMAL] = {NONE, NONE, false, false, false, false},
    [ROLE_HEADER] = {NONE, NONE, false, false, false, false},
    [ROLE_VALUE] = {NONE, NONE, true, false, false, false},
    [ROLE_DIM] = {NONE, NONE, false, true, false, false},
    [ROLE_TAB] = {NONE, NONE, false, false, false, false},
    [ROLE_TAB_ACTIVE] = {NONE, NONE, true, false, true, false},
    [ROLE_HEADING] = {BLACK, GREEN, false, false, false, false},
    [ROLE_HEADING_SORT] = {BLACK, CYAN, false, false, false, false},
    [ROLE_SELECTED] = {BLACK, CYAN, false, false, false, false},
    [ROLE_KIND] = {NONE, NONE, false, false, false, false},
    [ROLE_GROWTH] = {RED, NONE, false, false, false, false},
    [ROLE_SHRINK] = {CYAN, NONE, false, false, false, false},
    [ROLE_WARNING] = {RED, NONE, true, false, false, false},
    [ROLE_BAR] = {BLACK, CYAN, false, false, false, false},
    [ROLE_BAR_KEY] = {NONE, NONE, true, false, false, false},
    [ROLE_GRAPH] = {GREEN, NONE, false, false, false, false},
    [ROLE_DIALOG] = {NONE, NONE, false, false, false, false},
    [ROLE_BUTTON] = {NONE, NONE, false, false, false, false},
    [ROLE_BUTTON_FOCUS] = {BLACK, CYAN, true, false, false, false},
};

static const struct style monochrome[ROLE_COUNT] = {
    [ROLE_NORMAL] = {NONE, NONE, false, false, false, false},
    [ROLE_HEADER] = {NONE, NONE, false, false, false, false},
    [ROLE_VALUE] = {NONE, NONE, true, false, false, false},
    [ROLE_DIM] = {NONE, NONE, false, true, false, false},
    [ROLE_TAB] = {NONE, NONE, false, false, false, false},
    [ROLE_TAB_ACTIVE] = {NONE, NONE, true, false, true, false},
    [ROLE_HEADING] = {NONE, NONE, false, false, false, true},
    [ROLE_HEADING_SORT] = {NONE, NONE, true, false, false, true},
    [ROLE_SELECTED] = {NONE, NONE, false, false, true, false},
    [ROLE_KIND] = {NONE, NONE, false, false, false, false},
    [ROLE_GROWTH] = {NONE, NONE, true, false, false, false},
    [ROLE_SHRINK] = {NONE, NONE, false, false, false, false},
    [ROLE_WARNING] = {NONE, NONE, true, false, true, false},
    [ROLE_BAR] = {NONE, NONE, false, false, true, false},
    [ROLE_BAR_KEY] = {NONE, NONE, true, false, false, false},
    [ROLE_GRAPH] = {NONE, NONE, false, false, false, false},
    [ROLE_DIALOG] = {NONE, NONE, false, false, false, false},
    [ROLE_BUTTON] = {NONE, NONE, false, false, false, false},
    [ROLE_BUTTON_FOCUS] = {NONE, NONE, true, false, true, false},
};

struct style theme_style(enum role role, bool use_color)
{
    unsigned index = (unsigned)role < ROLE_COUNT ? (unsigned)role : ROLE_NORMAL;

    return use_color ? colored[index] : monochrome[index];
}
