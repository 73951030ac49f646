# The files of tui/: libheaptoptui_a_SOURCES += ...
libheaptoptui_a_SOURCES += tui/command.h tui/command.c \
	tui/canvas.c tui/canvas.h \
	tui/glyphs.c tui/glyphs.h

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/t_canvas
tests_unit_t_canvas_SOURCES = tests/unit/t_canvas.c
tests_unit_t_canvas_LDADD = $(UNIT_LIBS)
endif
