#include "source/free_list_entries.h"

#define ATTEMPTS_MAX 4

static bool read_array(struct reader *reader, const struct free_list_place *place,
                       uint64_t entries[FREE_LIST_MOST], uint64_t count)
{
    return !reader_read(reader, raddr_of(place->head), entries,
                        (size_t)count * sizeof(entries[0]));
}

static bool read_chain(struct reader *reader, const struct free_list_place *place,
                       uint64_t entries[FREE_LIST_MOST], uint64_t count)
{
    uint64_t entry;

    if (!reader_u64(reader, raddr_of(place->head), &entry))
        return false;
    for (uint64_t i = 0; i < count; i++) {
        entries[i] = entry;
        if (!entry || !reader_u64(reader, raddr_of(entry + place->next), &entry))
            return false;
    }
    return !entry;
}

static bool read_counter(struct reader *reader, const struct free_list_place *place,
                         uint64_t *count)
{
    uint32_t narrow = 0;
    bool is_read = place->is_wide ? reader_u64(reader, raddr_of(place->counter), count)
                                  : reader_u32(reader, raddr_of(place->counter), &narrow);

    if (!place->is_wide)
        *count = narrow;
    return is_read && *count <= FREE_LIST_MOST;
}

/* One try. */
static bool read_entries(struct reader *reader, const struct free_list_place *place,
                         uint64_t *head, uint64_t entries[FREE_LIST_MOST], uint64_t count)
{
    struct free_list_place found = *place;

    if (!place->head && !count)
        return true;
    if (!place->head && !*head)
        *head = free_list_find_head(reader, place, (uint32_t)count);
    if (!place->head)
        found.head = *head;
    return found.head && (found.is_array ? read_array(reader, &found, entries, count)
                                         : read_chain(reader, &found, entries, count));
}

bool free_list_entries(struct reader *reader, const struct free_list_place *place,
                       uint64_t *head, uint64_t entries[FREE_LIST_MOST], uint64_t *count)
{
    for (int attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
        if (!read_counter(reader, place, count))
            return false;
        if (read_entries(reader, place, head, entries, *count))
            return true;
        *head = 0;
    }
    return false;
}
