libheaptop_a_SOURCES += \
	src/model/arenas_section.c \
	src/model/account.c src/model/account.h \
	src/model/builder.h src/model/snapshot.c \
	src/model/collect_cost.c src/model/collect_cost.h \
	src/model/gc_debug.c src/model/gc_debug.h \
	src/model/history.c src/model/history.h \
	src/model/inspection.c src/model/inspection.h \
	src/model/kind.c src/model/kind.h \
	src/model/partition.c src/model/partition.h

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/t_model
tests_unit_t_model_SOURCES = tests/unit/t_model.c
tests_unit_t_model_LDADD = $(UNIT_LIBS)
endif
