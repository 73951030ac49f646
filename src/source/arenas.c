#include "source/arenas.h"

#include <stdlib.h>

#include "layout/pymalloc_layout.h"

#define ARENAS_ATTEMPTS 8   /* the table may move while it is read */
#define ARENAS_CHUNK    256 /* slots that are read on when the length is unknown */

/* The table's bytes as they were at one moment, or as nearly as could be had. */
struct arenas_copy {
    uint64_t address;
    struct arena_object *slots;
    uint64_t count;
};

static int copy_known(struct arenas_copy *copy, struct reader *reader)
{
    copy->slots = calloc(copy->count, sizeof(*copy->slots));
    if (!copy->slots)
        return -1;
    return reader_read(reader, raddr_of(copy->address), copy->slots,
                       copy->count * sizeof(*copy->slots));
}

/* Without a length the table ends where a slot makes no sense. */
static int copy_unknown(struct arenas_copy *copy, struct reader *reader,
                        const struct layout_pymalloc *pymalloc)
{
    while (copy->count < PYMALLOC_SLOTS_MAX) {
        struct arena_object slot;
        struct arena_object *grown;

        if (reader_read(reader, raddr_of(copy->address + copy->count * sizeof(slot)),
                        &slot, sizeof(slot)) ||
            !arena_object_is_plausible(&slot, pymalloc, NULL))
            break;
        if (copy->count % ARENAS_CHUNK == 0) {
            grown = reallocarray(copy->slots, copy->count + ARENAS_CHUNK, sizeof(*grown));
            if (!grown)
                return -1;
            copy->slots = grown;
        }
        copy->slots[copy->count++] = slot;
    }
    return copy->count ? 0 : -1;
}

/* True when the table stands where it stood before it was copied. */
static bool copy_take(struct arenas_copy *copy, struct reader *reader,
                      const struct layout_pymalloc *pymalloc)
{
    uint64_t again;
    int status;

    *copy = (struct arenas_copy){0, NULL, 0};
    if (!reader_u64(reader, pymalloc->arenas_word, &copy->address) || !copy->address)
        return false;
    copy->count = pymalloc_slots(pymalloc, reader, copy->address);
    status =
        copy->count ? copy_known(copy, reader) : copy_unknown(copy, reader, pymalloc);
    if (!status && reader_u64(reader, pymalloc->arenas_word, &again) &&
        again == copy->address)
        return true;
    free(copy->slots);
    copy->slots = NULL;
    return false;
}

static int arena_row_compare(const void *left, const void *right)
{
    const struct arena_row *a = left, *b = right;

    return (a->address > b->address) - (a->address < b->address);
}

/* Two slots that claim one address: the table is damaged or changed; the later goes. */
static void arenas_drop_overlaps(struct arena_table *table, uint64_t arena_bytes,
                                 size_t *bad)
{
    size_t kept = 0;

    for (size_t i = 0; i < table->count; i++) {
        if (kept && table->rows[i].address - table->rows[kept - 1].address < arena_bytes)
            ++*bad;
        else
            table->rows[kept++] = table->rows[i];
    }
    table->count = kept;
}

bool arena_row_from_slot(struct arena_row *row, const struct arena_object *slot,
                         uint32_t index, const struct layout_pymalloc *pymalloc)
{
    if (!slot->address || !arena_object_is_plausible(slot, pymalloc, NULL))
        return false;
    *row = (struct arena_row){
        .index = index,
        .address = slot->address,
        .first_pool = pymalloc_first_pool(pymalloc, slot->address),
        .pool_high = slot->pool_address,
        .total_pools = slot->ntotalpools,
        .arenas_word = pymalloc->arenas_word.value,
    };
    return true;
}

/* Adds the used slots of one copy. */
static int arenas_add(struct arena_table *table, const struct arenas_copy *copy,
                      const struct layout_pymalloc *pymalloc, size_t *bad)
{
    uint32_t *orders = calloc(copy->count + 1, sizeof(*orders)), n_usable = 0;
    size_t n_used = 0;
    struct arena_row *grown;

    for (uint64_t i = 0; i < copy->count; i++)
        n_used += copy->slots[i].address != 0;
    grown = reallocarray(table->rows, table->count + n_used + 1, sizeof(*grown));
    if (grown)
        table->rows = grown;
    if (!grown || !orders) {
        free(orders);
        return -1;
    }
    table->n_slots += copy->count;
    table->is_order_exact &=
        arenas_order(copy->slots, copy->count, copy->address, orders);
    for (uint64_t i = 0; i < copy->count; i++) {
        struct arena_row *row = &table->rows[table->count];

        if (!arena_row_from_slot(row, &copy->slots[i], (uint32_t)i, pymalloc)) {
            *bad += copy->slots[i].address != 0;
            continue;
        }
        /* Interpreters with arenas of their own come one after the other. */
        row->order = orders[i] ? table->n_usable + orders[i] : 0;
        n_usable += orders[i] != 0;
        table->count++;
    }
    table->n_usable += n_usable;
    free(orders);
    return 0;
}

static int arenas_read_state(struct arena_table *table, struct reader *reader,
                             const struct layout_pymalloc *pymalloc, size_t *bad,
                             struct err *err)
{
    struct arenas_copy copy;
    int attempts = 0, status;

    while (!copy_take(&copy, reader, pymalloc)) {
        if (++attempts == ARENAS_ATTEMPTS)
            return err_set(err, ERR_FAILED,
                           "the table of arenas of the target cannot be read");
    }
    status = arenas_add(table, &copy, pymalloc, bad);
    free(copy.slots);
    if (status)
        return err_set(err, ERR_FAILED, "out of memory for the table of arenas");
    return 0;
}

int arenas_read(struct arena_table *table, struct reader *reader,
                const struct layout *layout, size_t *bad, struct err *err)
{
    struct layout_pymalloc states[LAYOUT_OBMALLOC_STATES_MAX];
    struct err other_err = ERR_INIT;
    size_t n_states;

    *table = (struct arena_table){.is_order_exact = true};
    *bad = 0;
    if (!layout->has_pymalloc)
        return err_set(err, ERR_UNSUPPORTED, "the target's arenas are not known");
    n_states = pymalloc_states(&layout->pymalloc, reader, states);
    if (arenas_read_state(table, reader, &states[0], bad, err)) {
        arenas_release(table);
        return -1;
    }
    /* An interpreter that ended meanwhile takes its arenas with it. */
    for (size_t i = 1; i < n_states; i++)
        arenas_read_state(table, reader, &states[i], bad, &other_err);
    if (table->count)
        qsort(table->rows, table->count, sizeof(*table->rows), arena_row_compare);
    arenas_drop_overlaps(table, layout->pymalloc.arena_bytes, bad);
    return 0;
}

void arenas_release(struct arena_table *table)
{
    free(table->rows);
    *table = (struct arena_table){.rows = NULL};
}

const struct arena_row *arenas_find(const struct arena_table *table, uint64_t address,
                                    uint64_t arena_bytes)
{
    size_t low = 0, high = table->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct arena_row *row = &table->rows[middle];

        if (address < row->address)
            high = middle;
        else if (address - row->address >= arena_bytes)
            low = middle + 1;
        else
            return row;
    }
    return NULL;
}
