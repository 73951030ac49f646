/*
 * beside.h - the processes that stand beside a run without a screen and are handed each
 * sample: the recorder (--write), and those that publish metrics (--textfile,
 * --listen).
 *
 * They are started before the guard begins, because they keep what the guard gives up,
 * and opened when the target is known. Main thread only.
 */
#ifndef HEAPTOP_BATCH_BESIDE_H
#define HEAPTOP_BATCH_BESIDE_H

#include "args.h"
#include "publish/publisher.h"
#include "recording/recorder.h"

#define PUBLISHERS_MAX 2

struct beside {
    struct recorder *recorder; /* NULL: nothing is recorded */
    struct publisher *publishers[PUBLISHERS_MAX];
    size_t n_publishers;
};

/* Is there anything to be handed samples? Then the run goes on until it is ended, and
 * prints only when asked to. */
bool beside_is_wanted(const struct args *args);

int beside_start(struct beside *beside, const struct args *args, struct err *err);
int beside_open(struct beside *beside, const struct args *args,
                const struct sink_options *options, struct err *err);
void beside_add(struct beside *beside, const struct snapshot *snapshot,
                const struct history *history);
/* Of a tree of processes. */
void beside_add_fleet(struct beside *beside, const struct fleet_sample *sample);
/* Ends all; -1 when something did not get out, with the first error. */
int beside_stop(struct beside *beside, struct err *err);

#endif
