#include "source/objects_pack.h"

#include <stdlib.h>
#include <string.h>

#define SORT_FEW   48 /* are inserted one by one */
#define DIGITS     256
#define LINK_SHIFT 3 /* heads are aligned to 8 bytes */

/* ---- sorting ---- */

static void words_insert(uint64_t *items, size_t count, size_t words)
{
    uint64_t item[2];

    for (size_t i = 1; i < count; i++) {
        size_t at = i;

        memcpy(item, items + i * words, words * sizeof(*items));
        for (; at && items[(at - 1) * words] > item[0]; at--)
            memcpy(items + at * words, items + (at - 1) * words, words * sizeof(*items));
        memcpy(items + at * words, item, words * sizeof(*items));
    }
}

/* By one digit of the first word. */
static void words_pass(const uint64_t *from, uint64_t *to, size_t count, size_t words,
                       unsigned shift)
{
    size_t starts[DIGITS] = {0}, sum = 0;

    for (size_t i = 0; i < count; i++)
        starts[from[i * words] >> shift & (DIGITS - 1)]++;
    for (size_t digit = 0; digit < DIGITS; digit++) {
        size_t n = starts[digit];

        starts[digit] = sum;
        sum += n;
    }
    for (size_t i = 0; i < count; i++, from += words) {
        uint64_t *item = to + starts[from[0] >> shift & (DIGITS - 1)]++ * words;

        item[0] = from[0];
        if (words > 1) /* not of this type */
            memcpy(item + 1, from + 1, sizeof(*item));
    }
}

/* Without memory for a second copy. */
static int word_compare(const void *left, const void *right)
{
    const uint64_t *a = left, *b = right;

    return (*a > *b) - (*a < *b);
}

void words_sort(void *given, size_t count, size_t words)
{
    uint64_t *items = given, *other, *from = items, *to, differs = 0;
    bool is_rising = true;

    for (size_t i = 1; i < count; i++) {
        differs |= items[i * words] ^ items[0];
        is_rising &= items[(i - 1) * words] <= items[i * words];
    }
    if (is_rising)
        return;
    if (count <= SORT_FEW) {
        words_insert(items, count, words);
        return;
    }
    to = other = malloc(count * words * sizeof(*items));
    if (!other) {
        qsort(items, count, words * sizeof(*items), word_compare);
        return;
    }
    for (unsigned shift = 0; shift < 64; shift += 8) {
        if (!(differs >> shift & (DIGITS - 1)))
            continue;
        words_pass(from, to, count, words, shift);
        from = to;
        to = from == items ? other : items;
    }
    if (from != items)
        memcpy(items, from, count * words * sizeof(*items));
    free(other);
}

/* ---- packing ---- */

uint8_t *pack_put(uint8_t *at, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        *at++ = (uint8_t)(value | 0x80);
    *at++ = (uint8_t)value;
    return at;
}

uint64_t pack_take(const uint8_t **at)
{
    uint64_t value = 0;
    unsigned shift = 0;

    for (; **at & 0x80; shift += 7)
        value |= (uint64_t)(*(*at)++ & 0x7f) << shift;
    return value | (uint64_t) * (*at)++ << shift;
}

/* What mostly is as in the edge before. */
static uint64_t kind_of(const struct far_edge *edge)
{
    return (uint64_t)edge->owner << 5 | edge->what << 2 | edge->is_dict_of << 1 |
           edge->is_split;
}

static void set_kind(struct far_edge *edge, uint64_t kind)
{
    edge->owner = (uint32_t)(kind >> 5) & ((1u << 18) - 1);
    edge->what = (uint32_t)(kind >> 2) & 7u;
    edge->is_dict_of = (uint32_t)(kind >> 1) & 1u;
    edge->is_split = (uint32_t)kind & 1u;
}

static uint8_t *put_far(uint8_t *at, const struct far_edge *far, size_t count)
{
    uint64_t address = 0, kind = 0;

    for (size_t i = 0; i < count; i++) {
        bool is_other = kind_of(&far[i]) != kind;

        at = pack_put(at, far[i].address - address);
        at = pack_put(at, (uint64_t)far[i].units << 1 | is_other);
        if (is_other)
            at = pack_put(at, kind_of(&far[i]));
        address = far[i].address;
        kind = kind_of(&far[i]);
    }
    return at;
}

static uint8_t *put_links(uint8_t *at, const uint64_t *links, size_t count)
{
    uint64_t last = 0;

    for (size_t i = 0; i < count; i++) {
        if (links[i] == last || links[i] & ((1u << LINK_SHIFT) - 1))
            continue;
        at = pack_put(at, (links[i] - last) >> LINK_SHIFT);
        last = links[i];
    }
    return at;
}

bool edge_pack_make(struct edge_pack *pack, struct far_edge *far, size_t n_far,
                    uint64_t *links, size_t n_links)
{
    uint8_t *bytes, *end;

    memset(pack, 0, sizeof(*pack));
    if (!n_far && !n_links)
        return true;
    bytes = malloc((3 * n_far + n_links) * PACK_BYTES_MOST);
    if (!bytes)
        return false;
    _Static_assert(sizeof(*far) == 2 * sizeof(uint64_t), "the address is the first word");
    words_sort(far, n_far, 2);
    words_sort(links, n_links, 1);
    end = put_far(bytes, far, n_far);
    pack->far_bytes = (size_t)(end - bytes);
    end = put_links(end, links, n_links);
    pack->bytes_all = (size_t)(end - bytes);
    pack->bytes = malloc(pack->bytes_all + 1);
    if (pack->bytes) {
        memcpy(pack->bytes, bytes, pack->bytes_all);
        pack->n_far = n_far;
    }
    free(bytes);
    return pack->bytes != NULL;
}

void edge_pack_release(struct edge_pack *pack)
{
    free(pack->bytes);
    memset(pack, 0, sizeof(*pack));
}

/* ---- reading ---- */

struct pack_reader pack_read_far(const struct edge_pack *pack)
{
    struct pack_reader reader = {.at = pack->bytes, .end = pack->bytes};

    if (pack->bytes)
        reader.end += pack->far_bytes;
    return reader;
}

struct pack_reader pack_read_links(const struct edge_pack *pack)
{
    struct pack_reader reader = {.at = pack->bytes, .end = pack->bytes};

    if (pack->bytes) {
        reader.at += pack->far_bytes;
        reader.end += pack->bytes_all;
    }
    return reader;
}

bool pack_next_far(struct pack_reader *reader)
{
    uint64_t units;

    if (reader->at >= reader->end)
        return false;
    reader->edge.address += pack_take(&reader->at);
    units = pack_take(&reader->at);
    reader->edge.units = (uint32_t)(units >> 1);
    if (units & 1)
        set_kind(&reader->edge, pack_take(&reader->at));
    return true;
}

bool pack_next_link(struct pack_reader *reader)
{
    if (reader->at >= reader->end)
        return false;
    reader->edge.address += pack_take(&reader->at) << LINK_SHIFT;
    return true;
}
