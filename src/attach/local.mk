libheaptop_a_SOURCES += \
	src/attach/agent_image.c src/attach/agent_image.h \
	src/attach/arch.h src/attach/arch_x86_64.c \
	src/attach/borrow.c src/attach/borrow.h \
	src/attach/cave.c \
	src/attach/channel.c src/attach/channel.h \
	src/attach/copy.c src/attach/copy.h \
	src/attach/faultpoint.c src/attach/faultpoint.h src/attach/faultpoints.def \
	src/attach/holder.c src/attach/holder.h \
	src/attach/heart.c src/attach/heart.h \
	src/attach/injector.c src/attach/injector.h \
	src/attach/injector_start.c src/attach/injector_start.h \
	src/attach/launch.c src/attach/launch.h src/attach/launch_life.c src/attach/launch_private.h \
	src/attach/load.c src/attach/load.h \
	src/attach/mend.c src/attach/mend.h src/attach/rseq.c src/attach/rseq.h \
	src/attach/poke.c src/attach/poke.h \
	src/attach/loader_file.c src/attach/loader_file.h \
	src/attach/ranges.c \
	src/attach/remote.c src/attach/remote.h \
	src/attach/remote_script.c src/attach/remote_script.h \
	src/attach/safepoint.c src/attach/safepoint.h \
	src/attach/scene.c src/attach/scene.h \
	src/attach/seccomp.c src/attach/seccomp.h \
	src/attach/session.c src/attach/session.h \
	src/attach/session_private.h src/attach/session_talk.c \
	src/attach/stops.c src/attach/stops.h \
	src/attach/stub.h src/attach/stub_x86_64.S \
	src/attach/threads.c src/attach/threads.h \
	src/attach/unwinder.c src/attach/unwinder.h \
	src/attach/visit.c src/attach/visit.h \
	src/attach/ways.c src/attach/ways.h \
	src/attach/witness.c src/attach/witness.h src/attach/witness_private.h \
	src/attach/witness_start.c src/attach/witness_start.h src/attach/witness_text.c

check_PROGRAMS += tests/live/attach_driver
tests_live_attach_driver_SOURCES = \
	tests/live/attach_driver.c tests/live/attach_fault.c tests/live/attach_fault.h \
	tests/live/attach_times.c tests/live/attach_times.h
tests_live_attach_driver_LDADD = $(HEAPTOP_LIBS)

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/t_attach tests/unit/t_session
tests_unit_t_session_SOURCES = tests/unit/t_session.c
tests_unit_t_session_LDADD = $(UNIT_LIBS)
tests_unit_t_attach_SOURCES = tests/unit/t_attach.c
tests_unit_t_attach_LDADD = $(UNIT_LIBS)
endif

# A kernel that refuses something, for tests/live/t_launch and tests/fault/t_attach_denied.
check_PROGRAMS += tests/lib/deny
tests_lib_deny_SOURCES = tests/lib/deny.c

check_PROGRAMS += tests/fuzz/fuzz_page tests/fuzz/fuzz_elf
tests_fuzz_fuzz_page_SOURCES = tests/fuzz/fuzz_page.c tests/fuzz/smoke_main.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_page_LDADD = $(HEAPTOP_LIBS)
tests_fuzz_fuzz_elf_SOURCES = tests/fuzz/fuzz_elf.c tests/fuzz/smoke_main.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_elf_LDADD = $(HEAPTOP_LIBS)
