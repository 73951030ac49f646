#include "tui/dialog.h"

#include <stdio.h>
#include <string.h>

#include "heaptop/units.h"
#include "tui/box.h"
#include "tui/command.h"
#include "tui/header.h"
#include "util/strbuf.h"

#define BODY_COLUMNS 68

enum focus {
    FOCUS_CHOICES = 0,
    FOCUS_CANCEL,
    FOCUS_ACCEPT,
};

void dialog_notice(struct dialog *dialog, const char *title, const char *text,
                   const char *remedy)
{
    memset(dialog, 0, sizeof(*dialog));
    snprintf(dialog->title, sizeof(dialog->title), "%s", title);
    snprintf(dialog->body, sizeof(dialog->body), "%s%s%s", text, *remedy ? "\n" : "",
             remedy);
    dialog->focus = FOCUS_CANCEL;
}

/* What a collection of everything took lately, in a sentence. */
static void add_pause(struct strbuf *body, const struct gc_section *gc, int full)
{
    char pause[UNITS_MAX];

    if (gc && reading_is_known(gc->pauses.last_ns) && gc->pauses.last_generation == full)
        strbuf_addf(body, "Last full collection took %s. ",
                    units_duration(pause, gc->pauses.last_ns));
    else if (gc && reading_is_known(gc->pauses.max_ns) && gc->pauses.max_ns.value > 0)
        strbuf_addf(body, "The longest collection seen took %s. ",
                    units_duration(pause, gc->pauses.max_ns));
    else
        strbuf_add_text(body, "How long it takes here is not known yet. ");
}

void dialog_collect(struct dialog *dialog, const struct snapshot *snapshot)
{
    const struct gc_section *gc = snapshot->gc;
    struct strbuf body = STRBUF_INIT;
    int generations = gc && gc->n_generations > 0 ? (int)gc->n_generations : 3;
    char command[128];

    memset(dialog, 0, sizeof(*dialog));
    snprintf(dialog->title, sizeof(dialog->title), "Run gc.collect() in %d (%.100s)?",
             (int)snapshot->target.pid,
             header_short_command(command, sizeof(command), snapshot->target.command));
    if (generations > DIALOG_CHOICES_MAX)
        generations = DIALOG_CHOICES_MAX;
    strbuf_add_text(&body,
                    "Runs Python code in the target: finalizers and weak reference "
                    "callbacks run there, and the interpreter is busy meanwhile.\n");
    add_pause(&body, gc, generations - 1);
    strbuf_add_text(&body, "A mark is set before it.");
    snprintf(dialog->body, sizeof(dialog->body), "%s", strbuf_text(&body));
    strbuf_release(&body);
    dialog->accept = "Collect";
    dialog->n_choices = generations;
    dialog->choice = generations - 1;
    dialog->focus = FOCUS_CANCEL;
}

static void draw_choices(struct dialog *dialog, struct canvas *canvas, struct rect line)
{
    bool has_focus = dialog->focus == FOCUS_CHOICES;
    int x = line.x, right = line.x + line.width;

    x += canvas_text(canvas, line.y, x, right - x,
                     has_focus ? ROLE_BUTTON_FOCUS : ROLE_DIALOG, "Generation");
    for (int i = 0; i < dialog->n_choices; i++) {
        bool is_chosen = i == dialog->choice;
        int used = canvas_textf(canvas, line.y, x + 2, right - x - 2,
                                is_chosen && has_focus ? ROLE_BUTTON_FOCUS : ROLE_DIALOG,
                                "(%c) %d%s", is_chosen ? '*' : ' ', i,
                                i == dialog->n_choices - 1 ? " full" : "");

        dialog->choices[i] = (struct rect){line.y, x + 2, 1, used};
        if (is_chosen && has_focus)
            canvas_cursor(canvas, line.y, x + 3);
        x += 2 + used;
    }
}

static int draw_button(struct dialog *dialog, struct canvas *canvas, struct rect place,
                       int index, const char *label)
{
    bool has_focus = dialog->focus == FOCUS_CANCEL + index;
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
        draw_button(dialog, canvas, line, 0, "Close");
        return;
    }
    int needed = 10 + 4 + (int)strlen(dialog->accept) + 4;
    if (line.width < needed) { /* only the one with the focus has room */
        bool is_accept = dialog->focus == FOCUS_ACCEPT;

        draw_button(dialog, canvas, line, is_accept ? 1 : 0,
                    is_accept ? dialog->accept : "Cancel");
        return;
    }
    int spare = line.width - needed;
    line.x += spare / 3;
    line.width -= spare / 3;
    int used = draw_button(dialog, canvas, line, 0, "Cancel") + 4;
    line.x += used;
    line.width -= used;
    used = draw_button(dialog, canvas, line, 1, dialog->accept) + 3;
    if (line.width - used >= 11)
        canvas_textf(canvas, line.y, line.x + used, line.width - used, ROLE_DIM, "y = %s",
                     dialog->accept);
}

void dialog_draw(struct dialog *dialog, struct canvas *canvas)
{
    struct rect body = {0, 0, 0, box_width(canvas, BODY_COLUMNS)};
    int has_choices = dialog->n_choices > 0 ? 1 : 0;
    int lines = box_text(NULL, body, ROLE_DIALOG, dialog->body);
    struct rect inner =
        box_draw(canvas, has_choices + lines + 2, body.width, dialog->title);
    struct rect line = inner;

    /* The buttons come first: they must be seen however small the screen is. */
    line.y = inner.y + inner.height - 1;
    line.height = 1;
    canvas_cursor(canvas, -1, -1);
    draw_buttons(dialog, canvas, line);
    int left = inner.height - 1;
    if (has_choices && left > 0) {
        line.y = inner.y;
        draw_choices(dialog, canvas, line);
        inner.y++;
        left--;
    }
    inner.height = left;
    box_text(canvas, inner, ROLE_DIALOG, dialog->body);
}

static int first_focus(const struct dialog *dialog)
{
    return dialog->n_choices > 0 ? FOCUS_CHOICES : FOCUS_CANCEL;
}

static int last_focus(const struct dialog *dialog)
{
    return dialog->accept ? FOCUS_ACCEPT : FOCUS_CANCEL;
}

static void move_focus(struct dialog *dialog, int by)
{
    dialog->focus += by;
    if (dialog->focus > last_focus(dialog))
        dialog->focus = first_focus(dialog);
    if (dialog->focus < first_focus(dialog))
        dialog->focus = last_focus(dialog);
}

static void move_sideways(struct dialog *dialog, int by)
{
    if (dialog->focus != FOCUS_CHOICES) {
        dialog->focus = by > 0 ? last_focus(dialog) : FOCUS_CANCEL;
        return;
    }
    int choice = dialog->choice + by;
    if (choice >= 0 && choice < dialog->n_choices)
        dialog->choice = choice;
}

static enum dialog_result press(struct dialog *dialog)
{
    if (dialog->focus == FOCUS_ACCEPT)
        return DIALOG_ACCEPTED;
    if (dialog->focus == FOCUS_CANCEL)
        return DIALOG_CLOSED;
    /* Enter on the generation takes it and goes to the safe button. */
    dialog->focus = FOCUS_CANCEL;
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
            dialog->choice = i;
    if (is_inside(dialog->buttons[0], key))
        return DIALOG_CLOSED;
    return is_inside(dialog->buttons[1], key) ? DIALOG_ACCEPTED : DIALOG_OPEN;
}

static enum dialog_result key_command(struct dialog *dialog, enum command_id command)
{
    switch (command) {
    case COMMAND_TAB_NEXT:
    case COMMAND_DOWN:
        move_focus(dialog, 1);
        return DIALOG_OPEN;
    case COMMAND_TAB_PREVIOUS:
    case COMMAND_UP:
        move_focus(dialog, -1);
        return DIALOG_OPEN;
    case COMMAND_LEFT:
        move_sideways(dialog, -1);
        return DIALOG_OPEN;
    case COMMAND_RIGHT:
        move_sideways(dialog, 1);
        return DIALOG_OPEN;
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
    if (key->mouse == KEY_MOUSE_LEFT)
        return click(dialog, key);
    if (dialog->accept && strcmp(key->name, "y") == 0)
        return DIALOG_ACCEPTED;
    if (strcmp(key->name, "n") == 0)
        return DIALOG_CLOSED;
    if (dialog->n_choices > 0 && key->text[0] >= '0' &&
        key->text[0] < '0' + dialog->n_choices) {
        dialog->choice = key->text[0] - '0';
        return DIALOG_OPEN;
    }
    return key_command(dialog, command_of_key(key->name));
}
