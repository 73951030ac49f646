libheaptop_a_SOURCES += \
	src/util/arena.c src/util/arena.h \
	src/util/clock.c src/util/clock.h \
	src/util/err.c \
	src/util/log.c src/util/log.h \
	src/util/strbuf.c src/util/strbuf.h \
	src/util/units.c \
	src/util/utf8.c src/util/utf8.h \
	src/util/xalloc.c src/util/xalloc.h
