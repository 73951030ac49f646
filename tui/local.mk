# The files of tui/: libheaptoptui_a_SOURCES += ...
libheaptoptui_a_SOURCES += tui/command.h tui/command.c tui/commands.def \
	tui/box.c tui/box.h \
	tui/canvas.c tui/canvas.h \
	tui/canvas_curses.c tui/canvas_curses.h \
	tui/dialog.c tui/dialog.h \
	tui/glyphs.c tui/glyphs.h \
	tui/help.c tui/help.h \
	tui/keys.c tui/keys.h \
	tui/menu.c tui/menu.h \
	tui/prompt.c tui/prompt.h \
	tui/term.c tui/term.h \
	tui/term_signals.c tui/term_signals.h \
	tui/theme.c tui/theme.h \
	tui/tui.c tui/tui.h tui/tui_private.h \
	tui/tui_command.c tui/tui_overlay.c tui/tui_picker.c tui/tui_target.c

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/t_canvas tests/unit/t_command tests/unit/t_dialog \
	tests/unit/t_keys tests/unit/t_prompt tests/unit/t_term_signals
tests_unit_t_dialog_SOURCES = tests/unit/t_dialog.c
tests_unit_t_dialog_LDADD = $(UNIT_LIBS)
tests_unit_t_term_signals_SOURCES = tests/unit/t_term_signals.c
tests_unit_t_term_signals_LDADD = $(UNIT_LIBS)
tests_unit_t_canvas_SOURCES = tests/unit/t_canvas.c
tests_unit_t_canvas_LDADD = $(UNIT_LIBS)
tests_unit_t_command_SOURCES = tests/unit/t_command.c
tests_unit_t_command_LDADD = $(UNIT_LIBS)
tests_unit_t_keys_SOURCES = tests/unit/t_keys.c
tests_unit_t_keys_LDADD = $(UNIT_LIBS)
tests_unit_t_prompt_SOURCES = tests/unit/t_prompt.c
tests_unit_t_prompt_LDADD = $(UNIT_LIBS)
endif

check_PROGRAMS += tests/fuzz/fuzz_keys
tests_fuzz_fuzz_keys_SOURCES = tests/fuzz/fuzz_keys.c tests/fuzz/smoke_main.c \
	tests/fuzz/fuzz.h
tests_fuzz_fuzz_keys_LDADD = $(HEAPTOP_LIBS)

# The contract of the screen and its panes.
libheaptoptui_a_SOURCES += tui/pane.h tui/panes.def tui/picker.h tui/screen.h tui/table.h
