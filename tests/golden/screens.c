/*
 * screens DIRECTORY - draws every fixture at every size, ASCII and Unicode, into
 * one file for each case. t_screens compares them with the files beside this one.
 */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "heaptop/sink.h"
#include "sink/fleet_sink.h"
#include "tests/lib/fixture.h"
#include "tui/action_dialog.h"
#include "tui/fleet_view.h"
#include "tui/picker.h"
#include "tui/screen.h"

struct size {
    int height, width;
};

static const struct size sizes[] = {{3, 10}, {5, 20}, {12, 40}, {24, 80}, {45, 140}};

struct golden_case {
    const char *name;
    enum fixture fixture;
    const char *pane;
    enum command_id commands[6]; /* done before drawing */
};

static const struct golden_case cases[] = {
    {"overview", FIXTURE_SERVICE, "overview", {COMMAND_DOWN, COMMAND_DOWN}},
    {"types", FIXTURE_SERVICE, "types", {COMMAND_NONE}},
    {"types-detail",
     FIXTURE_SERVICE,
     "types",
     {COMMAND_DOWN, COMMAND_DOWN, COMMAND_ENTER}},
    {"types-sizes", FIXTURE_SERVICE, "types", {COMMAND_ENTER, COMMAND_VIEW}},
    {"types-refcounts",
     FIXTURE_SERVICE,
     "types",
     {COMMAND_ENTER, COMMAND_VIEW, COMMAND_VIEW}},
    {"types-largest",
     FIXTURE_SERVICE,
     "overview",
     {COMMAND_ENTER, COMMAND_VIEW, COMMAND_VIEW, COMMAND_VIEW}},
    {"types-duplicates", FIXTURE_SERVICE, "types", {COMMAND_DUPLICATES}},
    {"types-bottom", FIXTURE_SERVICE, "types", {COMMAND_DELTA, COMMAND_BOTTOM}},
    {"sizes", FIXTURE_SERVICE, "sizes", {COMMAND_NONE}},
    {"sizes-detail", FIXTURE_SERVICE, "sizes", {COMMAND_DOWN, COMMAND_ENTER}},
    {"gc", FIXTURE_SERVICE, "gc", {COMMAND_NONE}},
    {"free-lists", FIXTURE_SERVICE, "gc", {COMMAND_ENTER}},
    {"account", FIXTURE_SERVICE, "account", {COMMAND_NONE}},
    {"mappings", FIXTURE_SERVICE, "account", {COMMAND_ENTER}},
    {"no-account", FIXTURE_NO_AGENT, "account", {COMMAND_NONE}},
    {"arenas", FIXTURE_SERVICE, "arenas", {COMMAND_NONE}},
    {"arenas-each", FIXTURE_SERVICE, "arenas", {COMMAND_FOLD, COMMAND_DOWN}},
    {"arenas-pools",
     FIXTURE_SERVICE,
     "arenas",
     {COMMAND_FOLD, COMMAND_DOWN, COMMAND_ENTER}},
    {"arenas-blocks",
     FIXTURE_SERVICE,
     "arenas",
     {COMMAND_ENTER, COMMAND_ENTER, COMMAND_BOTTOM, COMMAND_ENTER}},
    {"heaps", FIXTURE_SERVICE, "heaps", {COMMAND_NONE}},
    {"heap", FIXTURE_SERVICE, "heaps", {COMMAND_ENTER}},
    {"holders", FIXTURE_SERVICE, "types", {COMMAND_HOLDERS}},
    {"holders-none", FIXTURE_SERVICE, "types", {COMMAND_DOWN, COMMAND_HOLDERS}},
    {"pins", FIXTURE_SERVICE, "pins", {COMMAND_NONE}},
    {"no-pymalloc-arenas", FIXTURE_NO_PYMALLOC, "arenas", {COMMAND_NONE}},
    {"history", FIXTURE_SERVICE, "history", {COMMAND_NONE}},
    {"history-growth", FIXTURE_SERVICE, "history", {COMMAND_VIEW}},
    {"history-marks",
     FIXTURE_SERVICE,
     "history",
     {COMMAND_VIEW, COMMAND_VIEW, COMMAND_MARK}},
    {"history-born",
     FIXTURE_SERVICE,
     "history",
     {COMMAND_MARK, COMMAND_VIEW, COMMAND_VIEW, COMMAND_VIEW}},
    {"verdict", FIXTURE_SERVICE, "verdict", {COMMAND_NONE}},
    {"verdict-past",
     FIXTURE_SERVICE,
     "history",
     {COMMAND_TIME_PREVIOUS, COMMAND_TIME_PREVIOUS, COMMAND_TAB_9}},
    {"history-past",
     FIXTURE_SERVICE,
     "history",
     {COMMAND_DOWN, COMMAND_DOWN, COMMAND_TIME_FIRST, COMMAND_RIGHT}},
    {"types-past", FIXTURE_SERVICE, "types", {COMMAND_TIME_PREVIOUS}},
    {"plugins", FIXTURE_PLUGINS, "plugins", {COMMAND_DOWN}},
    {"plugins-open", FIXTURE_PLUGINS, "plugins", {COMMAND_ENTER}},
    {"plugins-failed", FIXTURE_PLUGINS, "gc", {COMMAND_TAB_0, COMMAND_TAB_0}},
    {"plugins-tabs", FIXTURE_PLUGINS, "gc", {COMMAND_NONE}},
    {"log", FIXTURE_SERVICE, "log", {COMMAND_NONE}},
    {"log-event", FIXTURE_NO_AGENT, "log", {COMMAND_BOTTOM, COMMAND_ENTER}},
    {"paused", FIXTURE_SERVICE, "types", {COMMAND_PAUSE}},
    {"no-header", FIXTURE_SERVICE, "types", {COMMAND_HEADER}},
    {"hostile", FIXTURE_HOSTILE, "types", {COMMAND_NONE}},
    {"unknown", FIXTURE_UNKNOWN, "overview", {COMMAND_NONE}},
    {"unknown-gc", FIXTURE_UNKNOWN, "gc", {COMMAND_NONE}},
    {"ended", FIXTURE_ENDED, "overview", {COMMAND_NONE}},
    {"torn", FIXTURE_TORN, "overview", {COMMAND_NONE}},
    {"torn-account", FIXTURE_TORN, "account", {COMMAND_NONE}},
    {"torn-gc", FIXTURE_TORN, "gc", {COMMAND_NONE}},
    {"no-agent", FIXTURE_NO_AGENT, "gc", {COMMAND_NONE}},
    {"no-pymalloc", FIXTURE_NO_PYMALLOC, "overview", {COMMAND_NONE}},
    {"no-pymalloc-sizes", FIXTURE_NO_PYMALLOC, "sizes", {COMMAND_NONE}},
    {"empty", FIXTURE_EMPTY, "overview", {COMMAND_NONE}},
};

static FILE *open_case(const char *directory, const char *name)
{
    char path[4096];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s.txt", directory, name);
    file = fopen(path, "w");
    if (!file) {
        perror(path);
        exit(1);
    }
    return file;
}

static void put_canvas(FILE *file, const struct canvas *canvas)
{
    struct strbuf lines = STRBUF_INIT;

    canvas_lines(canvas, &lines);
    fprintf(file, "== %dx%d %s\n%s", canvas->width, canvas->height,
            canvas->use_unicode ? "Unicode" : "ASCII", strbuf_text(&lines));
    strbuf_release(&lines);
}

static void give_answer(struct screen *screen)
{
    struct inquiry inquiry;

    screen_wanted_inquiry(screen, &inquiry);
    if (inquiry.topic)
        screen_take_answer(screen, &inquiry, fixture_answer(&inquiry), "");
}

static void draw_case(FILE *file, const struct golden_case *what, struct size size,
                      bool use_unicode)
{
    struct history *history = fixture_history(what->fixture);
    struct screen *screen = screen_new(history);
    struct canvas canvas;

    screen_show_pane(screen, what->pane);
    canvas_init(&canvas, size.height, size.width, use_unicode);
    screen_draw(screen, &canvas);
    for (size_t i = 0; what->commands[i]; i++) {
        screen_command(screen, what->commands[i]);
        if (screen_wanted_arena(screen))
            screen_take_inspection(screen,
                                   fixture_inspection(screen_wanted_arena(screen)));
        give_answer(screen);
    }
    screen_message(screen, ROLE_NORMAL, "");
    screen_draw(screen, &canvas);
    put_canvas(file, &canvas);
    canvas_release(&canvas);
    screen_free(screen);
    history_free(history);
}

static struct candidate candidate_of(pid_t pid, int depth, const char *command)
{
    struct candidate candidate = {.pid = pid, .depth = depth, .can_read = true};

    candidate.start_ticks = (uint64_t)pid * 7;
    candidate.virt_bytes = reading_exact((int64_t)pid << 19);
    candidate.res_bytes = reading_exact((int64_t)pid << 14);
    candidate.uptime_ns = reading_exact(pid * INT64_C(97000000000));
    snprintf(candidate.user, sizeof(candidate.user), "www");
    snprintf(candidate.python, sizeof(candidate.python), "3.11.7");
    snprintf(candidate.allocator, sizeof(candidate.allocator), "pymalloc");
    snprintf(candidate.access, sizeof(candidate.access), "yes");
    candidate.command = strdup(command);
    return candidate;
}

static void draw_picker(FILE *file, struct size size, bool use_unicode)
{
    struct candidate rows[] = {
        candidate_of(4240, 0, "gunicorn: master [api]"),
        candidate_of(4242, 1, "gunicorn: worker [api]"),
        candidate_of(4243, 1, "gunicorn: worker [api]"),
        candidate_of(7001, 0, "ansible-runner --long-option=\346\274\242\345\255\227"),
        candidate_of(8120, 0, "python -X dev tool.py"),
    };
    struct candidates list = {rows, sizeof(rows) / sizeof(rows[0]), NULL};
    struct picker *picker = picker_new();
    struct canvas canvas;

    rows[3].can_read = false;
    rows[3].virt_bytes = reading_unknown();
    snprintf(rows[3].user, sizeof(rows[3].user), "root");
    snprintf(rows[3].access, sizeof(rows[3].access), "Yama");
    snprintf(rows[3].access_why, sizeof(rows[3].access_why),
             "Yama ptrace_scope is 1 and this is not your child: run as root, or setcap "
             "cap_sys_ptrace+ep, or in a container add --cap-add=SYS_PTRACE");
    canvas_init(&canvas, size.height, size.width, use_unicode);
    picker_update(picker, &list, NULL);
    picker_digit(picker, '7');
    picker_draw(picker, &canvas);
    put_canvas(file, &canvas);
    canvas_release(&canvas);
    picker_free(picker);
    for (size_t i = 0; i < list.count; i++)
        free(rows[i].command);
}

static struct fleet_row member_of(pid_t pid, int64_t res_mib, int64_t private_mib)
{
    const int64_t mib = INT64_C(1) << 20;
    struct fleet_row row = {
        .pid = pid,
        .parent = 4240,
        .depth = 1,
        .state = MEMBER_LIVE,
        .role = "worker",
        .number = 1,
        .command = "/usr/bin/python3 /usr/bin/gunicorn -w 4 --preload api:app",
        .res_bytes = reading_exact(res_mib * mib),
        .pss_bytes = reading_exact((private_mib + 4) * mib),
        .private_bytes = reading_exact(private_mib * mib),
        .arena_bytes = reading_exact(res_mib / 2 * mib),
        .malloc_bytes = reading_exact(res_mib / 8 * mib),
        .other_bytes = reading_exact((res_mib - res_mib / 2 - res_mib / 8) * mib),
        .objects = reading_exact(res_mib * 5003),
        .growth_bytes = reading_exact(0),
        .rule = "R1",
        .verdict = "RES is steady at 61.0M for 10m",
        .sampled_wall_ns = INT64_C(1795442549000000000),
        .walked_wall_ns = INT64_C(1795442520000000000)};

    return row;
}

/* Most of what it has alone it copied from its master. */
static void share(struct fleet_row *row, int64_t heads_mib)
{
    const int64_t mib = INT64_C(1) << 20;

    row->sharing = (struct sharing){.wall_ns = INT64_C(1795442531000000000),
                                    .parent = 4240,
                                    .shared_bytes = 30 * mib,
                                    .own_bytes = 2 * mib};
    row->sharing.unshared_bytes[UNSHARED_GC_HEADS] = heads_mib * mib;
    row->sharing.unshared_bytes[UNSHARED_REFCOUNTS] = 3 * mib;
    row->sharing.unshared_bytes[UNSHARED_NEW_DATA] = mib + 1000;
}

/* A master, a worker that leaks, one that is new, one that ended, one that is closed. */
static struct fleet_sample *fleet_of(void)
{
    struct fleet_sample *sample = calloc(1, sizeof(*sample));

    sample->wall_ns = INT64_C(1795442551000000000);
    sample->interval_ns = INT64_C(2000000000);
    sample->root = 4240;
    sample->rows[0] = member_of(4240, 52, 9);
    sample->rows[0].role = "master";
    sample->rows[0].depth = sample->rows[0].parent = 0;
    for (pid_t i = 1; i <= 4; i++) {
        sample->rows[i] = member_of(4241 + i, 60 + i, 12 + i);
        share(&sample->rows[i], i * 2);
    }
    sample->rows[3] = member_of(4244, 212, 171);
    sample->rows[3].number = 3;
    share(&sample->rows[3], 20);
    sample->rows[3].growth_bytes = reading_exact(INT64_C(4300000));
    sample->rows[3].rule = "R2";
    sample->rows[4].state = MEMBER_ENDED;
    sample->rows[4].ended_wall_ns = INT64_C(1795442533000000000);
    sample->rows[5] = (struct fleet_row){.pid = 4299,
                                         .parent = 4240,
                                         .depth = 1,
                                         .role = "worker",
                                         .rule = "",
                                         .state = MEMBER_LIVE,
                                         .command = "python3 gunicorn"};
    sample->rows[6] =
        (struct fleet_row){.pid = 4300,
                           .role = "",
                           .rule = "",
                           .state = MEMBER_CLOSED,
                           .command = "python3 gunicorn",
                           .res_bytes = reading_exact(61 << 20),
                           .why = "process 4300 belongs to www; run heaptop as root"};
    sample->count = 7;
    fleet_judge(sample);
    return sample;
}

static void draw_fleet(FILE *file, struct size size, bool use_unicode)
{
    struct fleet_sample *sample = fleet_of();
    struct fleet_view *view = fleet_view_new();
    struct canvas canvas;

    canvas_init(&canvas, size.height, size.width, use_unicode);
    fleet_view_update(view, sample);
    for (int i = 0; i < 3; i++)
        fleet_view_command(view, COMMAND_DOWN);
    fleet_view_draw(view, &canvas);
    put_canvas(file, &canvas);
    canvas_release(&canvas);
    fleet_view_free(view);
    free(sample);
}

static void put_fleet_text(FILE *file, int columns)
{
    struct sink_options options = {.out = file, .columns = columns};
    struct fleet_sample *sample = fleet_of();
    struct err err = ERR_INIT;
    void *state;

    fprintf(file, "== text, %d columns\n", columns);
    if (fleet_sink_text.open(&options, &state, &err) ||
        fleet_sink_text.sample(state, sample, &err))
        exit(1);
    fleet_sink_text.close(state);
    free(sample);
}

/* What calls a function is offered by a plugin. */
static const struct action_offer *offer_of(const struct action_ops *action,
                                           struct action_offer *offer)
{
    if (!(action->flags & ACTION_CALLS))
        return NULL;
    memset(offer, 0, sizeof(*offer));
    action_of_call("_tracemalloc.start(1)", offer);
    snprintf(offer->plugin, sizeof(offer->plugin), "tracemalloc");
    snprintf(offer->words, sizeof(offer->words), "Each block costs 100 bytes more.");
    return offer;
}

/* Over the screen that it belongs to; `what` is an action's name, or a word below. */
static void draw_action(FILE *file, const char *what, struct size size, bool use_unicode)
{
    static const char last[] =
        "14:01:31 gc.collect(2): 1,204 unreachable, 41ms; RES -0.4M";
    const struct action_ops *action = action_find(what);
    struct history *history = fixture_history(FIXTURE_SERVICE);
    struct screen *screen = screen_new(history);
    struct canvas canvas;
    struct action_offer offer;
    struct dialog dialog;
    struct menu menu;

    screen_allow_actions(screen, strcmp(what, "menu-read-only") != 0);
    canvas_init(&canvas, size.height, size.width, use_unicode);
    screen_draw(screen, &canvas);
    if (action)
        action_dialog_ask(&dialog, action, offer_of(action, &offer), history,
                          !strcmp(what, "trim") ? last : "");
    else if (!strcmp(what, "progress"))
        action_dialog_progress(&dialog, "gc.collect(2)", 4242, 1300000000,
                               reading_exact(3400000000));
    else if (!strcmp(what, "progress-late"))
        action_dialog_progress(&dialog, "gc.collect(2)", 4242, 5300000000,
                               reading_exact(3400000000));
    else if (!strcmp(what, "progress-waits"))
        action_dialog_progress(&dialog, "gc.collect(2)", 4242, -1, reading_unknown());
    else if (!strcmp(what, "progress-unknown"))
        action_dialog_progress(&dialog, "gc.collect(2)", 4242, 1300000000,
                               reading_unknown());
    if (!strncmp(what, "menu", 4)) {
        action_menu(&menu, history_latest(history),
                    strcmp(what, "menu") ? "heaptop only reads" : NULL);
        menu_draw(&menu, &canvas);
        menu_release(&menu);
    } else {
        dialog_draw(&dialog, &canvas);
    }
    fprintf(file, "-- %s\n", what);
    put_canvas(file, &canvas);
    canvas_release(&canvas);
    screen_free(screen);
    history_free(history);
}

static void draw_actions(FILE *file)
{
    static const char *const others[] = {
        "menu",          "menu-read-only",   "progress",
        "progress-late", "progress-unknown", "progress-waits"};

    for (size_t j = 0; j < sizeof(sizes) / sizeof(sizes[0]); j++) {
        for (size_t i = 0; actions[i]; i++)
            draw_action(file, actions[i]->name, sizes[j], j % 2);
        for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
            draw_action(file, others[i], sizes[j], j % 2);
    }
}

static void put_text(FILE *file, int columns, const char *pane, bool use_unicode)
{
    struct sink_options options = {.out = file,
                                   .pane = pane,
                                   .rows = pane ? 0 : 6,
                                   .columns = columns,
                                   .use_unicode = use_unicode};
    struct history *history = fixture_history(FIXTURE_SERVICE);
    struct err err = ERR_INIT;
    void *state;

    fprintf(file, "== %d columns %s %s\n", columns, pane ? pane : "all",
            use_unicode ? "Unicode" : "ASCII");
    if (sink_text.open(&options, &state, &err) ||
        sink_text.snapshot(state, history_back(history, 20), history, &err) ||
        sink_text.snapshot(state, history_latest(history), history, &err) ||
        sink_text.close(state, &err)) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
    history_free(history);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    setlocale(LC_CTYPE, "C.UTF-8");
    setenv("TZ", "UTC", 1);
    tzset();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        FILE *file = open_case(argv[1], cases[i].name);

        for (size_t j = 0; j < sizeof(sizes) / sizeof(sizes[0]); j++) {
            draw_case(file, &cases[i], sizes[j], false);
            draw_case(file, &cases[i], sizes[j], true);
        }
        fclose(file);
    }
    FILE *file = open_case(argv[1], "picker");
    for (size_t j = 0; j < sizeof(sizes) / sizeof(sizes[0]); j++) {
        draw_picker(file, sizes[j], false);
        draw_picker(file, sizes[j], true);
    }
    fclose(file);
    file = open_case(argv[1], "tree");
    for (size_t j = 0; j < sizeof(sizes) / sizeof(sizes[0]); j++)
        draw_fleet(file, sizes[j], j % 2);
    put_fleet_text(file, 80);
    fclose(file);
    file = open_case(argv[1], "actions");
    draw_actions(file);
    fclose(file);
    file = open_case(argv[1], "text");
    put_text(file, 80, NULL, false);
    put_text(file, 140, NULL, true);
    put_text(file, 80, "gc", false);
    put_text(file, 80, "log", false);
    return fclose(file) != 0;
}
