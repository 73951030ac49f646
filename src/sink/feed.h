/*
 * feed.h - samples as texts, for who is handed them (plugins that are sinks): each is
 * what sink_json writes. Main thread.
 */
#ifndef HEAPTOP_SINK_FEED_H
#define HEAPTOP_SINK_FEED_H

#include "heaptop/sink.h"

struct feed {
    void *state; /* of sink_json; NULL until it is needed */
};

/* The sample as a malloc()ed text without the end of the line. NULL: no plugin of this
 * sample wants it, or it cannot be made. */
char *feed_text(struct feed *feed, const struct snapshot *snapshot,
                const struct history *history);
void feed_release(struct feed *feed);

#endif
