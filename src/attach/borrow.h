/*
 * borrow.h - stop one thread at a safe point, let it start the agent's thread,
 * give it back exactly as it was. No other thread is ever stopped.
 *
 * Injector child only. Whenever this process dies in here, the stub gives the
 * thread back by itself.
 */
#ifndef HEAPTOP_ATTACH_BORROW_H
#define HEAPTOP_ATTACH_BORROW_H

#include "attach/scene.h"

struct borrowed {
    uint64_t region;     /* mapped by the stub; the new thread waits in it */
    int64_t diverted_ns; /* from the interrupt to the restart */
    uint32_t stops;
    uint32_t refusals; /* in a row, to be allowed to stop a thread */
    bool no_room;      /* the target is at a limit, whatever the way in */
    bool must_end;     /* a thread will stop as soon as it can: end the injector now */
    bool left_alone;   /* the thread had to restore itself: do not touch the cave */
};

/* 0, or -1 with a sentence; the thread runs on as before in both cases. */
int borrow_thread(struct scene *scene, struct borrowed *borrowed, struct err *err);

#endif
