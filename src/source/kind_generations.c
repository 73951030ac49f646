#include "source/kind_generations.h"

#include "util/bytes.h"

#define LIST_MAX     200000 /* objects followed of one list */
#define ATTEMPTS_MAX 6
#define NODE_BYTES   (GC_HEAD_BYTES + 16) /* with refcount and type */

enum list_result {
    LIST_CLOSED,
    LIST_CHANGED,
    LIST_TOO_LONG,
};

struct list {
    struct walk *walk;
    generations_is_one *is_one;
    void *with;
};

static enum list_result list_count(const struct list *list, uint64_t head, int64_t *count)
{
    struct reader *reader = list->walk->reader;
    uint8_t node[NODE_BYTES];
    uint64_t previous = head, at;

    *count = 0;
    if (!reader_u64(reader, raddr_of(head), &at))
        return LIST_CHANGED;
    at &= GC_LINK_MASK;
    for (uint64_t length = 0; at != head; length++) {
        const struct type_entry *entry;

        if (length == LIST_MAX)
            return LIST_TOO_LONG;
        if (!raddr_may_hold_word(at) ||
            reader_read(reader, raddr_of(at), node, sizeof(node)) ||
            (u64_at(node, 8) & GC_LINK_MASK) != previous)
            return LIST_CHANGED;
        entry = types_get(&list->walk->types, u64_at(node, GC_HEAD_BYTES + 8));
        *count += entry && list->is_one(list->with, entry, at + GC_HEAD_BYTES);
        previous = at;
        at = u64_at(node, 0) & GC_LINK_MASK;
    }
    return LIST_CLOSED;
}

static struct reading list_try(const struct list *list, uint64_t head)
{
    enum list_result result = LIST_CHANGED;
    int64_t count = 0;

    for (int i = 0; i < ATTEMPTS_MAX && result == LIST_CHANGED; i++)
        result = list_count(list, head, &count);
    return result == LIST_CLOSED ? reading_exact(count) : reading_unknown();
}

/* The one that is not known is the rest. */
static void fill_rest(struct kind_detail *detail)
{
    int64_t rest = (int64_t)detail->tracked - detail->frozen.value;
    struct reading *missing = NULL;

    for (int i = 0; i < DETAIL_GENERATIONS; i++) {
        struct reading *generation = &detail->generations[i];

        if (reading_is_known(*generation))
            rest -= generation->value;
        else if (missing)
            return;
        else
            missing = generation;
    }
    if (missing && rest >= 0)
        *missing = (struct reading){rest, READING_ESTIMATE};
}

void kind_generations(struct walk *walk, generations_is_one *is_one, void *with,
                      struct kind_detail *detail)
{
    const struct layout_gc *gc = &walk->layout.gc;
    const struct list list = {walk, is_one, with};

    for (int i = 0; i < DETAIL_GENERATIONS; i++)
        detail->generations[i] = reading_unknown();
    detail->frozen = reading_unknown();
    if (!walk->layout.has_gc)
        return;
    for (int i = 0; i < DETAIL_GENERATIONS; i++)
        detail->generations[i] =
            list_try(&list, raddr_add(gc->state, gc->generations[i]).value);
    detail->frozen = gc->has_permanent
                         ? list_try(&list, raddr_add(gc->state, gc->permanent).value)
                         : reading_exact(0);
    if (reading_is_known(detail->frozen))
        fill_rest(detail);
}
