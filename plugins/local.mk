# The plugins that come with heaptop: shared objects, each made from its folder and the
# public header alone.
PLUGIN_CPPFLAGS = -D_GNU_SOURCE -I$(top_srcdir)/include -I$(top_srcdir)
PLUGIN_CFLAGS = -std=c11 $(WARNINGS) $(HARDENING_CFLAGS) -fPIC -fvisibility=hidden
plugin_ldflags = -shared $(HARDENING_LDFLAGS) -Wl,-z,defs

plugins_PROGRAMS += plugins/example.so plugins/glibc-malloc.so plugins/jemalloc.so \
	plugins/native-stacks.so plugins/tracemalloc.so
plugins_example_so_SOURCES = plugins/example/example.c
plugins_example_so_CPPFLAGS = $(PLUGIN_CPPFLAGS)
plugins_example_so_CFLAGS = $(PLUGIN_CFLAGS)
plugins_example_so_LDFLAGS = $(plugin_ldflags)
plugins_glibc_malloc_so_SOURCES = plugins/glibc-malloc/glibc-malloc.c
plugins_glibc_malloc_so_CPPFLAGS = $(PLUGIN_CPPFLAGS)
plugins_glibc_malloc_so_CFLAGS = $(PLUGIN_CFLAGS)
plugins_glibc_malloc_so_LDFLAGS = $(plugin_ldflags)
plugins_jemalloc_so_SOURCES = plugins/jemalloc/jemalloc.c
plugins_jemalloc_so_CPPFLAGS = $(PLUGIN_CPPFLAGS)
plugins_jemalloc_so_CFLAGS = $(PLUGIN_CFLAGS)
plugins_jemalloc_so_LDFLAGS = $(plugin_ldflags)
plugins_native_stacks_so_SOURCES = \
	plugins/native-stacks/rises.c plugins/native-stacks/rises.h \
	plugins/native-stacks/seen.c plugins/native-stacks/seen.h \
	plugins/native-stacks/native-stacks.c
plugins_native_stacks_so_CPPFLAGS = $(PLUGIN_CPPFLAGS)
plugins_native_stacks_so_CFLAGS = $(PLUGIN_CFLAGS)
plugins_native_stacks_so_LDFLAGS = $(plugin_ldflags)
plugins_tracemalloc_so_SOURCES = \
	plugins/tracemalloc/memory.c plugins/tracemalloc/memory.h \
	plugins/tracemalloc/traces.c plugins/tracemalloc/traces.h \
	plugins/tracemalloc/tracemalloc.c
plugins_tracemalloc_so_CPPFLAGS = $(PLUGIN_CPPFLAGS)
plugins_tracemalloc_so_CFLAGS = $(PLUGIN_CFLAGS)
plugins_tracemalloc_so_LDFLAGS = $(plugin_ldflags)
