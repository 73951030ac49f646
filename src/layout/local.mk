# The files of src/layout/: libheaptop_a_SOURCES += ..., and their unit tests.
libheaptop_a_SOURCES += src/layout/mimalloc_layout.c src/layout/mimalloc_layout.h
libheaptop_a_SOURCES += src/layout/member_layout.c src/layout/member_layout.h
libheaptop_a_SOURCES += src/layout/free_list_layout.c src/layout/free_list_layout.h
libheaptop_a_SOURCES += src/layout/dict_keys.c src/layout/dict_keys.h \
	src/layout/object_layout.c src/layout/object_layout.h \
	src/layout/object_library.c src/layout/object_library.h \
	src/layout/object_parts.c src/layout/object_parts.h \
	src/layout/object_size.c src/layout/object_size.h
libheaptop_a_SOURCES += \
	src/layout/debugger_layout.h src/layout/decode.h src/layout/decode_x86_64.c \
	src/layout/find.h src/layout/find_arenas.c src/layout/find_code.c src/layout/find_counters.c \
	src/layout/find_free_lists.c src/layout/find_gil.c src/layout/gil_layout.h \
	src/layout/find_debugger.c src/layout/find_gc.c src/layout/find_states.c src/layout/find_threads.c src/layout/threads_layout.h src/layout/layout.h src/layout/layout.c src/layout/malloc_layout.h \
	src/layout/prove.c src/layout/pymalloc_layout.h src/layout/table.c

check_PROGRAMS += tests/live/layout_driver
tests_live_layout_driver_SOURCES = tests/live/layout_driver.c
tests_live_layout_driver_LDADD = $(HEAPTOP_LIBS)

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/t_layout tests/unit/t_mimalloc
tests_unit_t_mimalloc_SOURCES = tests/unit/t_mimalloc.c
tests_unit_t_mimalloc_LDADD = $(UNIT_LIBS)
tests_unit_t_layout_SOURCES = tests/unit/t_layout.c \
	tests/unit/fake_python.c tests/unit/fake_python.h
tests_unit_t_layout_LDADD = $(UNIT_LIBS)
endif

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/t_dict_keys tests/unit/t_object_parts tests/unit/t_object_size
tests_unit_t_dict_keys_SOURCES = tests/unit/t_dict_keys.c
tests_unit_t_dict_keys_LDADD = $(UNIT_LIBS)
tests_unit_t_object_parts_SOURCES = tests/unit/t_object_parts.c
tests_unit_t_object_parts_LDADD = $(UNIT_LIBS)
tests_unit_t_object_size_SOURCES = tests/unit/t_object_size.c
tests_unit_t_object_size_LDADD = $(UNIT_LIBS)
endif
