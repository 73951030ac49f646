libheaptop_a_SOURCES += \
	src/sink/verdict.c \
	src/sink/answer.c src/sink/answer.h \
	src/sink/answer_duplicates.c \
	src/sink/answer_kind.c \
	src/sink/columns.c src/sink/columns.h \
	src/sink/difference.c src/sink/difference.h \
	src/sink/feed.c src/sink/feed.h \
	src/sink/fleet_sink.h src/sink/json_fleet.c src/sink/json_fleet.h \
	src/sink/csv_fleet.c src/sink/metrics_fleet.c src/sink/openmetrics_fleet.c \
	src/sink/exposition.c src/sink/exposition.h src/sink/metrics.def \
	src/sink/metrics.c src/sink/metrics.h \
	src/sink/openmetrics.c \
	src/sink/sinks.def \
	src/sink/target_name.c src/sink/target_name.h \
	src/sink/csv.c src/sink/csv.h \
	src/sink/json.c src/sink/json.h \
	src/sink/json_arenas.c src/sink/json_arenas.h \
	src/sink/json_account.c src/sink/json_account.h \
	src/sink/json_heaps.c src/sink/json_heaps.h \
	src/sink/json_inquiry.c src/sink/json_inquiry.h \
	src/sink/json_pins.c src/sink/json_pins.h \
	src/sink/json_plugins.c src/sink/json_plugins.h \
	src/sink/json_history.c src/sink/json_history.h \
	src/sink/json_value.c src/sink/json_value.h

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/t_json tests/unit/t_openmetrics
tests_unit_t_openmetrics_SOURCES = tests/unit/t_openmetrics.c tests/lib/fixture.c \
	tests/lib/fixture_answers.c tests/lib/fixture_plugins.c tests/lib/fixture.h
tests_unit_t_openmetrics_LDADD = $(UNIT_LIBS)
tests_unit_t_json_SOURCES = tests/unit/t_json.c
tests_unit_t_json_LDADD = $(UNIT_LIBS)
endif

check_PROGRAMS += tests/fuzz/fuzz_json
tests_fuzz_fuzz_json_SOURCES = tests/fuzz/fuzz_json.c tests/fuzz/smoke_main.c \
	tests/fuzz/fuzz.h
tests_fuzz_fuzz_json_LDADD = $(HEAPTOP_LIBS)
