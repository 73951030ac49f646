libheaptop_a_SOURCES += src/action/actions.c src/action/actions.def src/action/collect.c
