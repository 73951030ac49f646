libheaptop_a_SOURCES += src/source/sources.c src/source/sources.def
