/* Panes without a tab: who holds the objects of a kind, and the plugins. A key opens
 * them, and Esc goes back to where it was. */
#include "tui/screen_private.h"

static size_t holders_pane(const struct screen *screen)
{
    size_t at = 0;

    while (at < screen->n_panes && !panes[at]->look_at)
        at++;
    return at;
}

bool screen_open_holders(struct screen *screen)
{
    const struct pane_ops *pane = screen_pane(screen);
    const struct kind *kind =
        pane->kind ? pane->kind(screen->panes[screen->current]) : NULL;
    size_t at = holders_pane(screen);

    if (!kind || at == screen->n_panes) {
        screen_message(screen, ROLE_NORMAL,
                       "choose a kind first: on the tab Types, or among the pins");
        return true;
    }
    if (!screen_pane(screen)->is_hidden)
        screen->came_from = screen->current;
    panes[at]->look_at(screen->panes[at], kind);
    screen_show_pane(screen, panes[at]->name);
    return true;
}

bool screen_open_plugins(struct screen *screen)
{
    if (!screen_pane(screen)->is_hidden)
        screen->came_from = screen->current;
    screen_show_pane(screen, "plugins");
    return true;
}

size_t screen_wanted_plugin(const struct screen *screen)
{
    const struct pane_ops *pane = screen_pane(screen);

    return pane->wants_plugin ? pane->wants_plugin(screen->panes[screen->current]) : 0;
}

bool screen_leave_holders(struct screen *screen)
{
    if (!screen_pane(screen)->is_hidden)
        return false;
    screen_show_pane(screen, panes[screen->came_from]->name);
    return true;
}
