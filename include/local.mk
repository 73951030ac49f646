# What a plugin includes, and all that it includes.
heaptopincludedir = $(includedir)/heaptop
heaptopinclude_HEADERS = include/heaptop/plugin.h

noinst_HEADERS = \
	include/heaptop/action.h \
	include/heaptop/arenas.h \
	include/heaptop/err.h \
	include/heaptop/heaps.h \
	include/heaptop/pins.h \
	include/heaptop/plugins.h \
	include/heaptop/reading.h \
	include/heaptop/sink.h \
	include/heaptop/snapshot.h \
	include/heaptop/source.h \
	include/heaptop/units.h
