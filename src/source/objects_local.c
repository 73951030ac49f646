#include "source/objects_walk.h"

/*
 * Most parts, and dicts of instances, lie in the arena of their owner: they are charged
 * as soon as it is scanned, while its notes are at hand and nobody else's. What the
 * fields of C that were learned lead to waits until all that is known has been charged.
 */

static void local_part(struct walk_worker *worker, uint32_t owner,
                       const struct noted_block *block)
{
    uint64_t *word = block->arena->words + block->pool->first_word + block->index / 64;
    uint64_t bit = UINT64_C(1) << block->index % 64;
    struct tally *tally;

    if (!(*word & bit))
        return;
    *word &= ~bit;
    tally = tally_at(worker, owner);
    tally->memory_bytes += block->pool->block_bytes;
    tally->parts_bytes += block->pool->block_bytes;
}

static void local_dict(struct walk_worker *worker, uint32_t owner,
                       const struct noted_block *block)
{
    uint64_t at = noted_dict(block), *record;

    if (at >= worker->edges.dicts.count)
        return;
    record = word_list_at(&worker->edges.dicts, at);
    if (edge_owner(*record))
        return;
    *record = edge_with_owner(*record, owner);
    walk_dict_take(worker, worker->plain_dict, owner, *record, block->pool->block_bytes,
                   false);
}

/* Keys or values of a dict, whoever will turn out to have that. */
static void local_table(struct walk_worker *worker, uint64_t *record, uint64_t first_pool)
{
    const struct walk *walk = worker->walk;
    uint32_t flags = edge_flags(*record), bytes;
    struct noted_block block;

    if (!edge_address(*record) ||
        !arena_note_find(&worker->pad->note, walk->notes.pool_shift,
                         edge_address(*record) - first_pool, &block))
        return;
    bytes = block.pool->block_bytes;
    if (!noted_is_part(&block) ||
        (!(flags & RECORD_IS_SPLIT) && !walk->keys_of_class[bytes / 16 - 1]))
        return;
    noted_claim(&block);
    *record = edge_pack(bytes, edge_owner(*record), flags | RECORD_IS_CLAIMED);
}

void walk_owners_local(struct walk_worker *worker, uint64_t first_pool, size_t first_dict)
{
    const struct word_list *local = &worker->edges.local, *dicts = &worker->edges.dicts;
    uint32_t pool_shift = worker->walk->notes.pool_shift;
    struct noted_block block;

    for (size_t i = first_dict; i < dicts->count; i++)
        local_table(worker, word_list_at(dicts, i), first_pool);
    for (size_t i = 0; i < local->count; i++) {
        uint64_t edge = *word_list_at(local, i);

        if (!arena_note_find(&worker->pad->note, pool_shift,
                             edge_address(edge) - first_pool, &block))
            continue;
        if (edge_flags(edge) == EDGE_PART)
            local_part(worker, edge_owner(edge), &block);
        else
            local_dict(worker, edge_owner(edge), &block);
    }
    worker->edges.local.count = 0;
}
