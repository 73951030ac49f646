# Where plugins are installed. Only one file is told, so that others are not made anew.
pluginsdir = $(pkglibdir)/plugins
src/plugin/folder.$(OBJEXT): CPPFLAGS += -DHEAPTOP_PLUGIN_DIR='"$(pluginsdir)"'

libheaptop_a_SOURCES += \
	src/plugin/answer.c src/plugin/answer.h \
	src/plugin/folder.c src/plugin/folder.h \
	src/plugin/host.c \
	src/plugin/instance.c src/plugin/instance.h \
	src/plugin/keeper.c src/plugin/keeper.h src/plugin/keeper_process.c \
	src/plugin/message.h \
	src/plugin/runner.c src/plugin/runner.h \
	src/plugin/settings.c src/plugin/settings.h

check_PROGRAMS += tests/fuzz/fuzz_answer
tests_fuzz_fuzz_answer_SOURCES = tests/fuzz/fuzz_answer.c tests/fuzz/smoke_main.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_answer_LDADD = $(HEAPTOP_LIBS)
