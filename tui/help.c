#include "config.h"

#include "tui/help.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/command.h"
#include "util/xalloc.h"

#define KEYS_COLUMNS 14

static void add(struct help *help, bool is_dim, const char *keys, const char *text)
{
    help->lines = xreallocarray(help->lines, help->count + 1, sizeof(help->lines[0]));
    help->lines[help->count++] = (struct help_line){xstrdup(keys), xstrdup(text), is_dim};
}

static bool has_effect(const struct command *command, const struct help_facts *facts)
{
    if ((command->flags & COMMAND_ACTS) && !facts->can_act)
        return false;
    return !(command->flags & COMMAND_LIVE) || facts->is_live;
}

static void add_commands(struct help *help, const struct help_facts *facts)
{
    for (size_t i = COMMAND_NONE + 1; i < COMMAND_COUNT; i++) {
        const struct command *command = &commands[i];

        /* Nine lines of "tab N" say less than one. */
        if (command->id > COMMAND_TAB_1 && command->id <= COMMAND_TAB_9)
            continue;
        if (command->id == COMMAND_TAB_1)
            add(help, false, "1 ... 9", "go to this tab");
        else
            add(help, !has_effect(command, facts), command->keys, command->help);
    }
}

static void add_sort_keys(struct help *help, struct table *table)
{
    const struct column *columns;
    size_t count = table_columns(table, &columns);
    char key[2] = "", text[120];

    for (size_t i = 0; i < count; i++) {
        if (!columns[i].sort_key)
            continue;
        key[0] = columns[i].sort_key;
        if (command_of_key(key) != COMMAND_NONE)
            continue;
        snprintf(text, sizeof(text), "sort by %.60s; again: reverse", columns[i].heading);
        add(help, false, key, text);
    }
}

void help_init(struct help *help, const struct help_facts *facts)
{
    memset(help, 0, sizeof(*help));
    add(help, false, "", "heaptop " PACKAGE_VERSION " - keys (dimmed: no effect now)");
    add(help, false, "", "");
    add_commands(help, facts);
    if (facts->table)
        add_sort_keys(help, facts->table);
    add(help, false, "", "");
    add(help, false, "", "- unknown   ? read while it changed   ~ estimated, or cut");
    add(help, false, "",
        "D PREV since the previous walk, D MARK since the mark, D /S per second");
    add(help, false, "",
        "BYTES memory of objects without tables and items; SIZE sys.getsizeof");
    add(help, false, "",
        "Mouse: headings sort, rows select, tabs and labels are buttons;");
    add(help, false, "", "       Shift and drag selects text in most terminals.");
}

void help_release(struct help *help)
{
    for (size_t i = 0; i < help->count; i++) {
        free(help->lines[i].keys);
        free(help->lines[i].text);
    }
    free(help->lines);
    memset(help, 0, sizeof(*help));
}

static void keep_in_range(struct help *help)
{
    int last = (int)help->count - help->page;

    if (help->first_line > last)
        help->first_line = last;
    if (help->first_line < 0)
        help->first_line = 0;
}

static void draw_line(struct canvas *canvas, int y, const struct help_line *line)
{
    int keys_columns = canvas->width >= 40 ? KEYS_COLUMNS : 6;
    enum role role = line->is_dim ? ROLE_DIM : ROLE_NORMAL;

    if (line->keys[0] == '\0') {
        canvas_text(canvas, y, 1, canvas->width - 1, ROLE_VALUE, line->text);
        return;
    }
    canvas_text(canvas, y, 1, keys_columns - 1, line->is_dim ? ROLE_DIM : ROLE_BAR_KEY,
                line->keys);
    canvas_text(canvas, y, keys_columns + 1, canvas->width - keys_columns - 1, role,
                line->text);
}

void help_draw(struct help *help, struct canvas *canvas)
{
    bool has_foot = canvas->height > 2;

    canvas_fill(canvas, (struct rect){0, 0, canvas->height, canvas->width}, ROLE_NORMAL);
    help->page = has_foot ? canvas->height - 1 : canvas->height;
    keep_in_range(help);
    for (int y = 0; y < help->page; y++) {
        size_t index = (size_t)(help->first_line + y);

        if (index < help->count)
            draw_line(canvas, y, &help->lines[index]);
    }
    canvas_cursor(canvas, canvas->height - 1, 0);
    if (!has_foot)
        return;
    bool is_more = help->first_line + help->page < (int)help->count;
    canvas_fill(canvas, (struct rect){canvas->height - 1, 0, 1, canvas->width},
                ROLE_HEADING);
    canvas_textf(canvas, canvas->height - 1, 1, canvas->width - 1, ROLE_HEADING,
                 "Esc leaves the help%s", is_more ? ", Down shows more" : "");
}

bool help_key(struct help *help, const struct key *key)
{
    if (key->mouse == KEY_MOUSE_WHEEL_UP)
        help->first_line -= 3;
    if (key->mouse == KEY_MOUSE_WHEEL_DOWN)
        help->first_line += 3;
    switch (command_of_key(key->name)) {
    case COMMAND_UP:
        help->first_line--;
        break;
    case COMMAND_DOWN:
        help->first_line++;
        break;
    case COMMAND_PAGE_UP:
        help->first_line -= help->page;
        break;
    case COMMAND_PAGE_DOWN:
    case COMMAND_SAMPLE: /* Space, as in less */
        help->first_line += help->page;
        break;
    case COMMAND_TOP:
        help->first_line = 0;
        break;
    case COMMAND_BOTTOM:
        help->first_line = (int)help->count;
        break;
    case COMMAND_BACK:
    case COMMAND_QUIT:
    case COMMAND_HELP:
    case COMMAND_ENTER:
        return false;
    default:
        break;
    }
    keep_in_range(help);
    return true;
}
