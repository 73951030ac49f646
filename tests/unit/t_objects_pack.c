/* Packed edges: what was put in comes out, by address, whatever it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "source/objects_edges.h"

#define MANY 3000

static uint64_t random_word(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407;
    return *state >> 11;
}

static struct far_edge random_edge(uint64_t *state, uint64_t spread)
{
    struct far_edge edge =
        far_edge_of(random_word(state) % spread, (uint32_t)random_word(state) % 3,
                    (enum edge_what)(random_word(state) % 5));

    edge.is_dict_of = random_word(state) & 1;
    edge.is_split = random_word(state) & 1;
    edge.units = (uint32_t)random_word(state);
    return edge;
}

static bool is_same(const struct far_edge *a, const struct far_edge *b)
{
    return a->address == b->address && a->owner == b->owner && a->what == b->what &&
           a->is_dict_of == b->is_dict_of && a->is_split == b->is_split &&
           a->units == b->units;
}

/* As slow as simple, and stable. */
static void insert_all(struct far_edge *edges, size_t count)
{
    for (size_t i = 1; i < count; i++)
        for (size_t at = i; at && edges[at - 1].address > edges[at].address; at--) {
            struct far_edge edge = edges[at];

            edges[at] = edges[at - 1];
            edges[at - 1] = edge;
        }
}

static void check_edges(size_t count, uint64_t spread)
{
    static struct far_edge edges[MANY], expected[MANY];
    struct edge_pack pack;
    struct pack_reader reader;
    uint64_t state = count + spread;

    for (size_t i = 0; i < count; i++)
        edges[i] = expected[i] = random_edge(&state, spread);
    insert_all(expected, count);
    assert_true(edge_pack_make(&pack, edges, count, NULL, 0));
    assert_int_equal(pack.n_far, count);
    reader = pack_read_links(&pack);
    assert_false(pack_next_link(&reader));
    reader = pack_read_far(&pack);
    for (size_t i = 0; i < count; i++) {
        assert_true(pack_next_far(&reader));
        assert_true(is_same(&reader.edge, &expected[i]));
    }
    assert_false(pack_next_far(&reader));
    edge_pack_release(&pack);
}

static void edges_come_by_address(void **state)
{
    (void)state;
    check_edges(0, 1);
    check_edges(1, UINT64_MAX);
    check_edges(40, 7); /* many of one address stay in their order */
    check_edges(MANY, 50);
    check_edges(MANY, 1 << 20);
    check_edges(MANY, UINT64_MAX);
}

static void extremes(void **state)
{
    struct far_edge edges[2] = {
        far_edge_of(UINT64_MAX, (1u << EDGE_OWNER_BITS) - 1, EDGE_SIZED),
        far_edge_of(0, 0, EDGE_PART)};
    struct edge_pack pack;
    struct pack_reader reader;

    (void)state;
    edges[0].units = UINT32_MAX;
    edges[0].is_dict_of = edges[0].is_split = 1;
    assert_true(edge_pack_make(&pack, edges, 2, NULL, 0));
    reader = pack_read_far(&pack);
    for (int i = 0; i < 2; i++) {
        assert_true(pack_next_far(&reader));
        assert_true(is_same(&reader.edge, &edges[i]));
    }
    assert_int_equal(reader.edge.address, UINT64_MAX);
    edge_pack_release(&pack);
}

static void links_come_once(void **state)
{
    uint64_t links[] = {0x7f0000001000, 0x5000, 0x7f0000001000, 0x5003,
                        0x5000,         0,      0x6008,         UINT64_MAX - 7};
    const uint64_t expected[] = {0x5000, 0x6008, 0x7f0000001000, UINT64_MAX - 7};
    struct far_edge edge = far_edge_of(0x9000, 1, EDGE_KEYS);
    struct edge_pack pack;
    struct pack_reader reader;

    (void)state;
    assert_true(edge_pack_make(&pack, &edge, 1, links, sizeof(links) / sizeof(links[0])));
    reader = pack_read_links(&pack);
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        assert_true(pack_next_link(&reader));
        assert_int_equal(reader.edge.address, expected[i]);
    }
    assert_false(pack_next_link(&reader));
    reader = pack_read_far(&pack);
    assert_true(pack_next_far(&reader));
    assert_true(is_same(&reader.edge, &edge));
    assert_false(pack_next_far(&reader));
    edge_pack_release(&pack);
}

/* Edges and links of a heap: 16 and 8 bytes each, were they not packed. */
static void it_is_small(void **state)
{
    static struct far_edge edges[MANY];
    static uint64_t links[MANY];
    struct edge_pack pack;
    uint64_t at = 0x555555550000, random = 1;

    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        at += 600 + random_word(&random) % 3000 / 16 * 16;
        edges[i] = far_edge_of(at, 7, EDGE_PART);
        edges[i].units = 40 + (uint32_t)random_word(&random) % 60;
        links[i] = at / 16 * 16;
    }
    assert_true(edge_pack_make(&pack, edges, MANY, links, MANY));
    assert_in_range(pack.far_bytes, MANY, 5 * MANY);
    assert_in_range(pack.bytes_all - pack.far_bytes, MANY, 3 * MANY);
    edge_pack_release(&pack);
}

/* Packing takes the edges from the given ones on away; others stay, and all are there. */
static void edges_are_packed(void **state)
{
    struct edges edges = {0};
    const uint64_t kept[] = {edge_pack(0x1000, 1, EDGE_PART)};
    const struct edges_run run = {.near = kept, .n_near = 1};
    const uint64_t *words;
    size_t count;

    (void)state;
    for (uint64_t i = 0; i < 100; i++) {
        EDGES_ADD(&edges, far, far_edge_of(0x10000 + i * 64, 1, EDGE_PART));
        EDGES_ADD(&edges, links, 0x20000 + i * 64);
    }
    EDGES_ADD_WORD(&edges, near, edge_pack(0x2000, 2, EDGE_DICT));
    edges_pack(&edges, 30, 100);
    assert_int_equal(edges.n_far, 30);
    assert_int_equal(edges.n_links, 100);
    assert_int_equal(edges.n_runs, 1);
    assert_int_equal(edges_count_far(&edges), 100);
    assert_true(edges_borrow(&edges, &run));
    assert_int_equal(edges_count_near(&edges), 2);
    assert_true(edges_near_piece(&edges, 0, &words, &count));
    assert_int_equal(count, 0);
    assert_true(edges_near_piece(&edges, 1, &words, &count));
    assert_ptr_equal(words, kept);
    assert_true(edges_near_piece(&edges, 2, &words, &count));
    assert_int_equal(count, 1);
    assert_int_equal(edge_address(words[0]), 0x2000);
    assert_false(edges_near_piece(&edges, 3, &words, &count));
    edges_forget_parts(&edges);
    assert_int_equal(edges_count_far(&edges) + edges_count_near(&edges), 0);
    edges_release(&edges);
}

/* What is there stays, and more may come. */
static void lists_are_trimmed(void **state)
{
    struct edges edges = {0};

    (void)state;
    edges_trim(&edges);
    for (uint64_t i = 0; i < 3 * WORDS_PIECE; i++)
        EDGES_ADD_WORD(&edges, near, i);
    edges.near.count = WORDS_PIECE + 1;
    for (uint64_t i = 1; i < 4; i++) {
        EDGES_ADD(&edges, links, i * 64);
        edges_trim(&edges);
        assert_int_equal(edges.links_capacity, i);
    }
    assert_int_equal(edges.near.n_pieces, 2);
    assert_int_equal(*word_list_at(&edges.near, WORDS_PIECE), WORDS_PIECE);
    EDGES_ADD_WORD(&edges, near, 7);
    assert_int_equal(*word_list_at(&edges.near, WORDS_PIECE + 1), 7);
    assert_int_equal(edges.n_links, 3);
    assert_int_equal(edges.links[2], 3 * 64);
    edges.near.count = 0;
    edges_trim(&edges);
    assert_int_equal(edges.near.n_pieces, 0);
    assert_false(edges.is_full);
    edges_release(&edges);
}

static void numbers_come_back(void **state)
{
    const uint64_t numbers[] = {0, 1, 127, 128, 300, UINT64_C(1) << 63, UINT64_MAX};
    uint8_t bytes[7 * PACK_BYTES_MOST], *end = bytes;
    const uint8_t *at = bytes;

    (void)state;
    for (size_t i = 0; i < 7; i++)
        end = pack_put(end, numbers[i]);
    assert_int_equal(end - bytes, 1 + 1 + 1 + 2 + 2 + 10 + 10);
    for (size_t i = 0; i < 7; i++)
        assert_true(pack_take(&at) == numbers[i]);
    assert_ptr_equal(at, end);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edges_come_by_address), cmocka_unit_test(extremes),
        cmocka_unit_test(links_come_once),       cmocka_unit_test(it_is_small),
        cmocka_unit_test(edges_are_packed),      cmocka_unit_test(lists_are_trimmed),
        cmocka_unit_test(numbers_come_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
