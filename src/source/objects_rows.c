#include "source/objects_walk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/builder.h"
#include "model/kind.h"
#include "util/clock.h"

/*
 * What was counted by type becomes a row for each kind. The dicts of a type's instances
 * are a kind of their own, in heapy's words; two types of the same name share a row.
 */
static const char dict_of[] = "dict of ";
static const char dict_no_owner[] = "dict (no owner)";

const struct kind *walk_dict_kind(struct type_entry *entry)
{
    char name[KIND_NAME_BYTES + sizeof(dict_of)];
    int length;

    if (!entry->dict_kind) {
        length = snprintf(name, sizeof(name), "%s%s", dict_of, entry->kind->name);
        entry->dict_kind = kind_intern(name, (size_t)length);
    }
    return entry->dict_kind;
}

static struct kind_row row_of_instances(const struct type_entry *entry,
                                        const struct tally *tally)
{
    struct kind_row row = {
        .kind = entry->is_plain_dict
                    ? kind_intern(dict_no_owner, sizeof(dict_no_owner) - 1)
                    : entry->kind,
        .count = tally->count,
        .size_bytes = tally->size_bytes,
        .memory_bytes = tally->memory_bytes,
        .tracked = tally->tracked,
        .parts_bytes = tally->parts_bytes,
        .malloc_bytes = tally->malloc_bytes,
        .immortal = tally->immortal,
    };

    return row;
}

static struct kind_row row_of_dicts(struct type_entry *entry, const struct tally *tally)
{
    struct kind_row row = {
        .kind = walk_dict_kind(entry),
        .count = tally->dict_count,
        .size_bytes = tally->dict_size_bytes,
        .memory_bytes = tally->dict_memory_bytes,
        .tracked = tally->dict_tracked,
        .parts_bytes = tally->dict_parts_bytes,
        .malloc_bytes = tally->dict_malloc_bytes,
    };

    return row;
}

static int row_compare_kind(const void *left, const void *right)
{
    const struct kind_row *a = left, *b = right;

    return (a->kind->id > b->kind->id) - (a->kind->id < b->kind->id);
}

static void row_add(struct kind_row *to, const struct kind_row *from)
{
    to->count += from->count;
    to->size_bytes += from->size_bytes;
    to->memory_bytes += from->memory_bytes;
    to->tracked += from->tracked;
    to->parts_bytes += from->parts_bytes;
    to->malloc_bytes += from->malloc_bytes;
    to->immortal += from->immortal;
}

/* `rows` has room for two of each type. */
static size_t walk_rows(struct walk *walk, struct kind_row *rows)
{
    struct walk_worker *worker = &walk->workers[0];
    size_t count = 0, kept = 0;

    for (size_t i = 0; i < walk->types.n_entries; i++) {
        struct type_entry *entry = walk->types.entries[i];
        const struct tally *tally = tally_of(worker, entry);

        if (tally->count || tally->memory_bytes)
            rows[count++] = row_of_instances(entry, tally);
        if (tally->dict_count)
            rows[count++] = row_of_dicts(entry, tally);
    }
    qsort(rows, count, sizeof(*rows), row_compare_kind);
    for (size_t i = 0; i < count; i++) {
        if (kept && rows[kept - 1].kind == rows[i].kind)
            row_add(&rows[kept - 1], &rows[i]);
        else
            rows[kept++] = rows[i];
    }
    return kept;
}

void walk_end_facts(struct walk *walk)
{
    const struct walk_counts *counts = &walk->workers[0].counts;
    struct walk_facts *facts = &walk->facts;

    facts->ended_mono_ns = clock_monotonic_ns();
    facts->ended_wall_ns = clock_wall_ns();
    facts->wall_ns = facts->ended_mono_ns - facts->began_mono_ns;
    facts->read_bytes = walk->reader->read_bytes - walk->read_bytes_before;
    facts->pools = counts->used_pools + counts->torn_pools;
    facts->arenas = walk->table.count;
    facts->kept_arenas = walk->kept.n_kept;
    facts->kept_heap_bytes = walk->stretches.kept_bytes;
    facts->oldest_mono_ns =
        facts->kept_arenas || facts->kept_heap_bytes ? walk->kept.oldest_mono_ns : 0;
    facts->torn_pools = counts->torn_pools;
    facts->healed_pools = counts->healed_pools;
    facts->absent_bytes = counts->absent_bytes;
    facts->absent_pools = counts->absent_pools;
    facts->absent_chunks = counts->absent_chunks;
    facts->open_links = walk->method == WALK_BY_LISTS ? walk->open_links : 0;
    facts->tracked_only = walk->method == WALK_BY_LISTS && !walk->follow.is_wanted;
    facts->complete = walk->method != WALK_BY_LISTS && !counts->is_cut &&
                      !counts->absent_pools && !counts->absent_chunks &&
                      !walk->follow.seen.is_full && !walk->large.is_full &&
                      !walk->types.is_full && !walk->workers[0].edges.is_full;
}

static uint64_t walk_interned(struct walk *walk)
{
    uint64_t count = 0;

    for (size_t i = 0; i < walk->types.n_entries; i++)
        count += tally_of(&walk->workers[0], walk->types.entries[i])->interned;
    return count;
}

const struct objects_section *walk_section(struct walk *walk)
{
    const struct walk_counts *counts = &walk->workers[0].counts;
    struct kind_row *rows = calloc(walk->types.n_entries * 2 + 1, sizeof(*rows));
    const struct objects_section *section = NULL;
    struct objects_section facts;

    memset(&facts, 0, sizeof(facts));
    walk_end_facts(walk);
    facts.walk = walk->facts;
    facts.unowned_blocks = walk->unowned_blocks;
    facts.unowned_bytes = walk->unowned_bytes;
    facts.statics_blocks = walk->rest.statics_blocks;
    facts.statics_bytes = walk->rest.statics_bytes;
    facts.freelist_objects = counts->freelist_objects;
    facts.freelist_bytes = counts->freelist_bytes;
    facts.interned = walk_interned(walk);
    if (rows)
        section = objects_seal(&facts, rows, walk_rows(walk, rows));
    free(rows);
    return section;
}
