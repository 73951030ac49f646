#include "tui/term.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <ncurses.h>

#include "tui/canvas_curses.h"
#include "tui/term_signals.h"
#include "util/strbuf.h"
#include "util/xalloc.h"

/* xterm's mouse reports with decimal coordinates (1006) and marks around pastes
 * (2004); terminals that do not know them ignore them. */
#define MOUSE_ON  "\033[?1000h\033[?1006h"
#define MOUSE_OFF "\033[?1006l\033[?1000l"
#define PASTE_ON  "\033[?2004h"
#define PASTE_OFF "\033[?2004l"

struct term {
    FILE *input, *output;
    bool owns_input;
    SCREEN *screen;
    struct termios settings; /* as they were */
    bool use_color, use_unicode, use_mouse;
    bool is_xterm_like; /* knows the private modes above */
    bool is_forgotten;
};

/* Root must not be led by files of the user it was called by (TERMINFO, $HOME). */
struct kept_environment {
    char *home;
    bool is_changed;
};

static void distrust_environment(struct kept_environment *kept)
{
    const char *home = getenv("HOME");

    kept->is_changed = geteuid() == 0 || geteuid() != getuid();
    if (!kept->is_changed)
        return;
    kept->home = home ? xstrdup(home) : NULL;
    unsetenv("TERMINFO");
    unsetenv("TERMINFO_DIRS");
    unsetenv("TERMCAP");
    unsetenv("TERMPATH");
    setenv("HOME", "/nonexistent", 1);
}

static void trust_environment(struct kept_environment *kept)
{
    if (!kept->is_changed)
        return;
    if (kept->home)
        setenv("HOME", kept->home, 1);
    else
        unsetenv("HOME");
    free(kept->home);
}

static const char *capability(const char *name)
{
    const char *text = tigetstr(name);

    return text && text != (const char *)-1 ? text : NULL;
}

/* A capability without its padding marks, $<5/>: nothing needs delays any more. */
static void add_capability(struct strbuf *out, const char *name)
{
    const char *at = capability(name);

    while (at && *at) {
        if (at[0] == '$' && at[1] == '<' && strchr(at, '>'))
            at = strchr(at, '>') + 1;
        else
            strbuf_add_char(out, *at++);
    }
}

/* What a handler, or suspending, writes to put the terminal back. */
static void prepare_restore(struct term *term)
{
    struct strbuf bytes = STRBUF_INIT;

    if (term->is_xterm_like && term->use_mouse)
        strbuf_add_text(&bytes, MOUSE_OFF);
    if (term->is_xterm_like)
        strbuf_add_text(&bytes, PASTE_OFF);
    add_capability(&bytes, "sgr0");
    if (term->use_color)
        add_capability(&bytes, "op");
    add_capability(&bytes, "rmcup");
    add_capability(&bytes, "cnorm");
    /* Without an alternate screen the prompt goes below what was drawn. */
    if (!capability("rmcup"))
        strbuf_add_text(&bytes, "\r\n");
    term_signals_prepare(strbuf_text(&bytes), bytes.length);
    strbuf_release(&bytes);
}

static void send_text(struct term *term, const char *text)
{
    fputs(text, term->output);
    fflush(term->output);
}

static void send_modes(struct term *term)
{
    if (!term->is_xterm_like)
        return;
    send_text(term, PASTE_ON);
    if (term->use_mouse)
        send_text(term, MOUSE_ON);
}

static int open_input(struct term *term, struct err *err)
{
    term->input = stdin;
    if (isatty(STDIN_FILENO))
        return 0;
    int descriptor = open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY);
    term->input = descriptor < 0 ? NULL : fdopen(descriptor, "r");
    term->owns_input = term->input != NULL;
    if (term->input)
        return 0;
    if (descriptor >= 0)
        close(descriptor);
    err_set(err, ERR_FAILED, "there is no terminal to read keys from");
    return err_remedy(err, "use -b for text without a screen");
}

static int start_curses(struct term *term, struct err *err)
{
    struct kept_environment kept = {NULL, false};
    const char *name = getenv("TERM");

    distrust_environment(&kept);
    if (name && *name)
        term->screen = newterm(NULL, term->output, term->input);
    trust_environment(&kept);
    if (!term->screen) {
        err_set(err, ERR_FAILED, "the terminal type \"%.40s\" is not known here",
                name ? name : "");
        return err_remedy(err, "set TERM, for instance TERM=xterm, or use -b for text");
    }
    if (!capability("cup")) {
        endwin();
        delscreen(term->screen);
        err_set(err, ERR_FAILED, "a terminal of type \"%.40s\" cannot place its cursor",
                name);
        return err_remedy(err, "set TERM to what the terminal is, or use -b for text");
    }
    return 0;
}

static void set_up_curses(struct term *term, const struct term_options *options)
{
    cbreak();
    noecho();
    nonl();
    leaveok(stdscr, FALSE);
    scrollok(stdscr, FALSE);
    idlok(stdscr, FALSE);
    curs_set(0);
    term->use_color = canvas_curses_init(options->use_color);
    term->is_xterm_like = capability("kmous") != NULL;
    term->use_mouse = options->use_mouse && term->is_xterm_like;
}

int term_start(const struct term_options *options, struct term **out, struct err *err)
{
    struct term *term = xcalloc(1, sizeof(*term));

    /* Only the character set: numbers stay in the C locale. */
    setlocale(LC_CTYPE, "");
    term->output = stdout;
    term->use_unicode =
        options->use_unicode && strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    if (!isatty(STDOUT_FILENO)) {
        err_set(err, ERR_FAILED, "standard output is not a terminal");
        err_remedy(err, "use -b for text without a screen");
        goto failed;
    }
    if (open_input(term, err) < 0)
        goto failed;
    tcgetattr(fileno(term->input), &term->settings);
    fflush(stdout);
    /* Before curses, which installs handlers of its own where there are none. */
    if (term_signals_begin(STDOUT_FILENO, &term->settings, err) < 0)
        goto failed;
    if (start_curses(term, err) < 0)
        goto failed;
    set_up_curses(term, options);
    prepare_restore(term);
    send_modes(term);
    *out = term;
    return 0;

failed:
    term_signals_end();
    if (term->owns_input)
        fclose(term->input);
    free(term);
    return -1;
}

static void give_back(struct term *term)
{
    if (term->is_xterm_like) {
        if (term->use_mouse)
            send_text(term, MOUSE_OFF);
        send_text(term, PASTE_OFF);
    }
    if (!capability("rmcup")) { /* the shell's prompt comes onto the last line */
        move(LINES - 1, 0);
        clrtoeol();
        refresh();
    }
    endwin();
    tcsetattr(fileno(term->input), TCSADRAIN, &term->settings);
}

void term_stop(struct term *term)
{
    if (!term)
        return;
    give_back(term);
    term_signals_prepare(NULL, 0);
    term_signals_end();
    delscreen(term->screen);
    if (term->owns_input)
        fclose(term->input);
    free(term);
}

static int within(int value)
{
    if (value < 1)
        return 1;
    return value < TERM_SIZE_MAX ? value : TERM_SIZE_MAX;
}

void term_size(struct term *term, int *height, int *width)
{
    struct winsize size;

    if (ioctl(fileno(term->output), TIOCGWINSZ, &size) == 0 && size.ws_row > 0 &&
        size.ws_col > 0) {
        *height = within(size.ws_row);
        *width = within(size.ws_col);
    } else {
        *height = within(LINES);
        *width = within(COLS);
    }
    if (*height != LINES || *width != COLS) {
        resizeterm(*height, *width);
        term->is_forgotten = true;
    }
}

bool term_uses_unicode(const struct term *term)
{
    return term->use_unicode;
}

int term_input_fd(const struct term *term)
{
    return fileno(term->input);
}

ssize_t term_read(struct term *term, void *bytes, size_t size)
{
    struct pollfd ready = {.fd = fileno(term->input), .events = POLLIN};

    if (poll(&ready, 1, 0) <= 0)
        return 0;
    if (!(ready.revents & POLLIN))
        return -1;
    ssize_t got = read(ready.fd, bytes, size);
    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return 0;
    return got > 0 ? got : -1;
}

void term_show(struct term *term, const struct canvas *canvas)
{
    if (term->is_forgotten)
        clearok(stdscr, TRUE);
    term->is_forgotten = false;
    canvas_curses_show(canvas, term->use_color);
}

void term_show_cursor(struct term *term, bool is_shown)
{
    (void)term;
    curs_set(is_shown ? 1 : 0);
}

void term_forget(struct term *term)
{
    term->is_forgotten = true;
}

bool term_set_mouse(struct term *term, bool use_mouse)
{
    if (!term->is_xterm_like)
        return false;
    term->use_mouse = use_mouse;
    prepare_restore(term);
    send_text(term, use_mouse ? MOUSE_ON : MOUSE_OFF);
    return true;
}

bool term_uses_mouse(const struct term *term)
{
    return term->use_mouse;
}

void term_suspend(struct term *term)
{
    give_back(term);
    term_signals_prepare(NULL, 0);
    term_signals_stop();
    term_resume(term);
}

void term_resume(struct term *term)
{
    prepare_restore(term);
    reset_prog_mode();
    term->is_forgotten = true;
    refresh();
    send_modes(term);
}
