libheaptop_a_SOURCES += \
	src/publish/accept.c src/publish/accept.h \
	src/publish/address.c src/publish/address.h \
	src/publish/board.c src/publish/board.h \
	src/publish/publisher.c src/publish/publisher.h \
	src/publish/server.h \
	src/publish/textfile.c src/publish/textfile.h

if HAVE_MICROHTTPD
libheaptop_a_SOURCES += src/publish/server.c
else
libheaptop_a_SOURCES += src/publish/server_none.c
endif
EXTRA_DIST += src/publish/server.c src/publish/server_none.c

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/t_publish tests/unit/t_publish_none
tests_unit_t_publish_none_SOURCES = tests/unit/t_publish_none.c src/publish/server_none.c
tests_unit_t_publish_none_LDADD = $(UNIT_LIBS)
tests_unit_t_publish_SOURCES = tests/unit/t_publish.c
tests_unit_t_publish_LDADD = $(UNIT_LIBS)
endif
