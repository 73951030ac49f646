# The files of src/agent/: libheaptop_a_SOURCES += ..., and their unit tests.
