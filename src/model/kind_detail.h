/*
 * kind_detail.h - what the objects of one kind are like: the answer to INQUIRY_KIND.
 *
 * Counted by passes of its own (source/inquiry_kind.c), so that its totals are those of
 * their instant and not those of the last walk. Made by the sampler's thread,
 * then owned by whoever took the message; nothing is shared. Adding is pure.
 */
#ifndef HEAPTOP_MODEL_KIND_DETAIL_H
#define HEAPTOP_MODEL_KIND_DETAIL_H

#include <stddef.h>
#include <stdint.h>

#include "heaptop/units.h"
#include "model/inquiry.h"
#include "util/strbuf.h"

#define INQUIRY_KIND "kind"

#define DETAIL_SIZES       64 /* size classes to 512 bytes, then each twice the last */
#define DETAIL_REFCOUNTS   10
#define DETAIL_GENERATIONS 3
#define DETAIL_INSTANCES   16
#define DETAIL_VALUE       64 /* bytes of a value's preview */

/* Objects up to so many bytes (and more than the row before has). */
struct detail_size {
    uint64_t count, size_bytes, memory_bytes;
};

struct detail_instance {
    uint64_t address;
    uint64_t size_bytes, memory_bytes;
    uint32_t refcount;
    bool is_immortal;
    char value[DETAIL_VALUE]; /* clean; "" = not shown, or none */
};

/* Where the attributes of a class's instances are. */
enum detail_storage {
    STORAGE_OTHER = 0, /* not a class made in Python */
    STORAGE_SLOTS,     /* no instance can have a dict */
    STORAGE_DICT,      /* each has a dict, once it has an attribute */
    STORAGE_VALUES,    /* 3.11, 3.12: values in a block of their own */
    STORAGE_INLINE,    /* 3.13+: values in the object's block */
};

struct detail_class {
    enum detail_storage storage;
    bool has_slots;             /* and a dict in spite of them: a base lacks __slots__ */
    uint64_t attributes;        /* that instances have, by name: the most that was seen */
    uint64_t dicts;             /* of the instances that have a dict */
    uint64_t dict_bytes;        /* memory of those dicts */
    uint64_t slotted_bytes;     /* of one instance, if the class had __slots__ */
    struct reading saves_bytes; /* by __slots__, all instances; unknown: cannot be */
};

struct kind_detail {
    struct answer answer;
    uint64_t count, size_bytes, memory_bytes, tracked, in_malloc, immortal;
    struct detail_size sizes[DETAIL_SIZES];
    uint64_t refcounts[DETAIL_REFCOUNTS];
    struct reading generations[DETAIL_GENERATIONS]; /* of the tracked ones */
    struct reading frozen;
    size_t n_instances;
    struct detail_instance instances[DETAIL_INSTANCES]; /* the largest, most first */
    struct detail_class class;
};

/* The answer as what it is; NULL when it is about something else. */
const struct kind_detail *kind_detail_of(const struct answer *answer);

/* Counts one object; its value is not touched. */
void kind_detail_add(struct kind_detail *detail, const struct detail_instance *instance);

/* Row of the sizes: the most bytes that an object of it has. */
uint64_t detail_size_most(size_t row);
/* Row of the refcounts: from .. to; to 0 = without end. */
void detail_refcounts_of(size_t row, uint32_t *from, uint32_t *to);
/* "slots", "dict", "values", "inline values", ""; static text. */
const char *detail_storage_name(enum detail_storage storage);

/* "4-7", "65,536 or more". */
char *detail_refcount_words(char words[UNITS_MAX], size_t row);
/* How many the collector tracks: "12: gen0 2, gen1 0, gen2 10". */
void detail_tracked_words(const struct kind_detail *detail, struct strbuf *words);
/* Where the attributes are; false: it is no class made in Python. */
bool detail_class_words(const struct kind_detail *detail, struct strbuf *words);
/* What __slots__ would save; false: that is not known, or nothing. */
bool detail_slots_words(const struct kind_detail *detail, struct strbuf *words);

#endif
