/*
 * publisher.h - gives the newest sample's metrics to others: to a file that a collector
 * reads (--textfile), or to whom asks at a socket (--listen).
 *
 * Each publisher is a process of its own, forked before the guard begins. The one that
 * writes a file keeps the rights of who started heaptop, and gets text that it does not
 * look into. The one that serves opens its socket, gives its rights up, and knows
 * nothing but this text; it has no way to ask for a sample or a walk. The text goes
 * through shared memory, one sample at a time: a reader that is slow is given the newest
 * one later, and never keeps heaptop waiting.
 *
 * All functions here are called by the main thread of heaptop. Trouble of a publisher
 * ends nothing; it is told by publisher_trouble() once, and by publisher_stop().
 */
#ifndef HEAPTOP_PUBLISH_PUBLISHER_H
#define HEAPTOP_PUBLISH_PUBLISHER_H

#include <stdbool.h>

#include "heaptop/err.h"
#include "heaptop/sink.h"
#include "model/fleet.h"

struct publisher;

/* A file, which is replaced at each sample. Tries to write beside it. */
int publisher_start_file(const char *path, struct publisher **publisher, struct err *err);
/* A socket: see address.h. */
int publisher_start_server(const char *address, bool may_be_remote,
                           struct publisher **publisher, struct err *err);

/* What it publishes; once, before the first sample. */
int publisher_open(struct publisher *publisher, const struct sink_options *options,
                   struct err *err);
void publisher_add(struct publisher *publisher, const struct snapshot *snapshot,
                   const struct history *history);
/* The same of a tree of processes. */
void publisher_add_fleet(struct publisher *publisher, const struct fleet_sample *sample);
/* A sentence on what began to fail since the last call, or NULL. */
const char *publisher_trouble(struct publisher *publisher);

/* Publishes what is left and ends the process; -1 when the last sample did not get out.
 * NULL is allowed. */
int publisher_stop(struct publisher *publisher, struct err *err);

#endif
