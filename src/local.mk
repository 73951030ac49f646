libheaptop_a_SOURCES += \
	src/args.c src/args.h \
	src/batch.c src/batch.h \
	src/batch_collect.c \
	src/batch_selfcheck.c \
	src/choose.c src/choose.h \
	src/configuration.c src/configuration.h \
	src/sampler.c src/sampler.h src/sampler_private.h \
	src/sampler_action.c \
	src/sampler_agent.c \
	src/sampler_layout.c \
	src/sampler_loop.c \
	src/sampler_sample.c \
	src/sampler_walk.c

bin_PROGRAMS += heaptop
heaptop_SOURCES = src/main.c
heaptop_LDADD = $(HEAPTOP_LIBS)

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/t_args tests/unit/t_config tests/unit/t_sampler \
	tests/unit/t_sampler_session
tests_unit_t_args_SOURCES = tests/unit/t_args.c
tests_unit_t_args_LDADD = $(UNIT_LIBS)
tests_unit_t_config_SOURCES = tests/unit/t_config.c
tests_unit_t_config_LDADD = $(UNIT_LIBS)
tests_unit_t_sampler_SOURCES = tests/unit/t_sampler.c
tests_unit_t_sampler_LDADD = $(UNIT_LIBS)
tests_unit_t_sampler_session_SOURCES = tests/unit/t_sampler_session.c
tests_unit_t_sampler_session_LDADD = $(UNIT_LIBS)
endif
