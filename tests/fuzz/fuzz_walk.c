/* The walk over any bytes: it ends, and what it counts adds up. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "tests/unit/fake_heap.h"

static void demand(bool condition)
{
    if (!condition)
        abort();
}

static void check_section(const struct objects_section *section)
{
    uint64_t count = 0;

    /* No more objects than blocks of 16 bytes, and what is in the malloc heap. */
    for (size_t i = 0; i < section->n_kinds; i++) {
        demand(section->kinds[i].kind && section->kinds[i].kind->name[0]);
        demand(section->kinds[i].tracked <= section->kinds[i].count);
        count += section->kinds[i].count;
    }
    demand(!section->walk.complete || !section->walk.tracked_only);
    demand(count == section->count);
    demand(count + section->unowned_blocks + section->statics_blocks +
               section->freelist_objects <=
           FAKE_BYTES / 8);
    demand(section->unowned_bytes + section->statics_bytes <= FAKE_BYTES);
}

/* The exclusive or of all bytes: any change chooses another version, and debug hooks. */
static uint8_t choice_of(const uint8_t *data, size_t size)
{
    uint8_t choice = 0;

    for (size_t i = 0; i < size; i++)
        choice ^= data[i];
    return choice;
}

/* Gives what another reader reads, with bits changed here and there. */
struct flipping {
    struct reader reader;
    struct reader *inner;
    uint64_t state;
    uint32_t spacing; /* bytes between two changes, about; 0 = none */
};

static uint64_t flipping_next(struct flipping *flipping)
{
    flipping->state ^= flipping->state << 13;
    flipping->state ^= flipping->state >> 7;
    flipping->state ^= flipping->state << 17;
    return flipping->state;
}

static void flip(struct flipping *flipping, uint8_t *bytes, size_t length)
{
    size_t at = 0;

    while (flipping->spacing) {
        uint64_t random = flipping_next(flipping);

        at += random % flipping->spacing;
        if (at >= length)
            return;
        bytes[at] ^= (uint8_t)(1u << (random >> 32) % 8);
    }
}

static int flipping_read(struct reader *reader, struct raddr address, void *buffer,
                         size_t length)
{
    struct flipping *flipping = (struct flipping *)reader;
    int status = reader_read(flipping->inner, address, buffer, length);

    if (!status)
        flip(flipping, buffer, length);
    return status;
}

static size_t flipping_readv(struct reader *reader, struct piece *pieces, size_t count)
{
    size_t n_done = 0;

    for (size_t i = 0; i < count; i++) {
        pieces[i].done =
            !flipping_read(reader, pieces[i].address, pieces[i].buffer, pieces[i].length);
        n_done += pieces[i].done;
    }
    return n_done;
}

static const struct reader_ops flipping_ops = {
    .name = "flipping",
    .read = flipping_read,
    .readv = flipping_readv,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fake_heap *fake = fake_heap_of_bytes(data, size);
    const struct walk_region regions[] = {
        {FAKE_STATICS, FAKE_STATICS + FAKE_STATICS_BYTES, false},
        {FAKE_HEAP, FAKE_HEAP + FAKE_HEAP_BYTES, true},
        {FAKE_ARENA, FAKE_ARENA + (64 << 20), false},
    };
    const struct rest_range statics = {FAKE_STATICS + 4,
                                       FAKE_STATICS + FAKE_STATICS_BYTES};
    uint8_t choice = choice_of(data, size);
    struct flipping flipping = {{&flipping_ops, 0, 0}, fake->reader, size * 2 + 1, 0};
    struct err err = ERR_INIT;
    struct walk walk;

    object_layout_for(3, (uint8_t)(8 + choice % 8), &fake->layout.object);
    fake->layout.pymalloc.debug_prefix_bytes = choice & 8 ? 16 : 0;
    flipping.spacing = choice & 16 ? 0 : 64u << choice % 8;
    /* Without pymalloc: by chunks, or, where no memory is named, along the lists. */
    fake->layout.has_pymalloc = !(choice & 32);
    fake->layout.has_gc = choice & 32 || !(choice & 64);
    if (!fake->layout.has_pymalloc && flipping.spacing)
        flipping.spacing <<= 4; /* else no object is believed */
    walk_init(&walk, &flipping.reader, &fake->layout, fake->type);
    walk_set_statics(&walk, &statics, 1);
    /* Of a heap that is kept, stretch by stretch, some have their turn. */
    if (choice & 64 && choice & 1)
        walk.window_capacity = 4096;
    for (int i = 0; i < (choice & 64 ? 5 : 2); i++) {
        const struct objects_section *section;

        walk_set_regions(&walk, regions, choice & 32 && choice & 128 ? 0 : 3);
        walk_set_refresh(&walk, choice & 64, true);
        if ((choice & 68) == 64) /* else some learn between refreshes */
            fake_learned(&walk);
        if (walk_begin(&walk, &err))
            break;
        demand(walk_step(&walk, 0));
        section = walk_finish(&walk);
        demand(section != NULL);
        check_section(section);
        objects_unref(section);
        /* The second walk meets other bytes with the types of the first. */
        fake->bytes[size % FAKE_STATICS_BYTES] ^= 0x55;
        memset(fake->bytes + FAKE_STATICS_BYTES + size % FAKE_HEAP_BYTES, 0, 16);
    }
    walk_release(&walk);
    fake_heap_free(fake);
    return 0;
}

/* Chunks of malloc's in a circle of the collector's, as without pymalloc. */
static void seed_chunks(struct fake_heap *fake)
{
    uint64_t previous = FAKE_GC, types[] = {fake->list, fake->tuple, fake->dict};

    for (uint32_t i = 0; i < 120; i++) {
        uint64_t head = fake_malloc(fake, 16 + 48 + i % 5 * 16);

        fake_u64(fake, previous, head);
        fake_u64(fake, head + 8, previous);
        fake_object(fake, head + 16, types[i % 3]);
        fake_u64(fake, head + 32, i % 2);
        fake_object(fake, fake_malloc(fake, 24), fake->real);
        previous = head;
    }
    for (uint32_t i = 0; i < 30; i++) {
        uint64_t head = fake_malloc(fake, 16 + 24 + 70 * 8);

        fake_u64(fake, previous, head);
        fake_u64(fake, head + 8, previous);
        fake_object(fake, head + 16, fake->tuple);
        fake_u64(fake, head + 32, 70);
        previous = head;
    }
    fake_u64(fake, previous, FAKE_GC);
    fake_u64(fake, FAKE_GC + 8, previous);
    fake_malloc(fake, FAKE_HEAP + FAKE_HEAP_BYTES - fake->next_heap - 32);
}

/* Objects of each type that the fake heap has, so that every rule is met. */
size_t fuzz_seed(uint8_t *buffer, size_t size)
{
    struct fake_heap *fake = fake_heap_new();
    const uint64_t types[] = {fake->str,  fake->tuple, fake->list,
                              fake->dict, fake->real,  fake->integer};
    const uint32_t blocks[] = {64, 64, 64, 64, 32, 32},
                   prefixes[] = {0, 16, 16, 16, 0, 0};
    uint64_t class = fake_class(fake, "app", "Thing", 16, TYPE_FLAG_MANAGED_DICT);

    for (uint32_t i = 0; i < FAKE_POOLS; i++) {
        fake_pool(fake, i, blocks[i], 200);
        for (uint32_t n = 0; n < 200; n++) {
            uint64_t block = fake_block(i, blocks[i], n);

            fake_object(fake, block + prefixes[i], types[i]);
            if (prefixes[i])
                fake_u64(fake, block, n % 9 ? block : class - 16);
            fake_u64(fake, block + prefixes[i] + 16, n % 3);
            if (i == 3)
                fake_u64(fake, block + 48, fake_block(2, 64, n));
        }
        fake_free_block(fake, i, fake_block(i, blocks[i], 7));
        fake_free_block(fake, i, fake_block(i, blocks[i], 9));
    }
    seed_chunks(fake);
    size = size < FAKE_BYTES ? 0 : FAKE_BYTES;
    fake->bytes[0] ^= choice_of(fake->bytes, FAKE_BYTES) ^ 3; /* 3.11 */
    memcpy(buffer, fake->bytes, size);
    fake_heap_free(fake);
    return size;
}
