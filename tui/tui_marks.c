/* Marks and times as the user names them: prompts, the list of marks, marks by the clock.
 */
#include <stdio.h>
#include <string.h>

#include "heaptop/units.h"
#include "recording/when.h"
#include "tui/tui_private.h"
#include "util/clock.h"

/* The mark is of the moment of the key, however long the name takes. */
void tui_ask_mark(struct tui *tui)
{
    const struct snapshot *shown = screen_shown(tui->screen);
    char clock[UNITS_MAX];

    if (!shown) {
        tui_say(tui, ROLE_WARNING, "there is no sample yet to mark");
        return;
    }
    tui_open_prompt(tui, PURPOSE_MARK_NAME);
    tui->marked = snapshot_ref(shown);
    snprintf(tui->prompt_label, sizeof(tui->prompt_label),
             "Name of the mark (Enter: %s): ", units_clock(clock, shown->wall_ns));
    prompt_init(&tui->prompt, tui->prompt_label, "");
}

void tui_keep_mark(struct tui *tui)
{
    const struct mark *marks;
    size_t count;

    if (!tui->marked)
        return;
    screen_mark_here(tui->screen, tui->marked, tui->prompt.text);
    count = history_marks(tui->history, &marks);
    if (count)
        tui_remember(tui, marks[count - 1].number);
}

void tui_add_marks(struct tui *tui)
{
    const struct mark *marks;
    size_t count = history_marks(tui->history, &marks);

    menu_init(&tui->menu, "Compare with", "Enter chooses   Esc leaves", false);
    /* The newest first: it is what is meant most. */
    for (size_t i = count; i > 0; i--) {
        const struct mark *mark = &marks[i - 1];
        char label[80], clock[UNITS_MAX];

        snprintf(label, sizeof(label), "mark #%u %s", (unsigned)mark->number, mark->name);
        menu_add(&tui->menu, (int)mark->number, false, label,
                 units_clock(clock, mark->snapshot->wall_ns));
    }
    menu_add(&tui->menu, 0, false, "the walk before", "no mark: what changed last");
}

void tui_choose_mark(struct tui *tui, uint32_t number)
{
    if (number)
        screen_choose_mark(tui->screen, number);
    screen_show_delta(tui->screen, number ? DELTA_MARK : DELTA_PREVIOUS);
}

/* Not asked for by a key: the changes that are shown stay what they are. */
void tui_mark_silently(struct tui *tui, bool is_automatic, const char *why)
{
    const struct snapshot *latest = tui->history ? history_latest(tui->history) : NULL;

    if (!latest)
        return;
    history_mark_snapshot(tui->history, latest, NULL, is_automatic, why);
    screen_update(tui->screen);
    tui->is_dirty = true;
}

static int64_t oldest_wall_ns(const struct tui *tui)
{
    return history_count(tui->history) ? history_at(tui->history, 0)->wall_ns : 0;
}

bool tui_go_to_time(struct tui *tui)
{
    const char *text = tui->prompt.text;
    int64_t wall_ns;

    if (!*text)
        return true;
    if (tui->replay && tui_replay_go(tui, text))
        return true;
    if (tui->replay) {
        tui_say(tui, ROLE_WARNING,
                "a time is 14:02, 2026-11-21T14:02, or +5m and -5m from here");
        return false;
    }
    if (!when_parse(text, oldest_wall_ns(tui), clock_wall_ns(), &wall_ns)) {
        tui_say(tui, ROLE_WARNING,
                "a time is 14:02, 14:02:31, or -5m, -90s, -2h before now");
        return false;
    }
    screen_show_time(tui->screen, wall_ns);
    return true;
}
