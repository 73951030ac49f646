libheaptop_a_SOURCES += \
	src/recording/cut.c src/recording/cut.h \
	src/recording/database.c src/recording/database.h \
	src/recording/decoder.c src/recording/decoder.h \
	src/recording/encoder.c src/recording/encoder.h \
	src/recording/folder.c src/recording/folder.h \
	src/recording/kind_order.c src/recording/kind_order.h \
	src/recording/kind_rows.c src/recording/kind_rows.h \
	src/recording/message.c src/recording/message.h \
	src/recording/names.c src/recording/names.h \
	src/recording/plane.c src/recording/plane.h \
	src/recording/plugin_rows.c src/recording/plugin_rows.h \
	src/recording/recall.c src/recording/recall.h \
	src/recording/recorder.c src/recording/recorder.h \
	src/recording/recorder_process.c \
	src/recording/recording.c src/recording/recording.h \
	src/recording/recording_file.c src/recording/recording_file.h \
	src/recording/recording_file_index.c src/recording/recording_file_texts.c \
	src/recording/replay.c src/recording/replay.h \
	src/recording/replay_cache.c src/recording/replay_cache.h \
	src/recording/rows.c src/recording/rows.h \
	src/recording/shape.c src/recording/shape.h \
	src/recording/slots.c src/recording/slots.h \
	src/recording/when.c src/recording/when.h \
	src/recording/writer.c src/recording/writer.h

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/t_kind_order tests/unit/t_recall tests/unit/t_recording
tests_unit_t_kind_order_SOURCES = tests/unit/t_kind_order.c
tests_unit_t_kind_order_LDADD = $(UNIT_LIBS)
tests_unit_t_recall_SOURCES = tests/unit/t_recall.c
tests_unit_t_recall_LDADD = $(UNIT_LIBS)
tests_unit_t_recording_SOURCES = tests/unit/t_recording.c
tests_unit_t_recording_LDADD = $(UNIT_LIBS)
endif

check_PROGRAMS += tests/fuzz/fuzz_recording
tests_fuzz_fuzz_recording_SOURCES = tests/fuzz/fuzz_recording.c tests/fuzz/smoke_main.c \
	tests/fuzz/fuzz.h tests/lib/fixture.c tests/lib/fixture_answers.c \
	tests/lib/fixture_plugins.c tests/lib/fixture.h
tests_fuzz_fuzz_recording_LDADD = $(HEAPTOP_LIBS)

EXTRA_PROGRAMS += tests/bench/bench_recording
tests_bench_bench_recording_SOURCES = tests/bench/bench_recording.c
tests_bench_bench_recording_LDADD = $(HEAPTOP_LIBS)
