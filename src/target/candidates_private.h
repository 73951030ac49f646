/* candidates_private.h - shared by the candidates*.c files only. */
#ifndef HEAPTOP_TARGET_CANDIDATES_PRIVATE_H
#define HEAPTOP_TARGET_CANDIDATES_PRIVATE_H

#include "target/candidates.h"
#include "target/files.h"

/* One process of the machine, as listed. */
struct listed {
    pid_t pid, parent;
    uint64_t start_ticks;
    uint64_t virt_kib;
    char state;
    char comm[64]; /* raw */
};

/* What is remembered of a process between two listings. */
struct known {
    pid_t pid;
    uint64_t start_ticks;
    uint64_t virt_kib; /* when it was identified */
    char comm[64];
    bool is_python;
    bool is_by_name; /* cannot be looked into; its name alone speaks for Python */
    char exe[128];   /* of a Python: notices an exec */
    char python[16], allocator[24];
    int64_t cpu_ns, cpu_mono_ns; /* at the previous listing; cpu_ns -1 = none */
    struct reading cpu_milli_percent;
};

/* Who may read it: the helper is asked at most once a listing. */
struct look {
    bool is_known;
    struct target_look answer;
};

/* Finds out what the process is; fills is_python, is_by_name, python, allocator. */
void candidate_identify(const struct listed *listed, struct known *known);

/* Must it be identified again? */
bool candidate_has_changed(const struct listed *listed, const struct known *known,
                           struct look *look);

/* Fills everything but parent and depth. False when the process has ended. */
bool candidate_fill(const struct listed *listed, struct known *known, struct look *look,
                    struct candidate *row);

/* Sets parent and depth, and puts the rows in the order of the tree. `listed` are
 * all processes, sorted by PID; rows come sorted by PID. */
void candidates_order(struct candidates *list, const struct listed *listed, size_t count);

#endif
