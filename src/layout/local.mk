# The files of src/layout/: libheaptop_a_SOURCES += ..., and their unit tests.
libheaptop_a_SOURCES += src/layout/object_layout.c src/layout/object_layout.h
