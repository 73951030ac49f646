#include "source/malloc_caches.h"

#include <stdlib.h>
#include <string.h>

#include "layout/malloc_layout.h"
#include "util/bytes.h"

#define SET_MAX          (UINT64_C(64) << 20)
#define FASTBIN_MOST     (UINT64_C(1) << 20) /* chunks of one list */
#define TCACHE_BYTES_OLD 0x250               /* 2.26 - 2.29 */
#define TCACHE_BYTES     0x290               /* 2.30 - 2.41 */
#define TCACHE_BYTES_NEW 0x300               /* 2.42+ */

/* ---- sets ---- */

void chunk_set_clear(struct chunk_set *set)
{
    set->count = set->hint = 0;
}

void chunk_set_release(struct chunk_set *set)
{
    free(set->addresses);
    memset(set, 0, sizeof(*set));
}

bool chunk_set_add(struct chunk_set *set, uint64_t address)
{
    if (set->count == set->capacity) {
        size_t capacity = set->capacity ? set->capacity * 2 : 256;
        uint64_t *larger = capacity <= SET_MAX
                               ? reallocarray(set->addresses, capacity, sizeof(*larger))
                               : NULL;

        if (!larger)
            return false;
        set->addresses = larger;
        set->capacity = capacity;
    }
    set->addresses[set->count++] = address;
    return true;
}

static int address_compare(const void *left, const void *right)
{
    uint64_t a, b;

    memcpy(&a, left, sizeof(a));
    memcpy(&b, right, sizeof(b));
    return a < b ? -1 : a > b;
}

void chunk_set_sort(struct chunk_set *set)
{
    size_t kept = 0;

    if (set->count)
        qsort(set->addresses, set->count, sizeof(*set->addresses), address_compare);
    for (size_t i = 0; i < set->count; i++)
        if (!i || set->addresses[i] != set->addresses[kept - 1])
            set->addresses[kept++] = set->addresses[i];
    set->count = kept;
    set->hint = 0;
}

bool chunk_set_has(struct chunk_set *set, uint64_t address)
{
    size_t low = 0, high = set->count;

    if (set->hint < set->count && set->addresses[set->hint] <= address) {
        low = set->hint;
        if (low + 1 == high || set->addresses[low + 1] > address)
            return set->addresses[low] == address;
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (set->addresses[middle] < address)
            low = middle + 1;
        else
            high = middle;
    }
    set->hint = low < set->count ? low : 0;
    return low < set->count && set->addresses[low] == address;
}

/* ---- lists ---- */

static bool is_chunk_address(const struct malloc_heaps *heaps, uint64_t address)
{
    return !(address & 15) && malloc_heaps_at(heaps, address);
}

/* What the link at `place` leads to, mangled or not; 0 = the end, or no link. */
static uint64_t link_target(const struct malloc_heaps *heaps, uint64_t place,
                            uint64_t word)
{
    uint64_t plain = word ^ place >> 12;

    if (!plain || !word)
        return 0;
    if (is_chunk_address(heaps, plain))
        return plain;
    return is_chunk_address(heaps, word) ? word : 0;
}

static bool chunk_bytes_are(struct reader *reader, uint64_t chunk, uint64_t bytes)
{
    uint64_t word;

    return reader_u64(reader, raddr_of(chunk + 8), &word) &&
           (word & ~CHUNK_FLAGS) == bytes;
}

/* malloc.c fastbinsY[i]: chunks of 32 + 16 * i, linked by fd, in front of the top. */
void malloc_fastbins_add(struct chunk_set *set, struct reader *reader,
                         const struct malloc_heaps *heaps, uint64_t lists)
{
    uint64_t heads[STATE_FASTBINS];
    struct raddr place = raddr_of(lists - STATE_TOP_TO_BINS - STATE_FASTBINS_TO_TOP);

    if (reader_read(reader, place, heads, sizeof(heads)))
        return;
    /* From 2.43 on there are none, and other things stand there. */
    for (size_t i = 0; i < STATE_FASTBINS; i++)
        if (heads[i] && !is_chunk_address(heaps, heads[i]))
            return;
    for (size_t i = 0; i < STATE_FASTBINS; i++) {
        uint64_t chunk = heads[i], word;

        for (uint64_t n = 0; chunk && n < FASTBIN_MOST; n++) {
            if (!chunk_bytes_are(reader, chunk, CHUNK_MIN + 16 * i) ||
                !chunk_set_add(set, chunk) ||
                !reader_u64(reader, raddr_of(chunk + CHUNK_HEADER), &word))
                break;
            chunk = link_target(heaps, chunk + CHUNK_HEADER, word);
        }
    }
}

bool malloc_is_tcache_size(uint64_t chunk_bytes)
{
    return chunk_bytes == TCACHE_BYTES || chunk_bytes == TCACHE_BYTES_NEW ||
           chunk_bytes == TCACHE_BYTES_OLD;
}

struct tcache_form {
    size_t lists, count_bytes;
    bool counts_what_is_there; /* else what is still free */
};

static struct tcache_form tcache_form_of(uint64_t chunk_bytes)
{
    if (chunk_bytes == TCACHE_BYTES_OLD)
        return (struct tcache_form){TCACHE_SIZES, 1, true};
    if (chunk_bytes == TCACHE_BYTES)
        return (struct tcache_form){TCACHE_SIZES, 2, true};
    return (struct tcache_form){TCACHE_LISTS_MOST, 2, false};
}

static size_t count_of(const struct tcache_form *form, const uint8_t *bytes, size_t list)
{
    return form->count_bytes == 1 ? bytes[list]
                                  : (size_t)(bytes[list * 2] | bytes[list * 2 + 1] << 8);
}

/* Do counts and lists fit together, as they do by chance nowhere? */
static bool is_tcache(const struct tcache_form *form, const struct malloc_heaps *heaps,
                      const uint8_t *bytes)
{
    for (size_t list = 0; list < form->lists; list++) {
        uint64_t head = u64_at(bytes, form->lists * form->count_bytes + list * 8);
        size_t count = count_of(form, bytes, list);

        if (count > TCACHE_PER_LIST_MOST || (head && !is_chunk_address(heaps, head)))
            return false;
        if (form->counts_what_is_there && !head != !count)
            return false;
    }
    return true;
}

static void tcache_list_add(struct chunk_set *set, struct reader *reader,
                            const struct malloc_heaps *heaps, uint64_t user, size_t list)
{
    uint64_t bytes = CHUNK_MIN + 16 * (uint64_t)list, word;

    for (int n = 0; user && n < TCACHE_PER_LIST_MOST; n++) {
        if ((list < TCACHE_SIZES &&
             !chunk_bytes_are(reader, user - CHUNK_HEADER, bytes)) ||
            !reader_u64(reader, raddr_of(user), &word) ||
            !chunk_set_add(set, user - CHUNK_HEADER))
            return;
        user = link_target(heaps, user, word);
    }
}

void malloc_tcache_add(struct chunk_set *set, struct reader *reader,
                       const struct malloc_heaps *heaps, uint64_t user,
                       uint64_t chunk_bytes)
{
    struct tcache_form form = tcache_form_of(chunk_bytes);
    uint8_t bytes[TCACHE_BYTES_NEW];
    size_t at = form.lists * form.count_bytes;

    if (reader_read(reader, raddr_of(user), bytes, at + form.lists * 8) ||
        !is_tcache(&form, heaps, bytes))
        return;
    for (size_t list = 0; list < form.lists; list++)
        tcache_list_add(set, reader, heaps, u64_at(bytes, at + list * 8), list);
}
