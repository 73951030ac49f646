libheaptop_a_SOURCES += \
	src/fleet/fleet.c src/fleet/fleet.h src/fleet/fleet_private.h \
	src/fleet/fleet_budget.c src/fleet/fleet_budget.h \
	src/fleet/fleet_comparison.c src/fleet/fleet_comparison.h \
	src/fleet/fleet_list.c \
	src/fleet/fleet_turn.c \
	src/fleet/fleet_watch.c src/fleet/fleet_watch.h
