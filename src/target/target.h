/*
 * target.h - one CPython process: who it is, and the descriptors kept on it.
 *
 * target_open() has everything that needs privilege opened once (files.h), proves that
 * the process runs CPython by the runtime in its maps - never by its name - and remembers
 * the identity (start time, executable) by which the end, a reused PID or an exec are
 * noticed.
 *
 * Owned by one thread at a time: opened by the main thread, then handed to the
 * sampler.
 */
#ifndef HEAPTOP_TARGET_TARGET_H
#define HEAPTOP_TARGET_TARGET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "heaptop/err.h"
#include "heaptop/snapshot.h"
#include "target/files.h"
#include "target/image.h"
#include "target/maps.h"
#include "target/reader.h"

struct python_version {
    uint8_t major, minor, micro; /* micro 255 = unknown */
};

struct target {
    pid_t pid;
    uint64_t start_ticks; /* field 22 of stat: the identity of the PID */
    uid_t uid;
    struct target_fds fds;
    struct target_facts facts; /* what snapshots carry: command, exe, user, ... */
    struct python_version version;
    bool is_free_threaded;
    struct image python;    /* the image that holds the runtime */
    struct raddr runtime;   /* &_PyRuntime */
    struct raddr type_type; /* &PyType_Type */
    struct reader *reader;  /* NULL when memory may not be read; see access_why */
    struct err access_why;  /* why memory cannot be read, with the remedy */
    struct maps maps;       /* refreshed by target_refresh_maps() */
    bool has_executed;      /* it ended for us: it runs another program now */
};

/*
 * Opens and identifies. Errors, each a sentence with its remedy: no such
 * process (ERR_GONE), zombie (ERR_GONE), not CPython / PyPy / Python 2 / too
 * old / 32-bit (ERR_UNSUPPORTED), no permission even for /proc files
 * (ERR_DENIED). When only the memory cannot be read, the target opens with
 * reader == NULL and access_why set, provided that the maps show CPython.
 */
int target_open(pid_t pid, struct target **target, struct err *err);
void target_close(struct target *target);

int target_refresh_maps(struct target *target, struct err *err);

/* The same for one who reads images and stacks only, and has no time to ask again whether
 * the target shares pages (shared_pages.h). */
int target_reread_maps(struct target *target, struct err *err);

/* Live, stopped (T or t), or ended (gone, zombie, PID reused, exec). Cheap. */
enum target_state target_state(struct target *target);
/* False: it has ended or executed another program. Cheaper still, for who has stopped it:
 * no text is asked of the kernel. */
bool target_has_its_memory(const struct target *target);

/* What became of a target that has ended, as a sentence: it ended, or it executed
 * another program, which can be opened as a target of its own. ERR_GONE. */
void target_gone(const struct target *target, struct err *err);

#endif
