libheaptop_a_SOURCES += \
	src/action/actions.c src/action/actions.def \
	src/action/ask_agent.c src/action/ask_agent.h \
	src/action/plan.c src/action/plan.h \
	src/action/gc_words.c src/action/gc_words.h \
	src/action/call_python.c src/action/collect.c \
	src/action/exact.c \
	src/action/freeze.c \
	src/action/gc_disable.c \
	src/action/gc_enable.c \
	src/action/gc_threshold.c \
	src/action/stacks.c src/action/trim.c \
	src/action/unfreeze.c
