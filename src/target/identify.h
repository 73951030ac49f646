/*
 * identify.h - does this memory hold a CPython that heaptop knows?
 *
 * Decided by what is mapped: an ELF object that is really loaded and exports
 * CPython's runtime, whose type of types is its own type. Names of files and
 * processes only decide which object is looked at first.
 */
#ifndef HEAPTOP_TARGET_IDENTIFY_H
#define HEAPTOP_TARGET_IDENTIFY_H

#include <stdbool.h>

#include "heaptop/err.h"
#include "target/image.h"
#include "target/maps.h"
#include "target/reader.h"
#include "target/target.h"

struct identity {
    struct image python;
    struct raddr runtime, type_type;
    struct python_version version;
    bool is_free_threaded;
    bool is_ready; /* its types are set up: Python has started */
    char text[24]; /* "3.11.7", "3.14.0rc2", "3.13.1t"; "3.9" when micro is unknown */
};

/*
 * `who` begins the sentences: "process 42 (name)". `has_memory` is false when the
 * reader sees only the files that are mapped; then the runtime's data is not
 * checked. The identity is filled as far as it is known even on -1 (a Python
 * that is too old has its version).
 */
int identify(struct reader *reader, const struct maps *maps, bool has_memory,
             const char *who, struct identity *identity, struct err *err);

/* Finds the version of the runtime in identity->python; identify() uses it. */
void identify_version(struct reader *reader, struct identity *identity);

/* A reader of the files that are mapped into a process, for when its memory may
 * not be read. Borrows maps; `proc_dir` is a descriptor of /proc/PID, borrowed. */
struct reader *reader_files_new(const struct maps *maps, int proc_dir);

#endif
