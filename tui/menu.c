#include "tui/menu.h"

#include <stdlib.h>
#include <string.h>

#include "tui/box.h"
#include "util/utf8.h"
#include "util/xalloc.h"

void menu_init(struct menu *menu, const char *title, const char *hint, bool has_checks)
{
    memset(menu, 0, sizeof(*menu));
    menu->title = title;
    menu->hint = hint;
    menu->has_checks = has_checks;
}

void menu_release(struct menu *menu)
{
    for (size_t i = 0; i < menu->count; i++) {
        free(menu->items[i].label);
        free(menu->items[i].help);
    }
    free(menu->items);
    memset(menu, 0, sizeof(*menu));
}

void menu_add(struct menu *menu, int value, bool is_checked, const char *label,
              const char *help)
{
    menu->items = xreallocarray(menu->items, menu->count + 1, sizeof(menu->items[0]));
    menu->items[menu->count++] = (struct menu_item){
        xstrdup(label), xstrdup(help ? help : ""), value, is_checked, false, 0,
    };
}

void menu_set_key(struct menu *menu, char key, bool is_dim)
{
    menu->items[menu->count - 1].key = key;
    menu->items[menu->count - 1].is_dim = is_dim;
}

static int label_columns(const struct menu *menu)
{
    int columns = 0;

    for (size_t i = 0; i < menu->count; i++) {
        int item = utf8_columns(menu->items[i].label);

        if (item > columns)
            columns = item;
    }
    return columns;
}

static int inner_width(const struct menu *menu, int labels)
{
    int width = utf8_columns(menu->title) + 6, hint = utf8_columns(menu->hint);

    if (hint > width)
        width = hint;
    for (size_t i = 0; i < menu->count; i++) {
        int item =
            labels + 2 + (menu->has_checks ? 4 : 0) + utf8_columns(menu->items[i].help);

        if (item > width)
            width = item;
    }
    return width;
}

static void draw_item(const struct menu *menu, struct canvas *canvas, int y, size_t index,
                      int labels)
{
    const struct menu_item *item = &menu->items[index];
    struct rect line = {y, menu->lines.x, 1, menu->lines.width};
    int x = line.x;

    if (menu->has_checks)
        x += canvas_text(canvas, y, x, line.width, ROLE_DIALOG,
                         item->is_checked ? "[x] " : "[ ] ");
    canvas_text(canvas, y, x, line.x + line.width - x,
                item->is_dim ? ROLE_DIM : ROLE_DIALOG, item->label);
    x += labels + 2;
    canvas_text(canvas, y, x, line.x + line.width - x, ROLE_DIM, item->help);
    if (index != menu->selected)
        return;
    canvas_paint(canvas, line, ROLE_SELECTED);
    canvas_cursor(canvas, y, line.x);
}

void menu_draw(struct menu *menu, struct canvas *canvas)
{
    int labels = label_columns(menu), count = (int)menu->count;
    struct rect inner =
        box_draw(canvas, count + 2, inner_width(menu, labels), menu->title);
    int selected = (int)menu->selected;

    menu->lines = inner;
    /* The hint and the blank line before it go first when there is little room. */
    if (inner.height >= 4) {
        canvas_text(canvas, inner.y + inner.height - 1, inner.x, inner.width, ROLE_DIM,
                    menu->hint);
        menu->lines.height -= inner.height >= count + 2 ? 2 : 1;
    }
    if (selected < menu->first_line)
        menu->first_line = selected;
    if (selected >= menu->first_line + menu->lines.height)
        menu->first_line = selected - menu->lines.height + 1;
    if (menu->first_line > 0 && menu->first_line > count - menu->lines.height)
        menu->first_line = count > menu->lines.height ? count - menu->lines.height : 0;
    for (int i = 0; i < menu->lines.height && menu->first_line + i < count; i++)
        draw_item(menu, canvas, menu->lines.y + i, (size_t)(menu->first_line + i),
                  labels);
}

static void move(struct menu *menu, int64_t by)
{
    int64_t selected = (int64_t)menu->selected + by;

    if (selected >= (int64_t)menu->count)
        selected = (int64_t)menu->count - 1;
    menu->selected = selected > 0 ? (size_t)selected : 0;
}

static enum menu_result click(struct menu *menu, const struct key *key)
{
    const struct rect *lines = &menu->lines;
    int line = key->y - lines->y;

    if (line < 0 || line >= lines->height || key->x < lines->x ||
        key->x >= lines->x + lines->width)
        return MENU_OPEN;
    size_t index = (size_t)(menu->first_line + line);
    if (index >= menu->count)
        return MENU_OPEN;
    bool was_selected = index == menu->selected;
    menu->selected = index;
    if (menu->has_checks)
        return MENU_TOGGLED;
    return was_selected ? MENU_CHOSEN : MENU_OPEN;
}

static enum menu_result key_command(struct menu *menu, enum command_id command)
{
    int page = menu->lines.height > 1 ? menu->lines.height - 1 : 1;

    switch (command) {
    case COMMAND_UP:
        move(menu, -1);
        return MENU_OPEN;
    case COMMAND_DOWN:
        move(menu, 1);
        return MENU_OPEN;
    case COMMAND_PAGE_UP:
        move(menu, -page);
        return MENU_OPEN;
    case COMMAND_PAGE_DOWN:
        move(menu, page);
        return MENU_OPEN;
    case COMMAND_TOP:
        menu->selected = 0;
        return MENU_OPEN;
    case COMMAND_BOTTOM:
        move(menu, (int64_t)menu->count);
        return MENU_OPEN;
    case COMMAND_ENTER:
        return MENU_CHOSEN;
    case COMMAND_SAMPLE: /* Space */
        return menu->has_checks ? MENU_TOGGLED : MENU_CHOSEN;
    case COMMAND_BACK:
    case COMMAND_QUIT:
        return MENU_CLOSED;
    default:
        return MENU_OPEN;
    }
}

/* The letter of an item; false: of none. */
static bool choose_by_key(struct menu *menu, const struct key *key)
{
    for (size_t i = 0; i < menu->count; i++)
        if (menu->items[i].key && key->text[0] == menu->items[i].key && !key->text[1]) {
            menu->selected = i;
            return true;
        }
    return false;
}

enum menu_result menu_key(struct menu *menu, const struct key *key)
{
    switch (key->mouse) {
    case KEY_MOUSE_WHEEL_UP:
        move(menu, -1);
        return MENU_OPEN;
    case KEY_MOUSE_WHEEL_DOWN:
        move(menu, 1);
        return MENU_OPEN;
    case KEY_MOUSE_LEFT:
        return click(menu, key);
    default:
        break;
    }
    if (choose_by_key(menu, key))
        return MENU_CHOSEN;
    enum menu_result result = key_command(menu, command_of_key(key->name));
    return menu->count == 0 && result != MENU_CLOSED ? MENU_OPEN : result;
}
