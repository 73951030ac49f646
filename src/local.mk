libheaptop_a_SOURCES += \
	src/args.c src/args.h \
	src/batch.c src/batch.h \
	src/batch_collect.c \
	src/batch_selfcheck.c \
	src/choose.c src/choose.h \
	src/config.c src/config.h \
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
