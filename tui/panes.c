#include "tui/pane.h"

#include <stddef.h>

#define PANE(name) extern const struct pane_ops pane_##name;
#include "tui/panes.def"
#undef PANE

const struct pane_ops *const panes[] = {
#define PANE(name) &pane_##name,
#include "tui/panes.def"
#undef PANE
    NULL,
};
