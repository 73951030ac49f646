# The agent runs inside the target: no C library, no sanitizers, no coverage, no
# imports. One command builds it, so that flags meant for heaptop cannot reach it.
agent_headers = src/agent/agent.h src/agent/protocol.h src/agent/python.def src/agent/commands.def \
	src/agent/region.h
agent_code = \
	$(top_srcdir)/src/agent/agent.c \
	$(top_srcdir)/src/agent/kernel.c \
	$(top_srcdir)/src/agent/python.c \
	$(top_srcdir)/src/agent/life.c \
	$(top_srcdir)/src/agent/sample.c \
	$(top_srcdir)/src/agent/actions.c \
	$(top_srcdir)/src/agent/callback.c \
	$(top_srcdir)/src/agent/memory.c \
	$(top_srcdir)/src/agent/arch_x86_64.c \
	$(top_srcdir)/src/agent/entry_x86_64.S \
	$(top_srcdir)/src/agent/kept_x86_64.S
agent_flags = -std=gnu11 -O2 $(WARNINGS) -I$(top_srcdir)/src \
	-ffreestanding -fno-builtin -fPIC -fvisibility=hidden -fno-stack-protector \
	-fno-sanitize=all -fno-asynchronous-unwind-tables -fno-strict-aliasing \
	-nostdlib -shared -Wl,-e,agent_entry -Wl,-z,defs -Wl,-z,norelro \
	-Wl,-z,noseparate-code -Wl,-z,max-page-size=4096 -Wl,-Bsymbolic -Wl,--build-id=none \
	-Wl,--hash-style=sysv -Wl,-s

src/agent/heaptop-agent.so: $(agent_code) $(agent_headers)
	$(AM_V_GEN)$(MKDIR_P) src/agent && $(CC) $(agent_flags) -o $@ $(agent_code)

src/agent/image.$(OBJEXT): src/agent/heaptop-agent.so
CLEANFILES += src/agent/heaptop-agent.so
EXTRA_DIST += $(agent_headers) src/agent/agent.c src/agent/kernel.c src/agent/python.c \
	src/agent/life.c src/agent/sample.c src/agent/actions.c src/agent/callback.c \
	src/agent/memory.c src/agent/arch_x86_64.c src/agent/entry_x86_64.S \
	src/agent/kept_x86_64.S
libheaptop_a_SOURCES += src/agent/image.S
