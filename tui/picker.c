#include "tui/picker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/header.h"
#include "util/strbuf.h"
#include "util/utf8.h"
#include "util/xalloc.h"

enum {
    COLUMN_PID,
    COLUMN_USER,
    COLUMN_UP,
    COLUMN_VIRT,
    COLUMN_RES,
    COLUMN_CPU,
    COLUMN_PYTHON,
    COLUMN_ALLOC,
    COLUMN_ACCESS,
    COLUMN_COMMAND,
    COLUMN_TREE,
};

static const struct column columns[] = {
    {.name = "pid",
     .heading = "PID",
     .help = "process",
     .type = VALUE_LABEL,
     .width = 6,
     .ascending_first = true},
    {.name = "user",
     .heading = "USER",
     .help = "its owner",
     .type = VALUE_TEXT,
     .width = 8,
     .weight = 4,
     .ascending_first = true},
    {.name = "up",
     .heading = "UP",
     .help = "time since it began",
     .type = VALUE_DURATION,
     .width = 6,
     .weight = 3},
    {.name = "virt",
     .heading = "VIRT",
     .help = "address space",
     .type = VALUE_BYTES,
     .width = 6,
     .weight = 5},
    {.name = "res",
     .heading = "RES",
     .help = "resident memory",
     .type = VALUE_BYTES,
     .width = 6,
     .weight = 9,
     .sort_key = 'B'},
    {.name = "cpu",
     .heading = "CPU%",
     .help = "of one core",
     .type = VALUE_PERCENT,
     .width = 5,
     .weight = 1,
     .hidden_first = true},
    {.name = "python",
     .heading = "PYTHON",
     .help = "CPython's version",
     .type = VALUE_TEXT,
     .width = 7,
     .weight = 7,
     .ascending_first = true},
    {.name = "alloc",
     .heading = "ALLOC",
     .help = "the allocator of objects",
     .type = VALUE_TEXT,
     .width = 8,
     .weight = 2,
     .ascending_first = true},
    {.name = "access",
     .heading = "ACCESS",
     .help = "may heaptop read it, else why not",
     .type = VALUE_TEXT,
     .width = 12,
     .weight = 8,
     .ascending_first = true},
    {.name = "command",
     .heading = "COMMAND",
     .help = "its command line",
     .type = VALUE_TEXT,
     .width = 26,
     .grow = 1,
     .ascending_first = true,
     .is_name = true,
     .sort_key = 'A'},
    {.name = "tree",
     .heading = "TREE",
     .help = "parents before their children",
     .type = VALUE_COUNT,
     .width = 4,
     .ascending_first = true,
     .hidden_first = true},
};

struct picker {
    struct table *table;
    const struct candidates *list;
    char **texts; /* three for each row: PID, access, command with its branch */
    size_t n_texts;
    char filter[128];
    char digits[12];
    char message[512];
    bool can_go_back, is_no_pid;
};

struct picker *picker_new(void)
{
    struct picker *picker = xcalloc(1, sizeof(*picker));

    picker->table = table_new(columns, sizeof(columns) / sizeof(columns[0]), COLUMN_TREE);
    return picker;
}

static void free_texts(struct picker *picker)
{
    for (size_t i = 0; i < picker->n_texts; i++)
        free(picker->texts[i]);
    free(picker->texts);
    picker->texts = NULL;
    picker->n_texts = 0;
}

void picker_free(struct picker *picker)
{
    if (!picker)
        return;
    free_texts(picker);
    table_free(picker->table);
    free(picker);
}

static char *keep(struct picker *picker, struct strbuf *text)
{
    strbuf_add_text(text, "");
    return picker->texts[picker->n_texts++] = strbuf_detach(text);
}

static uint64_t identity_of(const struct candidate *candidate)
{
    return (uint64_t)candidate->pid ^ candidate->start_ticks << 24;
}

static void row_fill(struct picker *picker, const struct candidate *from, size_t place,
                     struct table_row *row)
{
    struct strbuf text = STRBUF_INIT;
    char command[512];

    memset(row, 0, sizeof(*row));
    row->identity = identity_of(from);
    row->role = from->can_read ? ROLE_NORMAL : ROLE_DIM;
    strbuf_addf(&text, "%d", (int)from->pid);
    row->values[COLUMN_PID].text = keep(picker, &text);
    row->values[COLUMN_PID].number = reading_exact(from->pid);
    row->values[COLUMN_USER].text = from->user;
    row->values[COLUMN_UP].number = from->uptime_ns;
    row->values[COLUMN_VIRT].number = from->virt_bytes;
    row->values[COLUMN_RES].number = from->res_bytes;
    row->values[COLUMN_CPU].number = from->cpu_milli_percent;
    row->values[COLUMN_PYTHON].text = from->python;
    row->values[COLUMN_ALLOC].text = from->allocator;
    strbuf_addf(&text, "%s%s", from->can_read ? "" : "no: ", from->access);
    row->values[COLUMN_ACCESS].text = keep(picker, &text);
    if (from->depth > 0 && from->depth < 20) {
        strbuf_add_repeated(&text, ' ', 2 * (size_t)(from->depth - 1));
        strbuf_add_text(&text, "`- ");
    }
    header_short_command(command, sizeof(command), from->command ? from->command : "-");
    strbuf_add_text(&text, command);
    row->values[COLUMN_COMMAND].text = keep(picker, &text);
    row->values[COLUMN_TREE].number = reading_exact((int64_t)place);
}

void picker_update(struct picker *picker, const struct candidates *list,
                   const char *filter)
{
    char **old = picker->texts;
    size_t n_old = picker->n_texts;

    picker->list = list;
    snprintf(picker->filter, sizeof(picker->filter), "%s", filter ? filter : "");
    picker->texts = xcalloc(3 * list->count + 1, sizeof(*picker->texts));
    picker->n_texts = 0;
    table_begin_rows(picker->table, list->count + 1);
    for (size_t i = 0; i < list->count; i++) {
        struct table_row row;

        row_fill(picker, &list->rows[i], i, &row);
        table_add_row(picker->table, &row);
    }
    table_end_rows(picker->table);
    for (size_t i = 0; i < n_old; i++)
        free(old[i]);
    free(old);
}

static const struct candidate *selected(const struct picker *picker)
{
    const struct table_row *row = table_selected(picker->table);

    if (!row || !picker->list)
        return NULL;
    size_t place = (size_t)row->values[COLUMN_TREE].number.value;
    return place < picker->list->count ? &picker->list->rows[place] : NULL;
}

pid_t picker_selected(const struct picker *picker)
{
    const struct candidate *candidate = selected(picker);

    return candidate ? candidate->pid : 0;
}

static void draw_title(const struct picker *picker, struct canvas *canvas)
{
    static const char hint[] = "type digits for a PID, \\ to filter";
    const char *title = "Attach to a CPython process";
    char right[200];
    int room = canvas->width - 1, width;

    snprintf(right, sizeof(right), "%s", hint);
    if (picker->digits[0])
        snprintf(right, sizeof(right), "PID %s%s", picker->digits,
                 picker->is_no_pid ? ": none begins so" : "");
    else if (picker->filter[0])
        snprintf(right, sizeof(right), "filter: %s", picker->filter);
    canvas_fill(canvas, (struct rect){0, 0, 1, canvas->width}, ROLE_HEADER);
    width = utf8_columns(right);
    canvas_text(canvas, 0, 1, room, ROLE_HEADER, title);
    if (width + (int)strlen(title) + 4 <= canvas->width)
        canvas_text_right(canvas, 0, canvas->width - 1 - width, width, ROLE_DIM, right);
}

/* Why the selected one cannot be read: a long sentence, so it may take two lines. */
static void draw_why(const struct picker *picker, struct canvas *canvas, int y, int lines)
{
    const struct candidate *candidate = selected(picker);
    const char *text = picker->message;
    int room = canvas->width - 2;

    if (!*text && candidate && !candidate->can_read)
        text = candidate->access_why;
    if (lines <= 0)
        return;
    if (lines > 1 && utf8_columns(text) > room) {
        size_t length = strlen(text), cut = 0;

        for (size_t i = 0; i < length && i < (size_t)(room > 0 ? room : 0); i++)
            if (text[i] == ' ')
                cut = i;
        if (cut) {
            canvas_textf(canvas, y, 1, room, ROLE_WARNING, "%.*s", (int)cut, text);
            y++;
            text += cut + 1;
        }
    }
    canvas_text(canvas, y, 1, room, ROLE_WARNING, text);
}

void picker_draw(struct picker *picker, struct canvas *canvas)
{
    int height = canvas->height, width = canvas->width;
    int why = height >= 8 ? 2 : height >= 5 ? 1 : 0;
    int title = height >= 3, bar = height >= 4;
    struct rect rect = {title, 0, height - title - why - bar, width};

    canvas_clear(canvas);
    if (title)
        draw_title(picker, canvas);
    table_draw(picker->table, canvas, rect, true);
    if (!table_row_count(picker->table, NULL))
        canvas_text(canvas, rect.y + 1, 1, width - 2, ROLE_DIM,
                    picker->filter[0] ? "no CPython process matches the filter"
                                      : "no CPython process was found");
    draw_why(picker, canvas, rect.y + rect.height, why);
    if (!bar)
        return;
    canvas_fill(canvas, (struct rect){height - 1, 0, 1, width}, ROLE_BAR);
    canvas_text(canvas, height - 1, 1, width - 2, ROLE_BAR,
                picker->can_go_back
                    ? width >= 62 ? "Enter attach   Esc back   \\ filter   F6 sort   "
                                    "? help   q quit"
                                  : "Enter attach   Esc back"
                : width >= 50 ? "Enter attach   \\ filter   F6 sort   ? help   q quit"
                              : "Enter attach   q quit");
}

bool picker_select(struct picker *picker, pid_t pid)
{
    for (size_t i = 0; picker->list && i < picker->list->count; i++) {
        const struct candidate *candidate = &picker->list->rows[i];

        if (candidate->pid == pid)
            return table_select(picker->table, identity_of(candidate));
    }
    return false;
}

bool picker_command(struct picker *picker, enum command_id command)
{
    picker->digits[0] = '\0';
    picker->message[0] = '\0';
    return table_command(picker->table, command);
}

void picker_digit(struct picker *picker, char digit)
{
    size_t length = strlen(picker->digits);
    char pid[16];

    if (digit < '0' || digit > '9')
        return;
    if (length + 1 >= sizeof(picker->digits))
        length = 0;
    picker->digits[length] = digit;
    picker->digits[length + 1] = '\0';
    picker->is_no_pid = false;
    for (size_t i = 0; picker->list && i < picker->list->count; i++) {
        const struct candidate *candidate = &picker->list->rows[i];

        snprintf(pid, sizeof(pid), "%d", (int)candidate->pid);
        if (strncmp(pid, picker->digits, length + 1) != 0)
            continue;
        table_select(picker->table, identity_of(candidate));
        return;
    }
    picker->is_no_pid = true;
    /* No such PID: the digit begins a new one. */
    if (length > 0) {
        picker->digits[0] = '\0';
        picker_digit(picker, digit);
    }
}

bool picker_click(struct picker *picker, int y, int x, bool *chosen)
{
    return table_click(picker->table, y, x, chosen);
}

struct table *picker_table(struct picker *picker)
{
    return picker->table;
}

void picker_message(struct picker *picker, const char *text)
{
    snprintf(picker->message, sizeof(picker->message), "%s", text ? text : "");
}

void picker_can_go_back(struct picker *picker, bool can_go_back)
{
    picker->can_go_back = can_go_back;
}
