#include "recording/kind_order.h"

#include <stdlib.h>
#include <string.h>

#include "util/xalloc.h"

/* Where the two tables are read. */
struct reading_place {
    const struct kind_row *rows;
    size_t count, at;
};

void kind_order_release(struct kind_order *order)
{
    slots_release(&order->by_kind);
    free(order->slots);
    free(order->before);
    free(order->places);
    free(order->changed);
    memset(order, 0, sizeof(*order));
}

static struct reading_place beginning_of(const struct objects_section *objects)
{
    return (struct reading_place){objects ? objects->kinds : NULL,
                                  objects ? objects->n_kinds : 0, 0};
}

/* For so many rows. There are never more slots than rows were in two tables. */
static void make_room(struct kind_order *order, size_t rows)
{
    size_t capacity = order->capacity ? order->capacity : 64;

    while (capacity < rows || capacity < order->by_kind.count + rows)
        capacity *= 2;
    if (capacity == order->capacity)
        return;
    order->slots = xreallocarray(order->slots, capacity, sizeof(uint32_t));
    order->before = xreallocarray(order->before, capacity, sizeof(uint32_t));
    order->places = xreallocarray(order->places, capacity, sizeof(uint32_t));
    order->changed = xreallocarray(order->changed, capacity, sizeof(uint32_t));
    memset(order->places + order->capacity, 0,
           (capacity - order->capacity) * sizeof(uint32_t));
    order->capacity = capacity;
}

#define STRIDE 16 /* rows that are compared at once */

static bool are_same(const struct kind_row *a, const struct kind_row *b, size_t count)
{
    return memcmp(a, b, count * sizeof(*a)) == 0;
}

/* How many rows from here on are the same in both. */
static size_t same_rows(const struct reading_place *before,
                        const struct reading_place *now)
{
    const struct kind_row *a = before->rows + before->at, *b = now->rows + now->at;
    size_t left = before->count - before->at, most = now->count - now->at, same = 0;

    most = left < most ? left : most;
    while (same + STRIDE <= most && are_same(a + same, b + same, STRIDE))
        same += STRIDE;
    while (same < most && are_same(a + same, b + same, 1))
        same++;
    return same;
}

static bool is_kind_at(const struct reading_place *table, size_t at,
                       const struct kind *kind)
{
    return at < table->count && table->rows[at].kind == kind;
}

/* The slot of the row that comes now, and where the table before goes on: behind the same
 * kind; where that is elsewhere, only if the next row is not the one that is due here. */
static uint32_t find_row(struct kind_order *order, struct reading_place *before,
                         const struct reading_place *now)
{
    const struct kind *kind = now->rows[now->at].kind;
    uint32_t slot;

    if (is_kind_at(before, before->at, kind))
        return order->before[before->at++];
    slot = (uint32_t)slots_of(&order->by_kind, (uintptr_t)kind);
    if (now->at + 1 < now->count &&
        is_kind_at(before, before->at, now->rows[now->at + 1].kind))
        return slot;
    if (is_kind_at(before, order->places[slot], kind))
        before->at = order->places[slot] + 1;
    return slot;
}

static void read_tables(struct kind_order *order, struct reading_place *before,
                        struct reading_place *now)
{
    while (now->at < now->count) {
        size_t same = same_rows(before, now);

        memcpy(order->slots + now->at, order->before + before->at,
               same * sizeof(uint32_t));
        before->at += same;
        now->at += same;
        if (now->at == now->count)
            break;
        order->slots[now->at] = find_row(order, before, now);
        order->changed[order->n_changed++] = (uint32_t)now->at++;
    }
}

void kind_order_follow(struct kind_order *order, const struct objects_section *before,
                       const struct objects_section *now)
{
    struct reading_place from = beginning_of(before), to = beginning_of(now);
    uint32_t *slots = order->before;

    order->before = order->slots;
    order->slots = slots;
    order->n_changed = 0;
    make_room(order, to.count);
    slots_begin(&order->by_kind);
    read_tables(order, &from, &to);
    for (size_t i = 0; i < to.count; i++)
        order->places[order->slots[i]] = (uint32_t)i;
    order->has_gone = to.count + order->by_kind.n_vacant != order->by_kind.count;
    for (size_t i = 0; order->has_gone && i < to.count; i++)
        slots_ask(&order->by_kind, order->slots[i]);
}
