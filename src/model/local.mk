libheaptop_a_SOURCES += \
	src/model/arenas_section.c \
	src/model/condition.c src/model/condition.h \
	src/model/account.c src/model/account.h \
	src/model/builder.h src/model/snapshot.c \
	src/model/cause.c src/model/cause.h \
	src/model/collect_cost.c src/model/collect_cost.h \
	src/model/difference.c src/model/difference.h \
	src/model/duplicates.c src/model/duplicates.h \
	src/model/evidence.c src/model/evidence.h src/model/evidence_floor.c \
	src/model/evidence_kinds.c \
	src/model/fleet.h src/model/fleet_judge.c src/model/fleet_row.c \
	src/model/fit.c src/model/fit.h \
	src/model/gc_debug.c src/model/gc_debug.h \
	src/model/growth.c src/model/growth.h src/model/trend.c \
	src/model/mark.c src/model/mark.h \
	src/model/history.c src/model/history.h src/model/history_past.c \
	src/model/history_private.h \
	src/model/inquiry.c src/model/inquiry.h \
	src/model/inspection.c src/model/inspection.h \
	src/model/kind.c src/model/kind.h \
	src/model/kind_detail.c src/model/kind_detail.h \
	src/model/partition.c src/model/partition.h \
	src/model/born.c src/model/born.h \
	src/model/holders.c src/model/holders.h \
	src/model/object_set.c src/model/object_set.h \
	src/model/pins.c src/model/pins.h \
	src/model/plugin_table.c src/model/plugin_table.h \
	src/model/sharing.c src/model/sharing.h \
	src/model/thinning.c src/model/thinning.h \
	src/model/verdict.c src/model/verdict.h src/model/verdict_private.h \
	src/model/verdict_advice.c src/model/verdict_growth.c src/model/verdict_unsharing.c \
	src/model/verdict_level.c src/model/verdict_objects.c \
	src/model/verdict_rules.c

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/t_fleet
tests_unit_t_fleet_SOURCES = tests/unit/t_fleet.c
tests_unit_t_fleet_LDADD = $(UNIT_LIBS)
endif

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/t_model
tests_unit_t_model_SOURCES = tests/unit/t_model.c
tests_unit_t_model_LDADD = $(UNIT_LIBS)
endif

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/t_growth
tests_unit_t_growth_SOURCES = tests/unit/t_growth.c
tests_unit_t_growth_LDADD = $(UNIT_LIBS)
endif

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/t_condition tests/unit/t_verdict
tests_unit_t_condition_SOURCES = tests/unit/t_condition.c
tests_unit_t_condition_LDADD = $(UNIT_LIBS)
tests_unit_t_verdict_SOURCES = tests/unit/t_verdict.c
tests_unit_t_verdict_LDADD = $(UNIT_LIBS)
endif

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/t_inquiry
tests_unit_t_inquiry_SOURCES = tests/unit/t_inquiry.c
tests_unit_t_inquiry_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/t_born
tests_unit_t_born_SOURCES = tests/unit/t_born.c
tests_unit_t_born_LDADD = $(UNIT_LIBS)
endif
