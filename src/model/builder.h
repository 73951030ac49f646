/*
 * builder.h - how a snapshot comes to be: only the sampler, the sources and the
 * replay use this. Everything is allocated in the snapshot's own arena and dies
 * with it. After snapshot_seal() the builder is gone and all is const.
 */
#ifndef HEAPTOP_MODEL_BUILDER_H
#define HEAPTOP_MODEL_BUILDER_H

#include "heaptop/plugins.h"
#include "heaptop/snapshot.h"

struct snapshot_builder {
    struct snapshot *snapshot; /* under construction; scalar members may be set */
};

/* NULL when out of memory. */
struct snapshot_builder *builder_new(uint64_t seq);
void builder_drop(struct snapshot_builder *builder);

/* Zeroed sections to fill (NULL when out of memory); each may be asked for once. */
struct process_section *builder_process(struct snapshot_builder *builder);
struct pymalloc_section *builder_pymalloc(struct snapshot_builder *builder);
struct gc_section *builder_gc(struct snapshot_builder *builder);
struct malloc_section *builder_malloc(struct snapshot_builder *builder);
struct account_section *builder_account(struct snapshot_builder *builder);
struct free_lists_section *builder_free_lists(struct snapshot_builder *builder);

/* Rows of a section, copied in; NULL when out of memory. */
const void *builder_copy(struct snapshot_builder *builder, const void *rows, size_t count,
                         size_t size);
/* As builder_copy, with clean copies of the names. */
const struct mapping_row *builder_mappings(struct snapshot_builder *builder,
                                           const struct mapping_row *rows, size_t count);

/* Shares the sections that a round of the account gave: malloc, account, free lists.
 * NULL is none. Takes its own reference of the snapshot that has them. */
void builder_share_account(struct snapshot_builder *builder,
                           const struct snapshot *owner);

/* Shares a sealed objects section (takes its own reference). */
void builder_objects(struct snapshot_builder *builder,
                     const struct objects_section *objects);

/* Shares a sealed arenas section; NULL is allowed, and means none. */
void builder_arenas(struct snapshot_builder *builder,
                    const struct arenas_section *arenas);

/* Shares a sealed pins section; NULL is allowed, and means none. */
void builder_pins(struct snapshot_builder *builder, const struct pins_section *pins);

/* Copies what is known of plugins in; takes its own references of their tables. In
 * plugin_table.c, with the end of it. */
void builder_plugins(struct snapshot_builder *builder, const struct plugin_view *views,
                     size_t count);
void plugins_release(const struct plugins_section *section);

/* Copies the events in. */
void builder_events(struct snapshot_builder *builder, const struct event *events,
                    size_t count);

/* Gives the snapshot, with one reference, and frees the builder. */
const struct snapshot *snapshot_seal(struct snapshot_builder *builder);

/*
 * An objects section on its own: rows are copied in, sorted by memory_bytes
 * descending, and the totals are summed. walk and the other_/freelist_ members
 * are copied from `facts`. NULL when out of memory. One reference is given.
 */
const struct objects_section *objects_seal(const struct objects_section *facts,
                                           const struct kind_row *rows, size_t count);
/* The order of its rows, as qsort() takes it. */
int kind_row_compare(const void *left, const void *right);

/* Copies the section with its arenas and cells; one reference is given. NULL when out
 * of memory. In arenas_section.c. */
const struct arenas_section *arenas_seal(const struct arenas_section *facts);
/* The same pools in the same state; when it was taken does not matter. */
bool arenas_are_same(const struct arenas_section *a, const struct arenas_section *b);

#endif
