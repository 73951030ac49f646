libheaptop_a_SOURCES += \
	src/target/raddr.h \
	src/target/reader.c src/target/reader.h
