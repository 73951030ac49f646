libheaptop_a_SOURCES += src/attach/session.c src/attach/session.h
