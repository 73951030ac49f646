/*
 * fleet_comparison.h - a member's pages compared with its parent's, in a thread of its
 * own, which opens both anew. Main thread.
 */
#ifndef HEAPTOP_FLEET_FLEET_COMPARISON_H
#define HEAPTOP_FLEET_FLEET_COMPARISON_H

#include "fleet/fleet_private.h"
#include "model/sharing.h"

int comparison_begin(const struct member *worker, const struct member *parent,
                     struct comparison_turn **comparison, struct err *err);

/* Readable when it is over. */
int comparison_fd(const struct comparison_turn *comparison);

/* False: it still runs. Else it is freed; what it found, or `err` says why nothing. Takes
 * one that has not ended after 30 s for stuck: its thread is left alone. */
bool comparison_take(struct comparison_turn *comparison, struct sharing *sharing,
                     struct err *err);

/* Ends it, whatever it does; NULL is none. */
void comparison_give_up(struct comparison_turn *comparison);

#endif
