libheaptop_a_SOURCES += \
	src/target/raddr.h \
	src/target/image.c src/target/image.h \
	src/target/image_symbols.c \
	src/target/maps.c src/target/maps.h \
	src/target/reader.c src/target/reader.h \
	src/target/reader_image.c \
	src/target/reader_live.c
