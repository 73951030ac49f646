libheaptop_a_SOURCES += src/source/sources.c src/source/sources.def
libheaptop_a_SOURCES += src/source/arenas.c src/source/arenas.h
