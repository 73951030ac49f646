/*
 * pins_owners.h - by what the objects that keep arenas are held, one level up.
 *
 * A search for the holders of some objects of each kind: enough to say what holds most
 * of them. Only the kinds in most arenas are looked up. One thread; everything read is
 * hostile.
 */
#ifndef HEAPTOP_SOURCE_PINS_OWNERS_H
#define HEAPTOP_SOURCE_PINS_OWNERS_H

#include "source/holders_search.h"
#include "source/pins_blocks.h"

#define PIN_OWNED_KINDS 32

struct pin_owner {
    const struct kind *kind;
    uint64_t looked_up, references, owner_references;
    char words[PIN_OWNER_MAX]; /* empty: not known */
};

struct pins_owners {
    struct holders_search search;
    struct pin_owner kinds[PIN_OWNED_KINDS];
    size_t n_kinds;
    uint32_t links_left[PIN_OWNED_KINDS];
};

/* Starts the search for what is in `blocks`, of the kinds that come first in the section.
 * Call pins_owners_release() in any case. */
int pins_owners_begin(struct pins_owners *owners, const struct pins_section *section,
                      const struct pins_blocks *blocks,
                      const struct source_context *context, struct err *err);

enum source_result pins_owners_step(struct pins_owners *owners, int64_t deadline_mono_ns,
                                    struct err *err);

/* Puts what was found into words, after the last step. */
void pins_owners_name(struct pins_owners *owners);

/* Ends a search; what was found stays. */
void pins_owners_release(struct pins_owners *owners);

/* Of the same kinds what was found last. */
void pins_owners_fill(const struct pins_owners *owners, struct pin_row *rows,
                      size_t count);

#endif
