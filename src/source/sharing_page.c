#include "source/sharing_page.h"

#include <string.h>

#include "util/bytes.h"

#define OBJECT_ALIGNMENT 16

/* The object at the offset, if there is one in both copies; NULL. */
static const struct type_entry *object_at(struct types *types,
                                          const struct page_pair *pair, size_t offset)
{
    const struct object_layout *layout = types->layout;
    uint64_t type, count, parent_count;

    if (offset + GC_HEAD_BYTES > pair->length)
        return NULL;
    type = u64_at(pair->worker, offset + layout->ob_type);
    count = u64_at(pair->worker, offset + layout->ob_refcnt);
    parent_count = u64_at(pair->parent, offset + layout->ob_refcnt);
    if (type != u64_at(pair->parent, offset + layout->ob_type) ||
        (count | parent_count) & layout->refcnt_never || !(uint32_t)count ||
        !(uint32_t)parent_count)
        return NULL;
    return types_get(types, type);
}

static bool is_head_at(struct types *types, const struct page_pair *pair, size_t offset)
{
    const struct type_entry *type = object_at(types, pair, offset + GC_HEAD_BYTES);

    return type && type->shape.has_gc_head;
}

/* `offset` is that of 16 bytes, of which the first or the second word differs. */
static enum page_difference compare_words(struct types *types,
                                          const struct page_pair *pair, size_t offset)
{
    bool is_same_second =
        u64_at(pair->worker, offset + 8) == u64_at(pair->parent, offset + 8);

    if (is_same_second && object_at(types, pair, offset))
        return PAGE_REFCOUNTS;
    return is_head_at(types, pair, offset) ? PAGE_HEADS : PAGE_DATA;
}

enum page_difference page_compare(struct types *types, const struct page_pair *pair)
{
    enum page_difference worst = PAGE_SAME;

    if (!memcmp(pair->worker, pair->parent, PAGEMAP_PAGE_BYTES))
        return PAGE_SAME;
    for (size_t at = 0; at < PAGEMAP_PAGE_BYTES && worst < PAGE_DATA;
         at += OBJECT_ALIGNMENT) {
        enum page_difference found;

        if (!memcmp(pair->worker + at, pair->parent + at, OBJECT_ALIGNMENT))
            continue;
        found = compare_words(types, pair, at);
        worst = found > worst ? found : worst;
    }
    return worst;
}

static bool is_link(uint64_t word)
{
    word &= GC_LINK_MASK;
    return word >= PAGEMAP_PAGE_BYTES && word < RADDR_END && !(word & 7);
}

bool page_has_heads(struct types *types, const struct page_pair *pair)
{
    struct page_pair parents = {pair->parent, pair->parent, pair->length};

    for (size_t at = 0; at < PAGEMAP_PAGE_BYTES; at += OBJECT_ALIGNMENT)
        if (is_link(u64_at(pair->parent, at)) && is_link(u64_at(pair->parent, at + 8)) &&
            is_head_at(types, &parents, at))
            return true;
    return false;
}
