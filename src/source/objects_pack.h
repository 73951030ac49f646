/*
 * objects_pack.h - edges out of the arenas, packed: where each leads, and GC heads that
 * links lead to, by address, each as its difference from the one before. That takes about
 * 4 bytes an edge and 2 a link, in place of 16 and 8.
 *
 * Nothing here reads the target. A pack is only read once it is made.
 */
#ifndef HEAPTOP_SOURCE_OBJECTS_PACK_H
#define HEAPTOP_SOURCE_OBJECTS_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct far_edge {
    uint64_t address;
    uint32_t owner : 18;
    uint32_t what : 3;
    uint32_t is_dict_of : 1; /* charged to the dicts of the owner's instances */
    uint32_t is_split : 1;
    uint32_t units; /* of 16 bytes, that the part has at least; 0 = not known */
};

struct edge_pack {
    uint8_t *bytes; /* the edges, then the links; NULL: none */
    size_t far_bytes, bytes_all;
    size_t n_far;
};

/* Sorts both lists by address, edges of one address staying in their order, and packs
 * them; links of the same address, and such as are no address of a GC head, once or not
 * at all. False when out of memory. Ends with edge_pack_release(). */
bool edge_pack_make(struct edge_pack *pack, struct far_edge *far, size_t n_far,
                    uint64_t *links, size_t n_links);
void edge_pack_release(struct edge_pack *pack);

/* A number in as many bytes as it needs, seven bits in each. Both give or set the place
 * behind it; what is taken must have been put. */
#define PACK_BYTES_MOST 10
uint8_t *pack_put(uint8_t *at, uint64_t value);
uint64_t pack_take(const uint8_t **at);

/* Items of so many words, by their first one; equal ones stay in their order. */
void words_sort(void *items, size_t count, size_t words);

/* One after the other. */
struct pack_reader {
    const uint8_t *at, *end;
    struct far_edge edge; /* of a link the address only */
};

struct pack_reader pack_read_far(const struct edge_pack *pack);
struct pack_reader pack_read_links(const struct edge_pack *pack);

/* The next in reader->edge; false when there is none. */
bool pack_next_far(struct pack_reader *reader);
bool pack_next_link(struct pack_reader *reader);

#endif
