libheaptop_a_SOURCES += \
	src/util/clock.c src/util/clock.h \
	src/util/err.c \
	src/util/log.c src/util/log.h \
	src/util/strbuf.c src/util/strbuf.h \
	src/util/xalloc.c src/util/xalloc.h
