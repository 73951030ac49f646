libheaptop_a_SOURCES += \
	src/model/builder.h src/model/snapshot.c \
	src/model/history.c src/model/history.h \
	src/model/kind.c src/model/kind.h \
	src/model/partition.c src/model/partition.h
