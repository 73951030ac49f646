/*
 * born.h - which objects were not there at a mark, and how sure that is.
 *
 * An object was not there when nothing was in its place, or something of another kind:
 * that is certain, for objects do not move. Where an object of the same kind was, the
 * evidence decides whether it is still the same one; what cannot be known is inferred,
 * and counted apart. Pure.
 */
#ifndef HEAPTOP_MODEL_BORN_H
#define HEAPTOP_MODEL_BORN_H

#include "model/inquiry.h"
#include "model/object_set.h"

#define INQUIRY_REMEMBER "remember" /* at a mark: answered by struct remembered */
#define INQUIRY_BORN     "born"     /* since a mark: answered by struct born */

#define OBJECT_SETS_KEPT   4
#define BORN_ADDRESSES_MAX (UINT32_C(1) << 20)

enum birth {
    BIRTH_OLD = 0,      /* it was there: certain */
    BIRTH_OLD_INFERRED, /* an object of the kind was there, and nothing speaks for two */
    BIRTH_NEW_INFERRED, /* an object of the kind was there, and seems to be another */
    BIRTH_NEW,          /* certain */
};

/* What is known of an object now, besides its trace. */
struct birth_evidence {
    bool is_immutable; /* content never changes */
    bool has_content;
    bool is_tracked;
    bool are_positions_known; /* of the collector's lists, then and now */
    bool is_recent;           /* came into the oldest generation since, or is younger */
    bool may_return;          /* the collector may track it anew: dict, tuple */
};

/* `then` is what was in its place; NULL: nothing. */
enum birth birth_judge(const struct object_trace *then, const struct object_trace *now,
                       const struct birth_evidence *evidence);

/* ---- at the mark ---- */

/* What is kept of a mark by the sampler's thread. */
struct remembered_set {
    uint32_t mark; /* 0 = none */
    struct object_set objects;
    uint64_t last_old;        /* the GC head that was the last of the oldest generation */
    int64_t full_collections; /* -1: not known */
    bool are_generations_known; /* is_old in the traces is true */
};

struct object_sets {
    struct remembered_set sets[OBJECT_SETS_KEPT];
    size_t next; /* the oldest: it goes first */
};

struct remembered_set *object_sets_find(struct object_sets *sets, uint32_t mark);
/* A new one in place of the oldest. */
struct remembered_set *object_sets_add(struct object_sets *sets, uint32_t mark);
void object_sets_release(struct object_sets *sets);

struct remembered {
    struct answer answer; /* first */
    uint64_t count, bytes;
    bool is_full;
};

/* ---- since the mark ---- */

struct born_row {
    const struct kind *kind;
    uint64_t born, born_inferred; /* all, and those of all that are inferred */
    uint64_t born_bytes;          /* their blocks */
    uint64_t kept, kept_inferred; /* likewise: were there */
    uint64_t gone;                /* were there, and are not any more */
};

struct born_object {
    uint64_t address;
    uint32_t kind; /* its id */
    bool is_inferred;
};

struct born {
    struct answer answer; /* first */
    int64_t marked_wall_ns;
    uint64_t then, now; /* objects */
    struct born_row sum;
    struct born_row *rows; /* by born, descending */
    size_t n_rows;
    struct born_object *objects; /* at most BORN_ADDRESSES_MAX */
    size_t n_objects, objects_capacity;
};

struct born *born_new(void);
void born_add(struct born *born, const struct kind *kind, uint64_t address,
              uint64_t bytes, enum birth birth);
/* The rest of the sums; sorts. */
void born_end(struct born *born, const struct object_set *then);

#endif
