libheaptop_a_SOURCES += \
	src/target/raddr.h \
	src/target/access.c src/target/access.h \
	src/target/candidates.c src/target/candidates.h \
	src/target/candidates_private.h \
	src/target/candidates_row.c \
	src/target/candidates_tree.c \
	src/target/children.c src/target/children.h \
	src/target/files.c src/target/files.h \
	src/target/scope.c src/target/scope.h \
	src/target/identify.c src/target/identify.h \
	src/target/identify_version.c \
	src/target/image.c src/target/image.h \
	src/target/image_names.c src/target/image_names.h \
	src/target/image_symbols.c \
	src/target/maps.c src/target/maps.h \
	src/target/memory_room.c src/target/memory_room.h \
	src/target/pagemap.c src/target/pagemap.h \
	src/target/pagemap_scan.c src/target/pagemap_scan.h \
	src/target/residency.c src/target/residency.h \
	src/target/procfs.c src/target/procfs.h \
	src/target/reader.c src/target/reader.h \
	src/target/reader_files.c \
	src/target/reader_image.c \
	src/target/reader_kept.c \
	src/target/reader_pages.c \
	src/target/reader_live.c \
	src/target/shared_pages.c src/target/shared_pages.h \
	src/target/target.c src/target/target.h \
	src/target/vectors.c src/target/vectors.h

check_PROGRAMS += tests/live/identify_driver
tests_live_identify_driver_SOURCES = tests/live/identify_driver.c
tests_live_identify_driver_LDADD = $(HEAPTOP_LIBS)

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/t_maps tests/unit/t_image tests/unit/t_reader \
	tests/unit/t_candidates tests/unit/t_pagemap tests/unit/t_memory_room \
	tests/unit/t_access tests/unit/t_scope
tests_unit_t_access_SOURCES = tests/unit/t_access.c
tests_unit_t_access_LDFLAGS = -Wl,--wrap=procfs_read_file -Wl,--wrap=geteuid
tests_unit_t_access_LDADD = $(UNIT_LIBS)
tests_unit_t_scope_SOURCES = tests/unit/t_scope.c
tests_unit_t_scope_LDADD = $(UNIT_LIBS)
tests_unit_t_memory_room_SOURCES = tests/unit/t_memory_room.c
tests_unit_t_memory_room_LDADD = $(UNIT_LIBS)
tests_unit_t_pagemap_SOURCES = tests/unit/t_pagemap.c
tests_unit_t_pagemap_LDADD = $(UNIT_LIBS)
tests_unit_t_maps_SOURCES = tests/unit/t_maps.c
tests_unit_t_maps_LDADD = $(UNIT_LIBS)
tests_unit_t_image_SOURCES = tests/unit/t_image.c
tests_unit_t_image_LDADD = $(UNIT_LIBS)
tests_unit_t_reader_SOURCES = tests/unit/t_reader.c
tests_unit_t_reader_LDADD = $(UNIT_LIBS)
tests_unit_t_candidates_SOURCES = tests/unit/t_candidates.c
tests_unit_t_candidates_LDADD = $(UNIT_LIBS)
endif

check_PROGRAMS += tests/fuzz/fuzz_maps tests/fuzz/fuzz_image
tests_fuzz_fuzz_maps_SOURCES = tests/fuzz/fuzz_maps.c tests/fuzz/smoke_main.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_maps_LDADD = $(HEAPTOP_LIBS)
tests_fuzz_fuzz_image_SOURCES = tests/fuzz/fuzz_image.c tests/fuzz/smoke_main.c \
	tests/fuzz/fuzz.h
tests_fuzz_fuzz_image_LDADD = $(HEAPTOP_LIBS)
