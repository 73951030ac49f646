# The plugins that come with heaptop: shared objects, each made from its folder and the
# public header alone.
PLUGIN_CPPFLAGS = -D_GNU_SOURCE -I$(top_srcdir)/include
PLUGIN_CFLAGS = -std=c11 $(WARNINGS) $(HARDENING_CFLAGS) -fPIC -fvisibility=hidden
plugin_ldflags = -shared $(HARDENING_LDFLAGS) -Wl,-z,defs

plugins_PROGRAMS += plugins/example.so
plugins_example_so_SOURCES = plugins/example/example.c
plugins_example_so_CPPFLAGS = $(PLUGIN_CPPFLAGS)
plugins_example_so_CFLAGS = $(PLUGIN_CFLAGS)
plugins_example_so_LDFLAGS = $(plugin_ldflags)
