libheaptop_a_SOURCES += src/source/sources.c src/source/sources.def
libheaptop_a_SOURCES += src/source/process.c

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/t_process
tests_unit_t_process_SOURCES = tests/unit/t_process.c
tests_unit_t_process_LDADD = $(UNIT_LIBS)
endif
libheaptop_a_SOURCES += \
	src/source/arenas.c src/source/arenas.h src/source/arenas_order.c \
	src/source/arenas_picture.c src/source/arenas_picture.h \
	src/source/inquiry.c src/source/inquiry.h src/source/inquiries.def \
	src/source/inquiry_duplicates.c \
	src/source/inquiry_kind.c \
	src/source/inspect.c src/source/inspect.h \
	src/source/gc.c src/source/gc.h \
	src/source/gc_lists.c src/source/gc_lists.h \
	src/source/gc_pauses.c src/source/gc_pauses.h \
	src/source/pymalloc.c src/source/pymalloc.h
libheaptop_a_SOURCES += \
	src/source/account.c src/source/account_state.h \
	src/source/account_claims.c src/source/account_claims.h \
	src/source/account_begin.c \
	src/source/account_gain.c \
	src/source/account_mimalloc.c src/source/account_mimalloc.h \
	src/source/account_pools.c src/source/account_pools.h \
	src/source/account_sections.c \
	src/source/cycles.c src/source/cycles.h \
	src/source/cycles_edges.c src/source/cycles_edges.h \
	src/source/cycles_free.c src/source/cycles_free.h \
	src/source/cycles_types.c src/source/cycles_types.h \
	src/source/cycles_gather.c src/source/cycles_gather.h \
	src/source/cycles_memory.c src/source/cycles_memory.h \
	src/source/cycles_far.c src/source/cycles_far.h src/source/cycles_set.c src/source/cycles_set.h \
	src/source/free_list_entries.c src/source/free_list_entries.h \
	src/source/free_lists.c src/source/free_lists.h \
	src/source/images.c src/source/images.h \
	src/source/kind_class.c src/source/kind_class.h \
	src/source/kind_generations.c src/source/kind_generations.h \
	src/source/malloc_caches.c src/source/malloc_caches.h \
	src/source/malloc_chain.c src/source/malloc_chain.h \
	src/source/malloc_heaps.c src/source/malloc_heaps.h \
	src/source/malloc_pass.c src/source/malloc_pass.h \
	src/source/gc_recent.c src/source/gc_recent.h \
	src/source/heaps_picture.c src/source/heaps_picture.h \
	src/source/holder_names.c src/source/holder_names.h \
	src/source/holders_search.c src/source/holders_search.h \
	src/source/inquiry_born.c \
	src/source/inquiry_holders.c \
	src/source/inquiry_remember.c \
	src/source/marked_pass.c src/source/marked_pass.h \
	src/source/noted_pass.c src/source/noted_pass.h \
	src/source/object_evidence.c src/source/object_evidence.h \
	src/source/pins.c \
	src/source/pins_arenas.c src/source/pins_arenas.h \
	src/source/pins_blocks.c src/source/pins_blocks.h \
	src/source/pins_owners.c src/source/pins_owners.h \
	src/source/references.c src/source/references.h \
	src/source/sharing.c src/source/sharing.h \
	src/source/sharing_page.c src/source/sharing_page.h \
	src/source/malloc_threshold.c src/source/malloc_threshold.h \
	src/source/thread_stacks.c src/source/thread_stacks.h \
	src/source/object_value.c src/source/object_value.h \
	src/source/objects_agent.c src/source/objects_agent.h \
	src/source/objects.c \
	src/source/objects_arena.c \
	src/source/mimalloc_map.c src/source/mimalloc_map.h \
	src/source/objects_chunk.c \
	src/source/objects_chunks.c \
	src/source/objects_charge.h src/source/objects_quick.h \
	src/source/objects_edges.c src/source/objects_edges.h \
	src/source/objects_far.c \
	src/source/objects_kept.c src/source/objects_kept.h \
	src/source/objects_follow.c src/source/objects_follow.h \
	src/source/objects_found.c src/source/objects_found.h \
	src/source/objects_free_lists.c \
	src/source/objects_large.c \
	src/source/objects_later.c \
	src/source/objects_learn.c \
	src/source/objects_local.c \
	src/source/objects_ahead.c src/source/objects_ahead.h \
	src/source/objects_share.c \
	src/source/objects_malloc.c \
	src/source/objects_map.c src/source/objects_map.h \
	src/source/objects_measure.c src/source/objects_measure.h \
	src/source/objects_mimalloc.c \
	src/source/objects_names.c \
	src/source/objects_notes.c src/source/objects_notes.h \
	src/source/objects_owners.c \
	src/source/objects_rest.c src/source/objects_rest.h \
	src/source/objects_pack.c src/source/objects_pack.h \
	src/source/objects_parts.c \
	src/source/objects_pass.c src/source/objects_pass.h \
	src/source/objects_pool.c \
	src/source/objects_rows.c \
	src/source/objects_scan.c \
	src/source/objects_looks.c \
	src/source/objects_stretch.c src/source/objects_stretch_find.c \
	src/source/objects_stretch_local.c \
	src/source/objects_stretches.c src/source/objects_stretches.h \
	src/source/objects_types.c src/source/objects_types.h \
	src/source/objects_work.c \
	src/source/objects_walk.c src/source/objects_walk.h

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/t_account
tests_unit_t_account_SOURCES = tests/unit/t_account.c
tests_unit_t_account_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/t_arenas tests/unit/t_gc tests/unit/t_pymalloc
tests_unit_t_arenas_SOURCES = tests/unit/t_arenas.c \
	tests/unit/fake_python.c tests/unit/fake_python.h
tests_unit_t_arenas_LDADD = $(UNIT_LIBS)
tests_unit_t_gc_SOURCES = tests/unit/t_gc.c \
	tests/unit/fake_python.c tests/unit/fake_python.h
tests_unit_t_gc_LDADD = $(UNIT_LIBS)
tests_unit_t_pymalloc_SOURCES = tests/unit/t_pymalloc.c \
	tests/unit/fake_python.c tests/unit/fake_python.h
tests_unit_t_pymalloc_LDADD = $(UNIT_LIBS)
endif

# Made by `make bench` and by hand: no part of the tests.
EXTRA_PROGRAMS += tests/bench/bench_walk
tests_bench_bench_walk_SOURCES = tests/bench/bench_walk.c
tests_bench_bench_walk_LDADD = $(HEAPTOP_LIBS)

check_PROGRAMS += tests/live/refresh_driver
tests_live_refresh_driver_SOURCES = tests/live/refresh_driver.c
tests_live_refresh_driver_LDADD = $(HEAPTOP_LIBS)

check_PROGRAMS += tests/fuzz/fuzz_walk
tests_fuzz_fuzz_walk_SOURCES = tests/fuzz/fuzz_walk.c tests/fuzz/smoke_main.c \
	tests/fuzz/fuzz.h tests/unit/fake_heap.c tests/unit/fake_heap.h
tests_fuzz_fuzz_walk_LDADD = $(HEAPTOP_LIBS)

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/t_objects
tests_unit_t_objects_SOURCES = tests/unit/t_objects.c tests/unit/fake_heap.c \
	tests/unit/fake_heap.h \
	tests/unit/fake_walk.c tests/unit/fake_walk.h
tests_unit_t_objects_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/t_objects_chunks
tests_unit_t_objects_chunks_SOURCES = tests/unit/t_objects_chunks.c tests/unit/fake_heap.c \
	tests/unit/fake_heap.h tests/unit/fake_walk.c tests/unit/fake_walk.h
tests_unit_t_objects_chunks_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/t_objects_owners
tests_unit_t_objects_owners_SOURCES = tests/unit/t_objects_owners.c tests/unit/fake_heap.c \
	tests/unit/fake_heap.h \
	tests/unit/fake_walk.c tests/unit/fake_walk.h
tests_unit_t_objects_owners_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/t_objects_rest
tests_unit_t_objects_rest_SOURCES = tests/unit/t_objects_rest.c tests/unit/fake_heap.c \
	tests/unit/fake_heap.h \
	tests/unit/fake_walk.c tests/unit/fake_walk.h
tests_unit_t_objects_rest_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/t_objects_ahead
tests_unit_t_objects_ahead_SOURCES = tests/unit/t_objects_ahead.c
tests_unit_t_objects_ahead_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/t_objects_stretches
tests_unit_t_objects_stretches_SOURCES = tests/unit/t_objects_stretches.c \
	tests/unit/fake_heap.c tests/unit/fake_heap.h \
	tests/unit/fake_walk.c tests/unit/fake_walk.h
tests_unit_t_objects_stretches_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/t_objects_stretch_find
tests_unit_t_objects_stretch_find_SOURCES = tests/unit/t_objects_stretch_find.c
tests_unit_t_objects_stretch_find_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/t_objects_stretch_local
tests_unit_t_objects_stretch_local_SOURCES = tests/unit/t_objects_stretch_local.c \
	tests/unit/fake_heap.c tests/unit/fake_heap.h \
	tests/unit/fake_walk.c tests/unit/fake_walk.h
tests_unit_t_objects_stretch_local_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/t_objects_pack
tests_unit_t_objects_pack_SOURCES = tests/unit/t_objects_pack.c
tests_unit_t_objects_pack_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/t_objects_kept
tests_unit_t_objects_kept_SOURCES = tests/unit/t_objects_kept.c \
	tests/unit/fake_heap.c tests/unit/fake_heap.h
tests_unit_t_objects_kept_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/t_cycles
tests_unit_t_cycles_SOURCES = tests/unit/t_cycles.c tests/unit/dry_run.h tests/unit/fake_heap.c \
	tests/unit/fake_heap.h
tests_unit_t_cycles_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/t_cycles_types
tests_unit_t_cycles_types_SOURCES = tests/unit/t_cycles_types.c tests/unit/dry_run.h tests/unit/fake_heap.c \
	tests/unit/fake_heap.h
tests_unit_t_cycles_types_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/t_objects_malloc
tests_unit_t_objects_malloc_SOURCES = tests/unit/t_objects_malloc.c \
	tests/unit/fake_heap.c tests/unit/fake_heap.h \
	tests/unit/fake_walk.c tests/unit/fake_walk.h
tests_unit_t_objects_malloc_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/t_types
tests_unit_t_types_SOURCES = tests/unit/t_types.c tests/unit/fake_heap.c \
	tests/unit/fake_heap.h
tests_unit_t_types_LDADD = $(UNIT_LIBS)
endif
