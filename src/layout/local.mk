# The files of src/layout/: libheaptop_a_SOURCES += ..., and their unit tests.
