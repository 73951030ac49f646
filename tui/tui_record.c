/* Recording what is on the screen, on a key: the prompt for the file, the line in the
 * header, the end. The file is written by the recorder (recorder.h), which keeps the
 * rights that the screen has given up; sampling and looking back go on meanwhile. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "heaptop/units.h"
#include "recording/folder.h"
#include "recording/recorder.h"
#include "tui/tui_private.h"
#include "util/plural.h"

static bool is_recording(const struct tui *tui, struct recorder_state *state)
{
    if (!tui->options->recorder)
        return false;
    recorder_look(tui->options->recorder, state);
    return state->is_open;
}

/* "12 samples   84.0K   /tmp/heaptop-7.htr": the name may be cut off. */
static void show(struct tui *tui)
{
    char label[RECORDER_PATH_BYTES + 512] = "", bytes[UNITS_MAX];
    struct recorder_state state;

    if (is_recording(tui, &state))
        snprintf(label, sizeof(label), "%lld sample%s   %s   %s%s%s",
                 (long long)state.samples, plural((int64_t)state.samples),
                 units_bytes(bytes, reading_exact(state.bytes)),
                 state.lost ? "samples are lost: " : "", state.lost ? state.trouble : "",
                 state.lost ? "" : state.path);
    screen_show_recording(tui->screen, label);
    screen_look_back_in(tui->screen, label[0] ? tui->options->recorder : NULL);
    tui->is_dirty = true;
}

static void ask(struct tui *tui)
{
    char folder[PROMPT_TEXT_BYTES / 2], name[RECORDER_PATH_BYTES];

    if (!getcwd(folder, sizeof(folder)))
        snprintf(folder, sizeof(folder), ".");
    tui_open_prompt(tui, PURPOSE_RECORD);
    if (folder_file_name(folder, screen_shown(tui->screen)->target.pid, 0, name))
        name[0] = '\0';
    prompt_init(&tui->prompt, "Record into: ", name);
}

void tui_toggle_recording(struct tui *tui)
{
    struct recorder_state state;
    char words[TUI_LEFT_MAX];

    if (is_recording(tui, &state)) {
        tui_end_recording(tui, words);
        tui_say(tui, state.lost ? ROLE_WARNING : ROLE_NORMAL, words);
    } else if (!tui->sampler || tui->is_ended || tui->is_failed) {
        tui_say_ended(tui);
    } else if (!screen_shown(tui->screen)) {
        tui_say(tui, ROLE_WARNING, "there is no sample yet to record");
    } else if (!tui->options->recorder) {
        tui_say(tui, ROLE_WARNING,
                "the recorder could not be started; -w FILE records without a screen");
    } else {
        ask(tui);
    }
}

bool tui_begin_recording(struct tui *tui)
{
    struct recorder_options options;
    struct err err = ERR_INIT;
    char words[sizeof(err.text) + sizeof(err.remedy) + 3];

    if (!tui->prompt.text[0])
        return true;
    recorder_usual_options(&options, tui->prompt.text,
                           screen_shown(tui->screen)->target.pid);
    if (recorder_open(tui->options->recorder, &options, &err)) {
        snprintf(words, sizeof(words), "%s: %s", err.text, err.remedy);
        tui_say(tui, ROLE_WARNING, words);
        return false;
    }
    tui_say(tui, ROLE_NORMAL, "recording from the next sample on; w ends it");
    show(tui);
    return true;
}

void tui_record(struct tui *tui, const struct snapshot *snapshot)
{
    struct recorder_state state;

    if (!is_recording(tui, &state))
        return;
    recorder_add(tui->options->recorder, snapshot, tui->history);
    show(tui);
}

void tui_end_recording(struct tui *tui, char words[TUI_LEFT_MAX])
{
    struct recorder_state state;
    struct err err = ERR_INIT;
    char bytes[UNITS_MAX];

    words[0] = '\0';
    if (!is_recording(tui, &state))
        return;
    if (recorder_close(tui->options->recorder, &err)) {
        snprintf(words, TUI_LEFT_MAX, "%.255s", err.text);
    } else {
        recorder_look(tui->options->recorder, &state);
        snprintf(words, TUI_LEFT_MAX, "recorded %lld samples, %s, into %.160s",
                 (long long)state.samples, units_bytes(bytes, reading_exact(state.bytes)),
                 state.path);
    }
    if (tui->screen)
        show(tui);
}
