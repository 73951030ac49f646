#include "tui/dialog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/box.h"
#include "tui/command.h"
#include "util/utf8.h"

#define BODY_COLUMNS  68
#define FIELD_COLUMNS 12

static int input_count(const struct dialog *dialog)
{
    return (dialog->n_choices > 0) + (int)dialog->n_fields;
}

static int cancel_focus(const struct dialog *dialog)
{
    return input_count(dialog);
}

static int accept_focus(const struct dialog *dialog)
{
    return input_count(dialog) + 1;
}

static void begin(struct dialog *dialog, const char *title, const char *close,
                  const char *accept)
{
    memset(dialog, 0, sizeof(*dialog));
    snprintf(dialog->title, sizeof(dialog->title), "%s", title);
    dialog->close = close;
    dialog->accept = accept;
}

void dialog_notice(struct dialog *dialog, const char *title, const char *text,
                   const char *remedy)
{
    begin(dialog, title, "Close", NULL);
    snprintf(dialog->body, sizeof(dialog->body), "%s%s%s", text, *remedy ? "\n" : "",
             remedy);
}

void dialog_ask(struct dialog *dialog, const char *title, const char *accept)
{
    begin(dialog, title, "Cancel", accept);
}

void dialog_progress(struct dialog *dialog, const char *title, const char *close)
{
    begin(dialog, title, close, NULL);
}

void dialog_add_choices(struct dialog *dialog, const char *label, int count, int choice,
                        const char *last_choice)
{
    dialog->choices_label = label;
    dialog->last_choice = last_choice;
    dialog->n_choices = count < DIALOG_CHOICES_MAX ? count : DIALOG_CHOICES_MAX;
    dialog->choice = choice;
    dialog->focus = cancel_focus(dialog);
}

void dialog_add_field(struct dialog *dialog, const char *label, int64_t value)
{
    struct dialog_field *field = &dialog->fields[dialog->n_fields];

    if (dialog->n_fields == DIALOG_FIELDS_MAX)
        return;
    dialog->n_fields++;
    field->label = label;
    if (value >= 0)
        snprintf(field->text, sizeof(field->text), "%lld", (long long)value);
    dialog->focus = 0;
}

void dialog_say(struct dialog *dialog, const char *body)
{
    snprintf(dialog->body, sizeof(dialog->body), "%s", body);
}

void dialog_complain(struct dialog *dialog, const char *complaint)
{
    snprintf(dialog->complaint, sizeof(dialog->complaint), "%s", complaint);
}

int64_t dialog_number(const struct dialog *dialog, size_t field)
{
    const char *text = field < dialog->n_fields ? dialog->fields[field].text : "";

    return *text ? strtoll(text, NULL, 10) : -1;
}

static void draw_choices(struct dialog *dialog, struct canvas *canvas, struct rect line)
{
    bool has_focus = dialog->focus == 0;
    int x = line.x, right = line.x + line.width;

    x += canvas_text(canvas, line.y, x, right - x,
                     has_focus ? ROLE_BUTTON_FOCUS : ROLE_DIALOG, dialog->choices_label);
    for (int i = 0; i < dialog->n_choices; i++) {
        bool is_chosen = i == dialog->choice, is_last = i == dialog->n_choices - 1;
        int used = canvas_textf(canvas, line.y, x + 2, right - x - 2,
                                is_chosen && has_focus ? ROLE_BUTTON_FOCUS : ROLE_DIALOG,
                                "(%c) %d %s", is_chosen ? '*' : ' ', i,
                                is_last ? dialog->last_choice : "");

        dialog->choices[i] = (struct rect){line.y, x + 2, 1, used};
        if (is_chosen && has_focus)
            canvas_cursor(canvas, line.y, x + 3);
        x += 1 + used;
    }
}

static void draw_field(struct dialog *dialog, struct canvas *canvas, struct rect line,
                       size_t index)
{
    struct dialog_field *field = &dialog->fields[index];
    bool has_focus = dialog->focus == (dialog->n_choices > 0) + (int)index;
    int x = line.x, right = line.x + line.width;

    x += canvas_text(canvas, line.y, x, right - x, ROLE_DIALOG, field->label) + 2;
    field->place = (struct rect){line.y, line.x, 1, line.width};
    canvas_textf(canvas, line.y, x, right - x,
                 has_focus ? ROLE_BUTTON_FOCUS : ROLE_BUTTON, "[%-*s]", FIELD_COLUMNS,
                 field->text);
    if (has_focus)
        canvas_cursor(canvas, line.y, x + 1 + (int)strlen(field->text));
}

static int draw_button(struct dialog *dialog, struct canvas *canvas, struct rect place,
                       int index, const char *label)
{
    bool has_focus = dialog->focus == cancel_focus(dialog) + index;
    int used = canvas_textf(canvas, place.y, place.x, place.width,
                            has_focus ? ROLE_BUTTON_FOCUS : ROLE_BUTTON, "[ %s ]", label);

    dialog->buttons[index] = (struct rect){place.y, place.x, 1, used};
    if (has_focus)
        canvas_cursor(canvas, place.y, place.x + (used > 2 ? 2 : 0));
    return used;
}

static void draw_buttons(struct dialog *dialog, struct canvas *canvas, struct rect line)
{
    memset(dialog->buttons, 0, sizeof(dialog->buttons));
    if (!dialog->accept) {
        draw_button(dialog, canvas, line, 0, dialog->close);
        return;
    }
    int needed = (int)strlen(dialog->close) + 4 + 4 + (int)strlen(dialog->accept) + 4;
    if (line.width < needed) { /* only the one with the focus has room */
        bool is_accept = dialog->focus == accept_focus(dialog);

        draw_button(dialog, canvas, line, is_accept ? 1 : 0,
                    is_accept ? dialog->accept : dialog->close);
        return;
    }
    int spare = line.width - needed;
    line.x += spare / 3;
    line.width -= spare / 3;
    int used = draw_button(dialog, canvas, line, 0, dialog->close) + 4;
    line.x += used;
    line.width -= used;
    used = draw_button(dialog, canvas, line, 1, dialog->accept) + 3;
    if (line.width - used >= 11)
        canvas_textf(canvas, line.y, line.x + used, line.width - used, ROLE_DIM, "y = %s",
                     dialog->accept);
}

/* From the top: bar, choices, fields; takes their lines off `inner`. */
static void draw_inputs(struct dialog *dialog, struct canvas *canvas, struct rect *inner)
{
    int n_lines = dialog->has_bar + input_count(dialog);

    for (int i = 0; i < n_lines && inner->height > 0; i++) {
        struct rect line = {inner->y, inner->x, 1, inner->width};

        if (dialog->has_bar)
            canvas_bar(canvas, line.y, line.x, line.width, ROLE_DIALOG,
                       dialog->bar_per_mille);
        else if (dialog->n_choices > 0 && i == 0)
            draw_choices(dialog, canvas, line);
        else
            draw_field(dialog, canvas, line, (size_t)(i - (dialog->n_choices > 0)));
        inner->y++;
        inner->height--;
    }
}

void dialog_draw(struct dialog *dialog, struct canvas *canvas)
{
    struct rect body = {0, 0, 0, box_width(canvas, BODY_COLUMNS)};
    int lines = box_text(NULL, body, ROLE_DIALOG, dialog->body);
    struct rect inner =
        box_draw(canvas, dialog->has_bar + input_count(dialog) + lines + 2, body.width,
                 dialog->title);
    struct rect line = {inner.y + inner.height - 1, inner.x, 1, inner.width};

    /* The buttons come first: they must be seen however small the screen is. */
    canvas_cursor(canvas, -1, -1);
    draw_buttons(dialog, canvas, line);
    inner.height--;
    draw_inputs(dialog, canvas, &inner);
    if (dialog->complaint[0] && inner.height > 0) {
        inner.height--;
        canvas_text(canvas, inner.y + inner.height, inner.x, inner.width, ROLE_WARNING,
                    dialog->complaint);
    }
    box_text(canvas, inner, ROLE_DIALOG, dialog->body);
    if (canvas->cursor_y < 0) /* what has the focus found no room */
        canvas_cursor(canvas, line.y, line.x);
}

static void set_focus(struct dialog *dialog, int focus)
{
    int last = dialog->accept ? accept_focus(dialog) : cancel_focus(dialog);

    dialog->focus = focus > last ? 0 : focus < 0 ? last : focus;
}

/* The field with the focus, or NULL. */
static struct dialog_field *focused_field(struct dialog *dialog)
{
    int index = dialog->focus - (dialog->n_choices > 0);

    return index >= 0 && index < (int)dialog->n_fields ? &dialog->fields[index] : NULL;
}

static bool has_choices_focus(const struct dialog *dialog)
{
    return dialog->n_choices > 0 && dialog->focus == 0;
}

static enum dialog_result choose(struct dialog *dialog, int choice)
{
    if (choice < 0 || choice >= dialog->n_choices || choice == dialog->choice)
        return DIALOG_OPEN;
    dialog->choice = choice;
    return DIALOG_CHANGED;
}

static enum dialog_result move_sideways(struct dialog *dialog, int by)
{
    if (has_choices_focus(dialog))
        return choose(dialog, dialog->choice + by);
    if (!focused_field(dialog))
        dialog->focus =
            by > 0 && dialog->accept ? accept_focus(dialog) : cancel_focus(dialog);
    return DIALOG_OPEN;
}

static enum dialog_result press(struct dialog *dialog)
{
    if (dialog->focus == accept_focus(dialog))
        return DIALOG_ACCEPTED;
    if (dialog->focus == cancel_focus(dialog))
        return DIALOG_CLOSED;
    /* Enter on an input takes it and goes on, at the end to the safe button. */
    dialog->focus++;
    return DIALOG_OPEN;
}

static bool is_inside(struct rect rect, const struct key *key)
{
    return key->y == rect.y && rect.height > 0 && key->x >= rect.x &&
           key->x < rect.x + rect.width;
}

static enum dialog_result click(struct dialog *dialog, const struct key *key)
{
    for (int i = 0; i < dialog->n_choices; i++)
        if (is_inside(dialog->choices[i], key))
            return choose(dialog, i);
    for (size_t i = 0; i < dialog->n_fields; i++)
        if (is_inside(dialog->fields[i].place, key))
            dialog->focus = (dialog->n_choices > 0) + (int)i;
    if (is_inside(dialog->buttons[0], key))
        return DIALOG_CLOSED;
    return is_inside(dialog->buttons[1], key) ? DIALOG_ACCEPTED : DIALOG_OPEN;
}

/* A digit, or one less; true when the field took the key. */
static bool edit(struct dialog_field *field, const struct key *key)
{
    size_t length = strlen(field->text);

    if (strcmp(key->name, "Backspace") == 0) {
        if (length > 0)
            field->text[length - 1] = '\0';
    } else if (strcmp(key->name, "^U") == 0) {
        field->text[0] = '\0';
    } else if (key->text[0] >= '0' && key->text[0] <= '9') {
        if (!field->is_typed)
            length = 0;
        if (length < FIELD_COLUMNS - 1)
            snprintf(field->text + length, sizeof(field->text) - length, "%c",
                     key->text[0]);
    } else {
        return false;
    }
    field->is_typed = true;
    return true;
}

static enum dialog_result key_command(struct dialog *dialog, enum command_id command)
{
    switch (command) {
    case COMMAND_TAB_NEXT:
    case COMMAND_DOWN:
        set_focus(dialog, dialog->focus + 1);
        return DIALOG_OPEN;
    case COMMAND_TAB_PREVIOUS:
    case COMMAND_UP:
        set_focus(dialog, dialog->focus - 1);
        return DIALOG_OPEN;
    case COMMAND_LEFT:
        return move_sideways(dialog, -1);
    case COMMAND_RIGHT:
        return move_sideways(dialog, 1);
    case COMMAND_ENTER:
    case COMMAND_SAMPLE: /* Space */
        return press(dialog);
    case COMMAND_BACK:
    case COMMAND_QUIT:
        return DIALOG_CLOSED;
    default:
        return DIALOG_OPEN;
    }
}

enum dialog_result dialog_key(struct dialog *dialog, const struct key *key)
{
    struct dialog_field *field = focused_field(dialog);

    if (key->mouse == KEY_MOUSE_LEFT)
        return click(dialog, key);
    dialog->complaint[0] = '\0';
    if (field && edit(field, key))
        return DIALOG_CHANGED;
    if (dialog->accept && strcmp(key->name, "y") == 0)
        return DIALOG_ACCEPTED;
    if (strcmp(key->name, "n") == 0)
        return DIALOG_CLOSED;
    if (key->text[0] >= '0' && key->text[0] < '0' + dialog->n_choices)
        return choose(dialog, key->text[0] - '0');
    return key_command(dialog, command_of_key(key->name));
}
