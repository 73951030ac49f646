noinst_HEADERS = \
	include/heaptop/action.h \
	include/heaptop/arenas.h \
	include/heaptop/err.h \
	include/heaptop/heaps.h \
	include/heaptop/pins.h \
	include/heaptop/reading.h \
	include/heaptop/sink.h \
	include/heaptop/snapshot.h \
	include/heaptop/source.h \
	include/heaptop/units.h
