libheaptop_a_SOURCES += \
	src/sink/columns.c src/sink/columns.h \
	src/sink/json.c \
	src/sink/json_value.c src/sink/json_value.h
