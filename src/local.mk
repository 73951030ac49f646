libheaptop_a_SOURCES += \
	src/args.c src/args.h src/args_check.c src/args_check.h \
	src/args_table.c src/args_table.h \
	src/choose.c src/choose.h \
	src/configuration.c src/configuration.h

bin_PROGRAMS += heaptop
heaptop_SOURCES = src/main.c
heaptop_LDADD = $(HEAPTOP_LIBS)

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/t_args tests/unit/t_config
tests_unit_t_args_SOURCES = tests/unit/t_args.c
tests_unit_t_args_LDADD = $(UNIT_LIBS)
tests_unit_t_config_SOURCES = tests/unit/t_config.c
tests_unit_t_config_LDADD = $(UNIT_LIBS)
endif
