/*
 * traces.h - the table of traces that tracemalloc keeps in the target, found and read
 * from outside: the target is not stopped, runs no code for it, and holds no lock.
 *
 * The table is found by what it is. Among the pointers in the data of Python's image one
 * points to a hash table whose values are traces with a file and a line; a sample of its
 * entries is looked at before it is believed.
 */
#ifndef HEAPTOP_TRACEMALLOC_TRACES_H
#define HEAPTOP_TRACEMALLOC_TRACES_H

#include <stdbool.h>

#include "heaptop/plugin.h"

struct traces {
    uint64_t slot;       /* where the pointer to the table stands; 0: not found */
    bool is_of_3_8;      /* its entries hold key and value themselves */
    bool has_bare_names; /* files are texts, not objects of Python (3.15) */
    uint64_t entries;    /* that it says it has */
};

/* A block of memory that was traced: how large, and where it was asked for. */
typedef void traces_visit(void *context, uint64_t bytes, uint64_t file, uint32_t line);

/* Looks for the table. False when there is none that has entries. */
bool traces_find(const struct heaptop_host *host, struct traces *traces);
/* Is the table that was found still there? Reads how many entries it has. */
bool traces_look(struct traces *traces);
/* Visits the traces until the time (monotonic) is over: how many. */
uint64_t traces_visit_all(const struct traces *traces, int64_t until_ns,
                          traces_visit *visit, void *context);
/* The name of a file; false when it cannot be read. */
bool traces_file(const struct traces *traces, uint64_t file, char *name, size_t size);

int64_t traces_now_ns(void);

#endif
