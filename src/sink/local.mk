# The files of src/sink/: libheaptop_a_SOURCES += ..., and their unit tests.
