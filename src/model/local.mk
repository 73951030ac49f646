# The files of src/model/: libheaptop_a_SOURCES += ..., and their unit tests.
