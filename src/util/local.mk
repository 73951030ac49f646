libheaptop_a_SOURCES += \
	src/util/address_set.c src/util/address_set.h \
	src/util/address_map.c src/util/address_map.h \
	src/util/arena.c src/util/arena.h \
	src/util/bytes.h \
	src/util/clock.c src/util/clock.h \
	src/util/err.c \
	src/util/log.c src/util/log.h \
	src/util/plural.h \
	src/util/rising.h \
	src/util/strbuf.c src/util/strbuf.h \
	src/util/thread.c src/util/thread.h \
	src/util/units.c \
	src/util/utf8.c src/util/utf8.h \
	src/util/window.c src/util/window.h \
	src/util/xalloc.c src/util/xalloc.h

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/t_util
tests_unit_t_util_SOURCES = tests/unit/t_util.c
tests_unit_t_util_LDADD = $(UNIT_LIBS)
endif
