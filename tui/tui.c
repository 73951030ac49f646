#include "tui/tui.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "target/target.h"
#include "tui/term_signals.h"
#include "tui/tui_private.h"
#include "util/clock.h"

#define TICK_NS     NS_PER_S /* ages in the header go on between samples */
#define PROGRESS_MS 100      /* of an action that is waited for */

static void fit_canvas(struct tui *tui)
{
    int height, width;

    term_size(tui->term, &height, &width);
    if (tui->canvas.cells && tui->canvas.height == height && tui->canvas.width == width)
        return;
    canvas_release(&tui->canvas);
    canvas_init(&tui->canvas, height, width, term_uses_unicode(tui->term));
}

static void draw(struct tui *tui)
{
    fit_canvas(tui);
    canvas_clear(&tui->canvas);
    if (tui->is_picking)
        tui_draw_picker(tui);
    else if (tui->is_in_fleet)
        tui_draw_fleet(tui);
    else if (tui->screen)
        screen_draw(tui->screen, &tui->canvas);
    tui_draw_overlay(tui);
    term_show_cursor(tui->term, tui->overlay == OVERLAY_PROMPT);
    term_show(tui->term, &tui->canvas);
    tui->is_dirty = false;
}

static void wheel(struct tui *tui, const struct key *key)
{
    enum command_id command =
        key->mouse == KEY_MOUSE_WHEEL_UP ? COMMAND_UP : COMMAND_DOWN;

    for (int i = 0; i < 3; i++)
        screen_command(tui->screen, command);
}

static void screen_key(struct tui *tui, const struct key *key)
{
    enum command_id command = command_of_key(key->name);

    if (key->mouse == KEY_MOUSE_LEFT) {
        if (screen_click(tui->screen, key->y, key->x, &command) == SCREEN_CLICK_COMMAND)
            tui_command(tui, command);
    } else if (key->mouse != KEY_MOUSE_NONE) {
        wheel(tui, key);
    } else if (command != COMMAND_NONE) {
        tui_command(tui, command);
    } else if (key->text[0] > ' ' && !screen_sort_key(tui->screen, key->text[0])) {
        tui_say(tui, ROLE_NORMAL, "nothing is on this key here: ? shows the keys");
    }
}

static void take_key(struct tui *tui, const struct key *key)
{
    tui->is_dirty = true;
    /* Only a line of text takes what comes out of a clipboard. */
    if (key->is_pasted && tui->overlay != OVERLAY_PROMPT)
        return;
    if (tui->overlay != OVERLAY_NONE)
        tui_overlay_key(tui, key);
    else if (tui->is_picking)
        tui_picker_key(tui, key);
    else if (tui->is_in_fleet)
        tui_fleet_key(tui, key);
    else if (tui->screen)
        screen_key(tui, key);
    tui_look_closely(tui, false);
    tui_use_plugin(tui);
    tui_ask(tui);
}

static void take_keys(struct tui *tui)
{
    struct key key;

    while (!tui->is_over && keys_next(&tui->keys, &key))
        take_key(tui, &key);
}

static void take_input(struct tui *tui)
{
    char bytes[256];
    ssize_t got = term_read(tui->term, bytes, sizeof(bytes));

    if (got < 0) /* the terminal is gone, as with HUP */
        tui->is_over = true;
    for (ssize_t done = 0; done < got && !tui->is_over;) {
        done += (ssize_t)keys_put(&tui->keys, bytes + done, (size_t)(got - done));
        take_keys(tui);
    }
}

static void take_signals(struct tui *tui)
{
    int number;

    while ((number = term_signals_next()) != 0) {
        tui->is_dirty = true;
        switch (number) {
        case SIGWINCH:
            break; /* the size is asked for when drawing */
        case SIGUSR1:
            tui_mark_silently(tui, false, " by a signal");
            break;
        case SIGTSTP:
            term_suspend(tui->term);
            break;
        case SIGCONT:
            term_resume(tui->term);
            break;
        default: /* TERM, HUP, INT, QUIT */
            term_signals_answered();
            tui->is_over = true;
            if (number != SIGINT)
                tui->signal = number;
            break;
        }
    }
}

static int until_ms(int64_t due_ns, int64_t now_ns)
{
    int64_t left = (due_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS;

    return left < 0 ? 0 : left > 60000 ? 60000 : (int)left;
}

/* When what was typed is taken as it stands, as an Esc that begins no sequence. Whatever
 * else wakes the loop until then, be it often, does not put it off. */
static int64_t keys_due_ns(const struct tui *tui)
{
    return tui->typed_ns + keys_wait_ms(&tui->keys) * NS_PER_MS;
}

static void take_typed(struct tui *tui, bool has_come)
{
    int64_t now_ns = clock_monotonic_ns();

    if (has_come) {
        tui->typed_ns = now_ns;
        take_input(tui);
    } else if (keys_wait_ms(&tui->keys) >= 0 && now_ns >= keys_due_ns(tui)) {
        keys_flush(&tui->keys);
        take_keys(tui);
    }
}

static int poll_timeout_ms(const struct tui *tui, int64_t tick_ns)
{
    int64_t now = clock_monotonic_ns();
    int timeout = until_ms(tick_ns, now);

    if (tui->action.is_waiting && timeout > PROGRESS_MS)
        timeout = PROGRESS_MS;
    if (tui->is_playing && until_ms(tui->play_due_ns, now) < timeout)
        timeout = until_ms(tui->play_due_ns, now);
    if (tui->is_picking && until_ms(tui->list_due_ns, now) < timeout)
        timeout = until_ms(tui->list_due_ns, now);
    if (tui->fleet && until_ms(fleet_due_ns(tui->fleet), now) < timeout)
        timeout = until_ms(fleet_due_ns(tui->fleet), now);
    if (keys_wait_ms(&tui->keys) >= 0 && until_ms(keys_due_ns(tui), now) < timeout)
        timeout = until_ms(keys_due_ns(tui), now);
    return timeout;
}

static void do_timers(struct tui *tui, int64_t *tick_ns)
{
    int64_t now = clock_monotonic_ns();

    if (tui->is_picking && now >= tui->list_due_ns)
        tui_refresh_picker(tui);
    tui_show_progress(tui);
    tui_play(tui);
    tui_step_fleet(tui);
    if (tui->mark_due_ns && now >= tui->mark_due_ns) {
        tui->mark_due_ns = now + tui->options->mark_every_ns;
        tui_mark_silently(tui, true, " by the clock");
    }
    if (now < *tick_ns)
        return;
    tui->is_dirty = true;
    tui_check_sampler(tui);
    *tick_ns = now + TICK_NS;
}

static void loop(struct tui *tui)
{
    int64_t tick_ns = clock_monotonic_ns() + TICK_NS;

    tui->is_dirty = true;
    while (!tui->is_over) {
        if (tui->is_dirty)
            draw(tui);

        bool has_messages = tui->sampler && !tui->is_failed;
        struct pollfd fds[3 + FLEET_FDS_MAX] = {
            {.fd = term_input_fd(tui->term), .events = POLLIN},
            {.fd = term_signals_fd(), .events = POLLIN},
            {.fd = has_messages ? sampler_fd(tui->sampler) : -1, .events = POLLIN},
        };
        nfds_t n_fds = 3 + (tui->fleet ? fleet_fds(tui->fleet, fds + 3) : 0);
        poll(fds, n_fds, poll_timeout_ms(tui, tick_ns));

        take_signals(tui);
        if (!tui->is_over)
            take_typed(tui, fds[0].revents != 0);
        if (fds[2].revents && !tui->is_over)
            tui_take_messages(tui);
        do_timers(tui, &tick_ns);
    }
}

static void release(struct tui *tui)
{
    tui_close_overlay(tui);
    tui_forget_action(tui);
    if (tui->replay) {
        screen_free(tui->screen);
        replay_close(tui->replay);
    } else {
        tui_forget_target(tui);
    }
    tui_close_fleet(tui);
    picker_free(tui->picker);
    candidates_release(&tui->candidates);
    canvas_release(&tui->canvas);
}

/* Everything from the start of the terminal to its end. Keeps the target. */
static int run_on_terminal(struct tui *tui, struct target *target, struct err *err)
{
    struct term_options wanted = {tui->options->use_color, tui->options->use_unicode,
                                  tui->options->use_mouse};

    if (term_start(&wanted, &tui->term, err) < 0) {
        if (target)
            target_close(target);
        return -1;
    }
    if (target && tui_start_target(tui, target, err) < 0)
        tui->is_bad = true;
    else if (tui->replay)
        tui_replay_begin(tui);
    else if (!target && !tui->fleet)
        tui_open_picker(tui);
    if (!tui->is_bad)
        loop(tui);

    struct err leave_err = ERR_INIT;
    char left_action[TUI_LEFT_MAX];
    char recorded[TUI_LEFT_MAX];
    tui_left_action(tui, left_action);
    tui_end_recording(tui, recorded);
    int left = tui_stop_target(tui, &leave_err);
    term_stop(tui->term);
    if (left_action[0])
        fprintf(stderr, "heaptop: %s\n", left_action);
    if (recorded[0])
        fprintf(stderr, "heaptop: %s\n", recorded);
    /* An agent that is still on its way out is worth a sentence, not a failure. */
    if (left < 0)
        fprintf(stderr, "heaptop: %s\n", leave_err.text);
    return tui->is_bad ? -1 : 0;
}

int tui_run(const struct tui_options *options, struct err *err)
{
    struct tui tui;
    struct target *target = NULL;
    int result = -1;

    memset(&tui, 0, sizeof(tui));
    tui.options = options;
    tui.err = err;
    tui.interval_ns = options->sampler.interval_ns;
    if (options->mark_every_ns)
        tui.mark_due_ns = clock_monotonic_ns() + options->mark_every_ns;
    if (options->pid && target_open(options->pid, &target, err) < 0)
        return -1;
    if (tui_prepare_view(&tui, err) == 0)
        result = run_on_terminal(&tui, target, err);
    else if (target)
        target_close(target);
    release(&tui);
    /* Whoever waits for heaptop sees that the signal ended it. */
    if (tui.signal)
        term_signals_die(tui.signal);
    return result;
}
