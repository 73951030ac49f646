# The agent runs inside the target: no C library, no sanitizer's library, no coverage, no
# imports. One command builds it, so that flags meant for heaptop cannot reach it.
agent_headers = src/agent/agent.h src/agent/protocol.h src/agent/python.def src/agent/commands.def \
	src/agent/allocator.def \
	src/agent/region.h
agent_code = \
	$(top_srcdir)/src/agent/agent.c \
	$(top_srcdir)/src/agent/kernel.c \
	$(top_srcdir)/src/agent/offer.c \
	$(top_srcdir)/src/agent/python.c \
	$(top_srcdir)/src/agent/life.c \
	$(top_srcdir)/src/agent/sample.c \
	$(top_srcdir)/src/agent/partition.c \
	$(top_srcdir)/src/agent/actions.c \
	$(top_srcdir)/src/agent/allocator.c \
	$(top_srcdir)/src/agent/call.c \
	$(top_srcdir)/src/agent/stacks.c \
	$(top_srcdir)/src/agent/text.c \
	$(top_srcdir)/src/agent/copy.c \
	$(top_srcdir)/src/agent/callback.c \
	$(top_srcdir)/src/agent/bytes.c \
	$(top_srcdir)/src/agent/memory.c \
	$(top_srcdir)/src/agent/arch_x86_64.c \
	$(top_srcdir)/src/agent/entry_x86_64.S \
	$(top_srcdir)/src/agent/apart_x86_64.S \
	$(top_srcdir)/src/agent/kept_x86_64.S
freestanding_flags = -std=gnu11 -O2 $(WARNINGS) -I$(top_srcdir)/src \
	-ffreestanding -fno-builtin -fPIC -fvisibility=hidden -fno-stack-protector \
	-fno-sanitize=all $(AGENT_SANITIZERS) -fno-asynchronous-unwind-tables -fno-strict-aliasing \
	-nostdlib -shared -Wl,-z,norelro \
	-Wl,-z,noseparate-code -Wl,-z,max-page-size=4096 -Wl,-Bsymbolic -Wl,--build-id=none \
	-Wl,--hash-style=sysv -Wl,-s
agent_flags = $(freestanding_flags) -Wl,-e,agent_entry -Wl,-z,defs

src/agent/heaptop-agent.so: $(agent_code) $(agent_headers)
	$(AM_V_GEN)$(MKDIR_P) src/agent && $(CC) $(agent_flags) -o $@ $(agent_code)

# The loader is an ordinary shared object that needs nothing: its symbols are weak.
loader_headers = src/agent/loader.h src/agent/loader_private.h $(agent_headers)
loader_code = \
	$(top_srcdir)/src/agent/loader.c \
	$(top_srcdir)/src/agent/loader_launch.c \
	$(top_srcdir)/src/agent/loader_remote.c \
	$(top_srcdir)/src/agent/bytes.c \
	$(top_srcdir)/src/agent/arch_x86_64.c \
	$(top_srcdir)/src/agent/loader_x86_64.S

src/agent/heaptop-loader.so: $(loader_code) $(loader_headers)
	$(AM_V_GEN)$(MKDIR_P) src/agent && $(CC) $(freestanding_flags) -o $@ $(loader_code)

src/agent/image.$(OBJEXT): src/agent/heaptop-agent.so src/agent/heaptop-loader.so
CLEANFILES += src/agent/heaptop-agent.so src/agent/heaptop-loader.so
EXTRA_DIST += $(agent_headers) src/agent/agent.c src/agent/kernel.c src/agent/offer.c src/agent/python.c \
	src/agent/life.c src/agent/sample.c src/agent/partition.c src/agent/actions.c \
	src/agent/allocator.c src/agent/call.c src/agent/stacks.c src/agent/text.c src/agent/copy.c src/agent/callback.c \
	src/agent/bytes.c src/agent/memory.c src/agent/arch_x86_64.c src/agent/entry_x86_64.S \
	src/agent/kept_x86_64.S src/agent/apart_x86_64.S \
	src/agent/loader.h src/agent/loader_private.h src/agent/loader.c \
	src/agent/loader_launch.c src/agent/loader_remote.c src/agent/loader_x86_64.S
libheaptop_a_SOURCES += src/agent/image.S
