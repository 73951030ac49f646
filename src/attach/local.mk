# The files of src/attach/: libheaptop_a_SOURCES += ..., and their unit tests.
