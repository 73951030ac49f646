libheaptop_a_SOURCES += \
	src/batch/batch.c src/batch/batch.h \
	src/batch/batch_compare.c \
	src/batch/batch_action.c \
	src/batch/batch_fleet.c \
	src/batch/batch_inquiry.c \
	src/batch/batch_objects.c \
	src/batch/batch_plugins.c \
	src/batch/batch_replay.c \
	src/batch/beside.c src/batch/beside.h \
	src/batch/batch_selfcheck.c \
	src/batch/selfcheck.h src/batch/selfcheck_sections.c \
	src/batch/output.c src/batch/output.h
