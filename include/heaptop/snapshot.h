/*
 * snapshot.h - everything known of the target at one instant.
 *
 * The sampler builds a snapshot, the sources fill its sections, and
 * snapshot_seal() makes it immutable. From then on it is only read, may be
 * held by any thread, and lives until the last snapshot_unref(). A section
 * that is not available is NULL. Numbers that may be unknown are readings;
 * rows of tables are plain numbers, because a table exists as a whole or not
 * at all.
 *
 * The objects section is heavy and changes only when a walk ends, so it is
 * counted on its own and shared by the snapshots in between.
 *
 * JSON names (doc/json.md) are the member names here.
 */
#ifndef HEAPTOP_SNAPSHOT_H
#define HEAPTOP_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "heaptop/arenas.h"
#include "heaptop/heaps.h"
#include "heaptop/pins.h"
#include "heaptop/plugins.h"
#include "heaptop/reading.h"

struct arena;

enum target_state {
    TARGET_LIVE = 0,
    TARGET_STOPPED,
    TARGET_ENDED,
};

/* Who is looked at. All texts are clean (utf8.h) and never NULL; "" = unknown. */
struct target_facts {
    pid_t pid;
    int64_t start_wall_ns;
    char command[512];
    char exe[256];
    char user[33];
    char python[24];    /* "3.11.7" */
    char allocator[24]; /* "pymalloc", "malloc", "pymalloc_debug", ...; "" = unknown */
    enum target_state state;
    int64_t ended_wall_ns; /* 0 while it lives */
};

/* How it is read. */
enum agent_state {
    AGENT_NONE = 0,  /* not wanted, not permitted, or not safe: see why */
    AGENT_ATTACHING, /* on its way in, or waiting for the GIL */
    AGENT_LOADED,
    AGENT_LOST, /* was loaded and is gone */
};

enum read_method {
    METHOD_PROCESS_ONLY = 0, /* procfs only */
    METHOD_OUTSIDE,          /* the memory is read from outside */
    METHOD_AGENT,            /* outside reading is impossible; the agent's numbers */
};

struct access_facts {
    enum agent_state agent;
    enum read_method method;
    char why[400]; /* why not more, cause and remedy; "" */
};

/* procfs. Rates are over the time since the previous sample. */
struct process_section {
    struct reading virt_bytes, res_bytes, shr_bytes;
    struct reading anon_bytes, file_bytes, shmem_bytes, swap_bytes;
    struct reading pss_bytes, uss_bytes; /* from smaps_rollup, on a budget */
    struct reading pss_age_ns;           /* how old these two are */
    struct reading peak_res_bytes;
    struct reading cpu_milli_percent; /* of one core: 100000 = a whole core */
    struct reading cpu_ns; /* used since the process began, by all its threads */
    struct reading threads;
    struct reading minor_faults, major_faults; /* since the process began */
    struct reading io_read_bytes, io_write_bytes;
    struct reading uptime_ns;
};

#define SIZE_CLASSES_MAX 64

struct size_class_row {
    uint32_t index;
    uint32_t block_bytes;
    uint64_t pools; /* in use by this class */
    uint64_t blocks_used;
    uint64_t blocks_free; /* in those pools, never-used blocks included */
};

struct pymalloc_section {
    uint64_t arena_bytes_each, pool_bytes_each;
    uint64_t arenas;
    struct reading arenas_peak;      /* narenas_highwater, where it can be found */
    uint64_t arena_bytes;            /* arenas * arena_bytes_each */
    uint64_t pools_used, pools_free; /* free: empty pools and never-carved ones */
    uint64_t pools_untouched;        /* of pools_free, never carved */
    uint64_t blocks_used, blocks_free;
    uint64_t used_bytes;       /* blocks_used by their class's size */
    uint64_t free_block_bytes; /* free blocks in used pools */
    uint64_t free_pool_bytes;
    uint64_t header_bytes;           /* pool headers, tails of pools, arena alignment */
    struct reading allocated_blocks; /* == sys.getallocatedblocks() at rest */
    uint64_t torn_pools;             /* read while changing and not healed */
    size_t n_size_classes;
    struct size_class_row size_classes[SIZE_CLASSES_MAX];
};

#define GENERATIONS_MAX 4

struct generation_row {
    struct reading count, threshold;
    struct reading objects; /* length of its list; unknown when not walked */
    struct reading collections, collected, uncollectable;
};

struct gc_pauses {
    struct reading count, total_ns, last_ns, max_ns, p50_ns, p99_ns;
    struct reading last_wall_ns; /* when the last one ended */
    int last_generation;         /* -1 = unknown */
    bool exact;                  /* from callbacks, not from sampling */
};

struct gc_section {
    struct reading enabled; /* 0 or 1 */
    struct reading frozen;
    struct reading debug; /* gc.get_debug(): flags */
    size_t n_generations;
    struct generation_row generations[GENERATIONS_MAX];
    struct gc_pauses pauses;
};

/* A kind: interned for the whole run, never freed, safe to keep by pointer. */
struct kind {
    uint32_t id;
    const char *name; /* clean; builtins bare, others module.qualname */
};

struct kind_row {
    const struct kind *kind;
    uint64_t count;
    uint64_t size_bytes;   /* as sys.getsizeof would say */
    uint64_t memory_bytes; /* what the allocators gave for the objects and their parts */
    uint64_t tracked;      /* of count, tracked by the garbage collector */
    uint64_t parts_bytes;  /* of memory_bytes: parts (tables, items, buffers) */
    uint64_t malloc_bytes; /* of memory_bytes: outside pymalloc */
    uint64_t immortal;     /* of count: never freed (3.12+) */
};

struct walk_facts {
    /* Static text: "outside", "outside, malloc chunks", "outside, gc lists", "agent". */
    const char *method;
    int64_t began_mono_ns, ended_mono_ns, ended_wall_ns;
    int64_t wall_ns, cpu_ns; /* duration and price */
    uint64_t read_bytes;
    uint64_t pools;               /* in use: looked at, or torn */
    uint64_t arenas, kept_arenas; /* kept: not read again, as no pool's header changed */
    uint64_t kept_heap_bytes;     /* of malloc's heaps: not read again, the same */
    int64_t oldest_mono_ns;       /* when the first of those was read; 0 = none is kept */
    uint64_t torn_pools;          /* re-read and still changing: left out */
    uint64_t healed_pools;        /* read while changing, whole when re-read */
    uint64_t absent_bytes;        /* of heaps and arenas, not in memory: not read */
    uint64_t absent_pools;        /* swapped out in part: left out */
    uint64_t absent_chunks; /* places of malloc's heap, swapped out or not readable, where
                               chunks were left out */
    uint64_t open_links;    /* of the collector's lists: they lead to no object */
    int64_t stopped_ns;     /* how long the target was stopped: 0 from outside */
    bool is_exact;     /* of a sleeping copy of the target, in which nothing changes */
    bool is_cut_short; /* by the limit of what it may cost: the rest is not counted */
    bool tracked_only; /* untracked objects (str, int, ...) are not seen */
    bool complete;
};

struct objects_section {
    uint64_t count, size_bytes, memory_bytes, tracked;
    uint64_t parts_bytes, malloc_bytes, immortal; /* as in the rows */
    uint64_t interned;                            /* strings */
    /* Of pymalloc's blocks; all 0 and without meaning where there is no pymalloc. */
    uint64_t unowned_blocks; /* in use, no objects, and parts of none that is known */
    uint64_t unowned_bytes;
    uint64_t statics_blocks; /* the same, but static data lead to them */
    uint64_t statics_bytes;
    uint64_t freelist_objects; /* entries of free lists: not objects */
    uint64_t freelist_bytes;
    struct walk_facts walk;
    size_t n_kinds;
    const struct kind_row *kinds; /* by memory_bytes, descending */
    struct arena *memory;         /* owns the rows; private */
    int references;               /* private, atomic */
};

#define MALLOC_ARENAS_MAX 128

/* One of malloc's arenas: the main one, or one that threads share. */
struct malloc_arena_row {
    uint64_t address; /* of its state; 0 = the main arena */
    uint64_t heaps, heap_bytes;
    uint64_t used_bytes;   /* chunks in use */
    uint64_t free_bytes;   /* free chunks, without the top */
    uint64_t cached_bytes; /* of tcache and fastbins: free, but not for other sizes */
    uint64_t top_bytes;
    uint64_t trim_bytes;
};

/* What malloc holds. Bytes of address space but trim_bytes, which are in memory. */
struct malloc_section {
    char allocator[16]; /* "glibc", "jemalloc", "tcmalloc", "mimalloc", "musl" */
    struct reading arenas, heaps;           /* unknown with another malloc than glibc's */
    struct reading used_bytes, used_chunks; /* mmapped chunks are not in them */
    struct reading free_bytes;
    struct reading tcache_bytes, fastbin_bytes;
    struct reading top_bytes;
    struct reading mmapped_bytes, mmapped_chunks;
    struct reading trim_bytes; /* what malloc_trim(0) would return now */
    /* From this size on malloc maps chunks by themselves; freeing such a chunk raises it.
     * How much is free in chunks of about this size, or a few of them in a row. */
    struct reading mmap_threshold_bytes, threshold_free_bytes;
    uint64_t lost_bytes; /* where the chain of chunks changed while it was read */
    int64_t ended_mono_ns;
    size_t n_rows;
    const struct malloc_arena_row *rows; /* the main arena first */
    size_t n_heap_rows;                  /* 0: no picture was taken */
    const struct heap_row *heap_rows;    /* by address */
    const uint8_t *heap_cells;
    size_t n_tops;
    const struct heap_top_row *tops; /* of each heap, the uppermost chunk first */
};

/* The parts of RES, in the order in which they are shown. model/account.h names them. */
enum account_part {
    PART_OBJECTS = 0, /* objects and parts in pools of pymalloc, pages of mimalloc */
    PART_FREE_BLOCKS, /* in used pools */
    PART_FREE_POOLS,
    PART_POOL_HEADERS, /* and loss */
    PART_NEVER_CARVED,
    PART_PYTHON_LARGE, /* Python's large memory in malloc */
    PART_NATIVE,       /* other malloc in use */
    PART_MALLOC_FREE,
    PART_MALLOC_TOP, /* and overhead */
    PART_THREAD_STACKS,
    PART_IMAGE_DATA, /* of the interpreter and libraries */
    PART_PRIVATE,    /* other private mappings */
    PART_FILES,      /* shared and file mappings */
    ACCOUNT_PARTS,
};

struct account_bytes {
    uint64_t resident, swapped;
};

/* Mappings of one name, or of one sort. */
struct mapping_row {
    const char *name; /* clean */
    enum account_part part;
    uint64_t mappings, virt_bytes;
    uint64_t res_bytes, swap_bytes;
};

/* Why it is not known what a collection would free. model/account.h has the sentences. */
enum garbage_why {
    GARBAGE_WHY_UNTOLD = 0, /* it is known; or the recording is of an older heaptop */
    GARBAGE_WHY_PUT_OFF,    /* it comes next, after what many objects make dear */
    GARBAGE_WHY_NO_COLLECTOR,
    GARBAGE_WHY_FREE_THREADED,
    GARBAGE_WHY_NO_ARENAS,
    GARBAGE_WHY_OTHER_MALLOC,
    GARBAGE_WHY_COLLECTING,
    GARBAGE_WHY_CHANGED,
    GARBAGE_WHY_NO_MEMORY,
    GARBAGE_WHYS,
};

struct account_section {
    uint64_t res_bytes; /* at the instant at which the pages were looked at */
    struct account_bytes parts[ACCOUNT_PARTS];
    int64_t
        unexplained_bytes; /* res_bytes without the parts; < 0: pages came meanwhile */
    struct reading trim_bytes;         /* as malloc's */
    struct reading collect_trim_bytes; /* after gc.collect; the least, where bounded */
    struct reading collect_trim_most_bytes;
    struct reading restart_bytes; /* what only a restart would return */
    struct reading garbage_objects, garbage_bytes;
    enum garbage_why garbage_why; /* those two are not known */
    int64_t garbage_mono_ns;      /* of the dry run that found it; 0 = none was made */
    int64_t ended_mono_ns, wall_ns, cpu_ns; /* when, and the price */
    size_t n_mappings;
    const struct mapping_row *mappings; /* by res_bytes, descending */
};

struct free_list_row {
    const char *type; /* static text */
    int32_t length;   /* of tuples; -1 = this list holds one size */
    uint64_t count, bytes;
    uint64_t arenas; /* that this list alone keeps */
};

struct free_lists_section {
    uint64_t count, bytes;
    uint64_t arenas; /* in which nothing but entries of free lists is in use */
    int64_t ended_mono_ns;
    size_t n_rows;
    const struct free_list_row *rows;
};

struct cost_facts {
    int64_t cpu_ns;            /* heaptop's own CPU time since it began */
    int64_t sample_ns;         /* wall time of this sample without the walk */
    int64_t target_stopped_ns; /* one thread diverted by the attach, in all */
    /* Of the last walk, and the time from its beginning to the next; 0 = not known. */
    int64_t walk_cpu_ns, walk_period_ns;
    /* For the last sample, by the agent; unknown without one. */
    struct reading gil_held_ns, gil_wait_ns;
};

enum event_type {
    EVENT_NOTE = 0, /* a remark: attach, walk trouble, a source that failed */
    EVENT_ATTACH,
    EVENT_MARK,
    EVENT_COLLECT,
    EVENT_GC,    /* a full collection of the target's own */
    EVENT_STATE, /* stopped, continued, ended, exec */
    EVENT_ERROR,
    EVENT_ACTION, /* of heaptop's, other than a collection */
};

struct event {
    int64_t wall_ns;
    enum event_type type;
    char words[400]; /* clean text, one line */
};

struct snapshot {
    uint64_t seq; /* from 1 */
    int64_t wall_ns, mono_ns;
    int64_t interval_ns; /* between samples, as asked for; the real time is in mono_ns */
    bool is_complete;    /* every section is filled or known to be unavailable */
    struct target_facts target;
    struct access_facts access;
    const struct process_section *process;
    const struct pymalloc_section *pymalloc;
    const struct gc_section *gc;
    const struct objects_section *objects;
    const struct arenas_section *arenas; /* not renewed at each sample when it is large */
    const struct pins_section *pins;     /* of the last time that they were looked for */
    const struct malloc_section *malloc;
    const struct account_section *account;
    const struct free_lists_section *free_lists;
    const struct plugins_section *plugins; /* NULL: none was found */
    struct cost_facts cost;
    size_t n_events; /* since the previous snapshot */
    const struct event *events;
    struct arena *memory;                 /* private */
    int references;                       /* private, atomic */
    const struct snapshot *account_owner; /* private: has the memory of these sections */
};

const struct snapshot *snapshot_ref(const struct snapshot *snapshot);
void snapshot_unref(const struct snapshot *snapshot);
const struct objects_section *objects_ref(const struct objects_section *objects);
void objects_unref(const struct objects_section *objects);

const char *target_state_name(enum target_state state); /* "live" "stopped" "ended" */
const char *agent_state_name(enum agent_state state);   /* "none" "attaching" ... */
const char *read_method_name(enum read_method method);  /* "process-only" ... */
const char *event_type_name(enum event_type type);

#endif
