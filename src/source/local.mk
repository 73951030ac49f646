libheaptop_a_SOURCES += src/source/sources.c src/source/sources.def
libheaptop_a_SOURCES += src/source/arenas.c src/source/arenas.h
libheaptop_a_SOURCES += src/source/process.c

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/t_process
tests_unit_t_process_SOURCES = tests/unit/t_process.c
tests_unit_t_process_LDADD = $(UNIT_LIBS)
endif
