/*
 * fixture.h - targets that do not exist, for tests of what is drawn: a plausible
 * service and the odd ones. Times are fixed, so the screens are always the same.
 */
#ifndef HEAPTOP_TESTS_FIXTURE_H
#define HEAPTOP_TESTS_FIXTURE_H

#include "model/history.h"
#include "model/inquiry.h"
#include "model/inspection.h"

enum fixture {
    FIXTURE_SERVICE = 0, /* six minutes of a growing service */
    FIXTURE_HOSTILE,     /* names: CJK, combining, controls, very long, empty */
    FIXTURE_UNKNOWN,     /* every reading unknown, sections there */
    FIXTURE_ENDED,       /* the service after its end */
    FIXTURE_TORN,        /* a partial walk that met changing pools */
    FIXTURE_NO_AGENT,    /* no agent, with the reason */
    FIXTURE_NO_PYMALLOC, /* procfs only */
    FIXTURE_PLUGINS,     /* the service, and plugins that are used */
    FIXTURE_EMPTY,       /* no sample yet */
};

/* A close look at any arena: one made-up pool of each sort. The caller owns it. */
struct inspection *fixture_inspection(uint64_t arena);

/* A made-up answer; NULL: there is none of this topic. The caller owns it. */
struct answer *fixture_answer(const struct inquiry *inquiry);

/* Gives a history with its samples; history_free() ends it. */
struct history *fixture_history(enum fixture fixture);

/* fixture_plugins.c: for a snapshot under construction. */
struct snapshot_builder;
void fixture_plugins(struct snapshot_builder *builder, int64_t mono_ns);

#endif
