# The files of tui/: libheaptoptui_a_SOURCES += ...
libheaptoptui_a_SOURCES += tui/command.h tui/command.c tui/commands.def \
	tui/action_dialog.c tui/action_dialog.h \
	tui/account_table.c tui/account_table.h \
	tui/arenas_table.c tui/arenas_table.h \
	tui/box.c tui/box.h \
	tui/canvas.c tui/canvas.h \
	tui/canvas_curses.c tui/canvas_curses.h \
	tui/classes_table.c tui/classes_table.h \
	tui/detail.c tui/detail.h \
	tui/dialog.c tui/dialog.h \
	tui/fleet_notes.c tui/fleet_notes.h \
	tui/fleet_text.c tui/fleet_view.c tui/fleet_view.h \
	tui/free_lists_table.c tui/free_lists_table.h \
	tui/gc_table.c tui/gc_table.h \
	tui/glyphs.c tui/glyphs.h \
	tui/header.c tui/header.h tui/header_objects.c tui/header_private.h tui/header_process.c \
	tui/growth_table.c \
	tui/help.c tui/help.h \
	tui/history_graph.c tui/history_graph.h tui/history_tables.h \
	tui/keys.c tui/keys.h \
	tui/kind_tables.c tui/kind_tables.h \
	tui/kind_view.c tui/kind_view.h \
	tui/kinds_table.c tui/kinds_table.h \
	tui/layout.c tui/layout.h \
	tui/line.c tui/line.h \
	tui/marks_table.c \
	tui/menu.c tui/menu.h \
	tui/overview_blocks.c tui/overview_blocks.h \
	tui/tui_record.c \
	tui/pane.h tui/panes.c tui/panes.def \
	tui/pane_account.c tui/pane_arenas.c tui/pane_gc.c \
	tui/pane_history.c tui/pane_log.c tui/pane_overview.c tui/pane_sizes.c tui/pane_types.c tui/pane_verdict.c \
	tui/picker.c tui/picker.h \
	tui/born_table.c \
	tui/heaps_view.c tui/heaps_view.h \
	tui/pane_holders.c \
	tui/pane_plugins.c \
	tui/plugin_table.c tui/plugin_table.h \
	tui/screen_holders.c \
	tui/pins_view.c tui/pins_view.h \
	tui/pool_blocks.c tui/pool_blocks.h tui/pools_table.c \
	tui/prompt.c tui/prompt.h \
	tui/screen.c tui/screen.h tui/screen_draw.c tui/screen_private.h tui/screen_tabs.c \
	tui/screen_time.c \
	tui/series.c tui/series.h tui/series_table.c \
	tui/shades_legend.c tui/shades_legend.h \
	tui/sink_text.c \
	tui/table.c tui/table.h tui/table_draw.c tui/table_private.h tui/table_sort.c \
	tui/term.c tui/term.h \
	tui/term_signals.c tui/term_signals.h \
	tui/theme.c tui/theme.h \
	tui/tui.c tui/tui.h tui/tui_private.h \
	tui/tui_action.c tui/tui_command.c tui/tui_columns.c tui/tui_marks.c tui/tui_overlay.c \
	tui/tui_fleet.c tui/tui_picker.c tui/tui_replay.c tui/tui_target.c

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

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/t_action tests/unit/t_screen tests/unit/t_table
tests_unit_t_action_SOURCES = tests/unit/t_action.c tests/lib/fixture.c \
	tests/lib/fixture_plugins.c \
	tests/lib/fixture.h
tests_unit_t_action_LDADD = $(UNIT_LIBS)
tests_unit_t_screen_SOURCES = tests/unit/t_screen.c tests/lib/fixture.c \
	tests/lib/fixture_plugins.c \
	tests/lib/fixture.h
tests_unit_t_screen_LDADD = $(UNIT_LIBS)
tests_unit_t_table_SOURCES = tests/unit/t_table.c
tests_unit_t_table_LDADD = $(UNIT_LIBS)
endif

# What every screen looks like. `make golden-update` rewrites the expected files.
check_PROGRAMS += tests/golden/screens
tests_golden_screens_SOURCES = tests/golden/screens.c tests/lib/fixture.c \
	tests/lib/fixture_plugins.c tests/lib/fixture_answers.c \
	tests/lib/fixture.h
tests_golden_screens_LDADD = $(HEAPTOP_LIBS)

.PHONY: golden-update
golden-update: tests/golden/screens
	tests/golden/screens$(EXEEXT) $(srcdir)/tests/golden
