libheaptop_a_SOURCES += \
	src/guard/child.c src/guard/child.h \
	src/guard/filter.c src/guard/filter.h src/guard/syscalls.def \
	src/guard/guard.c src/guard/guard.h \
	src/guard/helper.c src/guard/helper.h \
	src/guard/helper_call.c \
	src/guard/helper_message.c src/guard/helper_message.h \
	src/guard/quiet.c src/guard/quiet.h
