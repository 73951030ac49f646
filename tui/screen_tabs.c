/* The tabs: one for each pane that is not hidden, by its number, and behind them one for
 * each plugin that is used, which key 0 goes through. */
#include <stdio.h>
#include <string.h>

#include "tui/line.h"
#include "tui/screen_private.h"
#include "util/utf8.h"

#define TABS_MAX      (SCREEN_PANES + PLUGINS_MAX)
#define NUMBERS_BELOW 60 /* columns: titles have no room */
#define TITLE_COLUMNS 20 /* of a plugin's tab */

struct tab {
    size_t pane;
    const struct plugin_view *plugin; /* NULL: the pane itself */
    bool has_title;                   /* there is room for it */
};

struct tabs {
    struct tab all[TABS_MAX];
    size_t count, n_panes, active; /* count: none of them is on show */
};

/* A mere sink has nothing to show. */
static bool has_tab(const struct plugin_view *view)
{
    return view->table || (view->is_source && view->state != PLUGIN_FOUND);
}

static size_t plugins_pane(const struct screen *screen)
{
    size_t at = 0;

    while (at < screen->n_panes && !panes[at]->open_plugin)
        at++;
    return at;
}

static void add_plugins(const struct screen *screen, struct tabs *tabs)
{
    const struct plugins_section *section = screen->shown ? screen->shown->plugins : NULL;
    size_t pane = plugins_pane(screen);

    if (pane == screen->n_panes)
        return;
    for (size_t i = 0; section && i < section->n_views && tabs->count < TABS_MAX; i++)
        if (has_tab(&section->views[i]))
            tabs->all[tabs->count++] = (struct tab){pane, &section->views[i], true};
}

static bool is_active(const struct screen *screen, const struct tab *tab)
{
    const char *open;

    if (tab->pane != screen->current)
        return false;
    open = tab->plugin ? panes[tab->pane]->open_plugin(screen->panes[tab->pane]) : NULL;
    return !tab->plugin || (open && !strcmp(open, tab->plugin->name));
}

static void list_tabs(const struct screen *screen, struct tabs *tabs)
{
    tabs->count = 0;
    for (size_t i = 0; i < screen->n_panes; i++)
        if (!panes[i]->is_hidden)
            tabs->all[tabs->count++] = (struct tab){i, NULL, true};
    tabs->n_panes = tabs->count;
    add_plugins(screen, tabs);
    tabs->active = 0;
    while (tabs->active < tabs->count && !is_active(screen, &tabs->all[tabs->active]))
        tabs->active++;
}

void screen_show_tab(struct screen *screen, size_t number)
{
    char name[PLUGIN_NAME_BYTES + 8];
    struct tabs tabs;

    list_tabs(screen, &tabs);
    if (number >= tabs.count)
        return;
    if (!tabs.all[number].plugin) {
        screen_show_pane(screen, panes[tabs.all[number].pane]->name);
        return;
    }
    if (!screen_pane(screen)->is_hidden)
        screen->came_from = screen->current;
    snprintf(name, sizeof(name), "plugin:%s", tabs.all[number].plugin->name);
    screen_show_pane(screen, name);
}

/* From what has no tab on it goes as from where it was opened. */
void screen_next_tab(struct screen *screen, int direction)
{
    struct tabs tabs;
    size_t from;

    list_tabs(screen, &tabs);
    from = tabs.active < tabs.count ? tabs.active : screen->came_from;
    screen_show_tab(screen, (from + tabs.count + (size_t)direction) % tabs.count);
}

void screen_next_plugin(struct screen *screen)
{
    struct tabs tabs;

    list_tabs(screen, &tabs);
    if (tabs.count == tabs.n_panes)
        screen_open_plugins(screen);
    else if (tabs.active < tabs.n_panes || tabs.active + 1 >= tabs.count)
        screen_show_tab(screen, tabs.n_panes);
    else
        screen_show_tab(screen, tabs.active + 1);
}

static void tab_text(char *text, size_t size, const struct tab *tab, bool is_on_show)
{
    const struct plugin_table *table = tab->plugin ? tab->plugin->table : NULL;
    const char *title = !tab->plugin               ? panes[tab->pane]->title
                        : table && table->title[0] ? table->title
                                                   : tab->plugin->name;
    struct strbuf cut = STRBUF_INIT;

    utf8_cut(&cut, title, TITLE_COLUMNS);
    snprintf(text, size, is_on_show ? "[%zu%s%s]" : " %zu%s%s ",
             tab->plugin ? 0 : tab->pane + 1, tab->has_title ? " " : "",
             tab->has_title ? strbuf_text(&cut) : "");
    strbuf_release(&cut);
}

static int tab_width(const struct tab *tab)
{
    char text[128];

    tab_text(text, sizeof(text), tab, false);
    return utf8_columns(text);
}

/* Where there is no room, first those of panes go without their titles, from the right,
 * then those of plugins. Without plugins the last one is cut. */
static void fit(struct tabs *tabs, int width)
{
    int total = 0;

    for (size_t i = 0; i < tabs->count; i++)
        total += tab_width(&tabs->all[i]);
    if (tabs->count == tabs->n_panes)
        return;
    for (size_t i = 0; total > width && i < tabs->count; i++) {
        size_t at = i < tabs->n_panes ? tabs->n_panes - 1 - i
                                      : tabs->count - 1 - (i - tabs->n_panes);

        if (at == tabs->active)
            continue;
        total -= tab_width(&tabs->all[at]);
        tabs->all[at].has_title = false;
        total += tab_width(&tabs->all[at]);
    }
}

static void draw_breadcrumb(const struct screen *screen, struct canvas *canvas,
                            const struct rect *rect, const char *breadcrumb)
{
    static const char back[] = "Esc back";
    char tab[64];
    int x = 0, room = rect->width;

    if (screen_pane(screen)->is_hidden)
        snprintf(tab, sizeof(tab), "[%s]", screen_pane(screen)->title);
    else
        snprintf(tab, sizeof(tab), "[%zu %s]", screen->current + 1,
                 screen_pane(screen)->title);
    if (room > 40) {
        room -= (int)sizeof(back) + 1;
        canvas_text(canvas, rect->y, rect->width - (int)sizeof(back), 8, ROLE_DIM, back);
    }
    x += canvas_text(canvas, rect->y, x, room, ROLE_TAB_ACTIVE, tab);
    x += canvas_text(canvas, rect->y, x, room - x, ROLE_TAB, " > ");
    canvas_text(canvas, rect->y, x, room - x, ROLE_VALUE, breadcrumb);
}

static void draw_tab(struct screen *screen, struct canvas *canvas,
                     const struct rect *rect, const struct tabs *tabs, size_t number,
                     int *x)
{
    bool is_on_show = number == tabs->active;
    char text[128];
    int width;

    tab_text(text, sizeof(text), &tabs->all[number], is_on_show);
    width = canvas_text(canvas, rect->y, *x, rect->width - *x,
                        is_on_show ? ROLE_TAB_ACTIVE : ROLE_TAB, text);
    if (screen->n_hits < SCREEN_HITS)
        screen->hits[screen->n_hits++] =
            (struct hit){rect->y, *x, width, COMMAND_NONE, number + 1};
    *x += width;
}

/* Narrow: numbers only, and the title of the one that is open. */
static void draw_numbers(struct screen *screen, struct canvas *canvas,
                         const struct rect *rect, struct tabs *tabs)
{
    char text[128];
    int x = 0;

    for (size_t i = 0; i < tabs->count; i++)
        tabs->all[i].has_title = false;
    for (size_t i = 0; i < tabs->n_panes; i++)
        draw_tab(screen, canvas, rect, tabs, i, &x);
    /* One for all plugins. */
    if (tabs->active > tabs->n_panes && tabs->active < tabs->count)
        draw_tab(screen, canvas, rect, tabs, tabs->active, &x);
    else if (tabs->count > tabs->n_panes)
        draw_tab(screen, canvas, rect, tabs, tabs->n_panes, &x);
    if (tabs->active == tabs->count)
        return;
    tabs->all[tabs->active].has_title = true;
    tab_text(text, sizeof(text), &tabs->all[tabs->active], false);
    canvas_text(canvas, rect->y, x + 2, rect->width - x - 2, ROLE_TAB_ACTIVE,
                text + strlen(" N "));
}

void screen_draw_tabs(struct screen *screen, struct canvas *canvas,
                      const struct rect *rect)
{
    const char *breadcrumb = screen_breadcrumb(screen);
    struct tabs tabs;
    int x = 0;

    if (!rect->height)
        return;
    canvas_fill(canvas, *rect, ROLE_TAB);
    list_tabs(screen, &tabs);
    if (breadcrumb && (tabs.active == tabs.count || !tabs.all[tabs.active].plugin)) {
        draw_breadcrumb(screen, canvas, rect, breadcrumb);
        return;
    }
    if (rect->width < NUMBERS_BELOW) {
        draw_numbers(screen, canvas, rect, &tabs);
        return;
    }
    fit(&tabs, rect->width);
    for (size_t i = 0; i < tabs.count; i++)
        draw_tab(screen, canvas, rect, &tabs, i, &x);
}
