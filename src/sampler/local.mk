libheaptop_a_SOURCES += \
	src/sampler/sampler.c src/sampler/sampler.h src/sampler/sampler_private.h \
	src/sampler/sampler_action.c \
	src/sampler/sampler_agent.c \
	src/sampler/sampler_inquiry.c \
	src/sampler/sampler_exact.c \
	src/sampler/sampler_inspect.c src/sampler/sampler_layout.c \
	src/sampler/sampler_loop.c \
	src/sampler/sampler_plugins.c src/sampler/sampler_probes.c \
	src/sampler/sampler_sample.c src/sampler/sampler_stacks.c \
	src/sampler/sampler_walk.c

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/t_sampler tests/unit/t_sampler_session
tests_unit_t_sampler_SOURCES = tests/unit/t_sampler.c
tests_unit_t_sampler_LDADD = $(UNIT_LIBS)
tests_unit_t_sampler_session_SOURCES = tests/unit/t_sampler_session.c
tests_unit_t_sampler_session_LDADD = $(UNIT_LIBS)
endif
