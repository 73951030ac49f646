#include "fake_python.h"

#include <stdlib.h>
#include <string.h>

#include "util/xalloc.h"

void *fake_at(struct fake_python *fake, uint64_t address)
{
    if (address - FAKE_DATA < FAKE_DATA_BYTES)
        return fake->data + (address - FAKE_DATA);
    if (address - FAKE_HEAP < FAKE_HEAP_BYTES)
        return fake->heap + (address - FAKE_HEAP);
    if (address - FAKE_ARENA_0 < FAKE_ARENA_BYTES)
        return fake->arenas[0] + (address - FAKE_ARENA_0);
    if (address - FAKE_ARENA_1 < FAKE_ARENA_BYTES)
        return fake->arenas[1] + (address - FAKE_ARENA_1);
    abort();
}

void fake_set_u64(struct fake_python *fake, uint64_t address, uint64_t value)
{
    memcpy(fake_at(fake, address), &value, sizeof(value));
}

void fake_set_u32(struct fake_python *fake, uint64_t address, uint32_t value)
{
    memcpy(fake_at(fake, address), &value, sizeof(value));
}

struct arena_object *fake_slot(struct fake_python *fake, size_t index)
{
    return fake_at(fake, FAKE_TABLE + index * sizeof(struct arena_object));
}

static uint64_t fake_pool_address(int arena, size_t index)
{
    uint64_t base = arena ? FAKE_ARENA_1 : FAKE_ARENA_0;

    base = (base + FAKE_POOL_BYTES - 1) & ~(uint64_t)(FAKE_POOL_BYTES - 1);
    return base + index * FAKE_POOL_BYTES;
}

struct pool_header *fake_pool(struct fake_python *fake, int arena, size_t index)
{
    return fake_at(fake, fake_pool_address(arena, index));
}

void fake_carve(struct fake_python *fake, int arena, size_t index, uint32_t size_class,
                uint32_t used)
{
    struct pool_header *pool = fake_pool(fake, arena, index);
    uint32_t block_bytes = pymalloc_block_bytes(size_class);

    *pool = (struct pool_header){
        .count = used,
        .arenaindex = (uint32_t)arena,
        .szidx = size_class,
        .nextoffset = 48 + used * block_bytes,
        .maxnextoffset = (uint32_t)FAKE_POOL_BYTES - block_bytes,
    };
}

static void fake_add_arena(struct fake_python *fake, int index, size_t carved,
                           uint32_t total)
{
    *fake_slot(fake, (size_t)index) = (struct arena_object){
        .address = index ? FAKE_ARENA_1 : FAKE_ARENA_0,
        .pool_address = fake_pool_address(index, carved),
        .nfreepools = total - (uint32_t)carved,
        .ntotalpools = total,
    };
    for (size_t i = 0; i < carved; i++)
        fake_carve(fake, index, i, (uint32_t)(i % PYMALLOC_SIZE_CLASSES), 5);
}

static void fake_add_pymalloc(struct fake_python *fake)
{
    fake_set_u64(fake, FAKE_TABLE - 8, (16 * 48 + 16) | 1); /* glibc's chunk size */
    for (size_t i = 2; i < 16; i++)
        fake_slot(fake, i)->nextarena = i < 15 ? FAKE_TABLE + (i + 1) * 48 : 0;
    fake_add_arena(fake, 0, 40, 63);
    fake_add_arena(fake, 1, 3, 64);
    fake_set_u64(fake, FAKE_STATE + OBMALLOC_ARENAS, FAKE_TABLE);
    fake_set_u32(fake, FAKE_STATE + OBMALLOC_MAXARENAS, 16);
    fake_set_u64(fake, FAKE_STATE + 536, FAKE_TABLE); /* usable_arenas: the same value */
    fake_set_u64(fake, FAKE_STATE + OBMALLOC_NARENAS, 2);
    fake_set_u64(fake, FAKE_STATE + OBMALLOC_HIGHWATER, 3);
    fake_set_u64(fake, FAKE_STATE + OBMALLOC_RAW_BLOCKS, 1000);
}

void fake_link(struct fake_python *fake, uint64_t head, size_t first, size_t count)
{
    uint64_t previous = head;

    for (size_t i = 0; i <= count; i++) {
        uint64_t node = i < count ? FAKE_OBJECTS + (first + i) * 16 : head;

        fake_set_u64(fake, previous, node);
        fake_set_u64(fake, node + 8, previous);
        previous = node;
    }
}

static void fake_add_gc(struct fake_python *fake)
{
    fake_set_u64(fake, FAKE_RUNTIME + 48, FAKE_INTERPRETER);
    fake_set_u32(fake, FAKE_GC + 12, 1);
    for (unsigned i = 0; i < 3; i++) {
        fake_link(fake, FAKE_GC + 24 + i * 24, i * 100, i * 10 + 5);
        fake_set_u32(fake, FAKE_GC + 24 + i * 24 + 16, i ? 10 : 700);
        fake_set_u32(fake, FAKE_GC + 24 + i * 24 + 20, 100 + i);
        for (unsigned j = 0; j < 3; j++)
            fake_set_u64(fake, FAKE_GC + 128 + i * 24 + j * 8, i * 10 + j);
    }
    fake_link(fake, FAKE_GC + 104, 400, 7);
    fake_set_u64(fake, FAKE_GC + 96, FAKE_GC + 24);
}

/* Offsets as they were read from the debugging information of those versions. */
const struct fake_version fake_versions[] = {
    {13, {24, 48, 72}, 104, 96, 128, 200, 12, 240, false},
    {13, {20, 44, 68}, 104, 96, 128, 200, 12, 240, false},
    {14, {24, 48, 72}, 96, 0, 120, 192, 12, 240, true},
    {14, {24, 48, 72}, 96, 256, 120, 192, 12, 264, false},
    {15, {8, 32, 56}, 80, 168, 104, 112, 0, 176, false},
};
const size_t n_fake_versions = sizeof(fake_versions) / sizeof(fake_versions[0]);

static void fake_set_debug_offsets(struct fake_python *fake, uint8_t minor,
                                   uint64_t gc_bytes)
{
    static const struct {
        uint64_t gc, bytes;
    } places[] = {{80, 568}, {88, 648}, {88, 752}};

    memcpy(fake_at(fake, FAKE_RUNTIME), "xdebugpy", 8);
    fake_set_u64(fake, FAKE_RUNTIME + 40, 1000); /* interpreters_head */
    fake_set_u64(fake, FAKE_RUNTIME + 56, 7272); /* id */
    fake_set_u64(fake, FAKE_RUNTIME + 64, 7264); /* next */
    fake_set_u64(fake, FAKE_RUNTIME + places[minor - 13].gc, 7400);
    fake_set_u64(fake, FAKE_RUNTIME + places[minor - 13].bytes, gc_bytes);
    fake_set_u64(fake, FAKE_RUNTIME + 1000, FAKE_INTERPRETER);
    fake_set_u64(fake, FAKE_RUNTIME + 1008, FAKE_INTERPRETER);
}

void fake_set_version(struct fake_python *fake, const struct fake_version *version)
{
    fake->target.version.minor = version->minor;
    memset(fake_at(fake, FAKE_RUNTIME), 0, 256);
    memset(fake_at(fake, FAKE_GC), 0, 240);
    fake_set_debug_offsets(fake, version->minor, version->bytes);
    fake_set_u64(fake, FAKE_INTERPRETER + 10800, FAKE_STATE); /* interp->obmalloc */
    fake_set_u32(fake, FAKE_NEW_GC + version->enabled, 1);
    for (unsigned i = 0; i < 3; i++) {
        uint64_t head = FAKE_NEW_GC + version->generations[i];

        fake_link(fake, head, i * 100, i * 10 + 5);
        fake_set_u32(fake, head + 16, i ? 10 : 2000);
        fake_set_u32(fake, head + 20, 100 + i);
    }
    fake_link(fake, FAKE_NEW_GC + version->permanent, 400, 7);
    if (version->generation0)
        fake_set_u64(fake, FAKE_NEW_GC + version->generation0,
                     FAKE_NEW_GC + version->generations[0]);
    if (version->minor == 15)
        fake_set_u64(fake, FAKE_NEW_GC + version->stats, FAKE_GC_STATS);
}

static void fake_map(struct fake_python *fake, size_t index, uint64_t start, size_t bytes)
{
    fake->mappings[index] = (struct mapping){.start = start,
                                             .end = start + bytes,
                                             .is_readable = true,
                                             .is_writable = true,
                                             .path = ""};
}

void fake_python_init(struct fake_python *fake)
{
    memset(fake, 0, sizeof(*fake));
    fake->data = xcalloc(1, FAKE_DATA_BYTES);
    fake->heap = xcalloc(1, FAKE_HEAP_BYTES);
    fake->arenas[0] = xcalloc(1, FAKE_ARENA_BYTES);
    fake->arenas[1] = xcalloc(1, FAKE_ARENA_BYTES);
    const struct image_segment segments[] = {
        {raddr_of(FAKE_DATA), fake->data, FAKE_DATA_BYTES},
        {raddr_of(FAKE_HEAP), fake->heap, FAKE_HEAP_BYTES},
        {raddr_of(FAKE_ARENA_0), fake->arenas[0], FAKE_ARENA_BYTES},
        {raddr_of(FAKE_ARENA_1), fake->arenas[1], FAKE_ARENA_BYTES},
    };
    fake->reader = reader_image_new(segments, 4);
    fake_map(fake, 0, FAKE_HEAP, FAKE_HEAP_BYTES);
    fake_map(fake, 1, FAKE_ARENA_0, FAKE_ARENA_BYTES);
    fake_map(fake, 2, FAKE_ARENA_1, FAKE_ARENA_BYTES);
    fake_map(fake, 3, FAKE_DATA, FAKE_DATA_BYTES);
    fake->target.version = (struct python_version){3, 12, 1};
    fake->target.runtime = raddr_of(FAKE_RUNTIME);
    fake->target.reader = fake->reader;
    fake->target.maps = (struct maps){.mappings = fake->mappings, .count = 4};
    fake->target.fds = (struct target_fds)TARGET_FDS_NONE;
    fake->target.python.n_loads = 1;
    fake->target.python.loads[0] = (struct image_load){
        .start = FAKE_DATA, .end = FAKE_DATA + FAKE_DATA_BYTES, .is_writable = true};
    fake_add_pymalloc(fake);
    fake_add_gc(fake);
}

void fake_python_release(struct fake_python *fake)
{
    reader_close(fake->reader);
    free(fake->data);
    free(fake->heap);
    free(fake->arenas[0]);
    free(fake->arenas[1]);
}

/* A linear congruence, so that a failure can be repeated. */
static unsigned fake_random(unsigned *seed)
{
    *seed = *seed * 1103515245u + 12345u;
    return *seed >> 8;
}

void fake_damage(struct fake_python *fake, unsigned *seed, int n_places)
{
    static const uint64_t words[] = {
        0,         UINT64_MAX,        FAKE_TABLE, FAKE_ARENA_0 - 8, FAKE_GC + 24,
        INT64_MAX, UINT64_C(1) << 47, 1};
    static const struct {
        uint64_t start, bytes;
    } places[] = {{FAKE_RUNTIME, 256},      {FAKE_INTERPRETER, 512},
                  {FAKE_STATE + 504, 600},  {FAKE_HEAP, 0x20 + 16 * 48},
                  {FAKE_OBJECTS, 500 * 16}, {FAKE_ARENA_1, 3 * 16384}};

    for (int i = 0; i < n_places; i++) {
        size_t place = fake_random(seed) % 6;
        uint64_t at =
            places[place].start + fake_random(seed) % places[place].bytes / 8 * 8;
        unsigned char *byte = fake_at(fake, at + fake_random(seed) % 8);

        if (fake_random(seed) % 2)
            *byte = (unsigned char)(*byte ^ 1u << fake_random(seed) % 8);
        else
            fake_set_u64(fake, at, words[fake_random(seed) % 8]);
    }
}
