#include "fake_heap.h"

#include <stdlib.h>
#include <string.h>

#include "util/xalloc.h"

#define SLOTS 16

static uint8_t *fake_at(struct fake_heap *fake, uint64_t address)
{
    if (address - FAKE_STATICS < FAKE_STATICS_BYTES)
        return fake->bytes + (address - FAKE_STATICS);
    if (address - FAKE_HEAP < FAKE_HEAP_BYTES)
        return fake->bytes + FAKE_STATICS_BYTES + (address - FAKE_HEAP);
    if (address - FAKE_ARENA < FAKE_ARENA_BYTES)
        return fake->bytes + FAKE_STATICS_BYTES + FAKE_HEAP_BYTES +
               (address - FAKE_ARENA);
    abort();
}

void fake_u64(struct fake_heap *fake, uint64_t address, uint64_t value)
{
    memcpy(fake_at(fake, address), &value, sizeof(value));
}

void fake_u32(struct fake_heap *fake, uint64_t address, uint32_t value)
{
    memcpy(fake_at(fake, address), &value, sizeof(value));
}

uint64_t fake_get(const struct fake_heap *fake, uint64_t address)
{
    uint64_t value;

    memcpy(&value, fake_at((struct fake_heap *)fake, address), sizeof(value));
    return value;
}

static uint64_t fake_static(struct fake_heap *fake, uint64_t bytes)
{
    uint64_t address = fake->next_static;

    fake->next_static += (bytes + 15) & ~UINT64_C(15);
    if (fake->next_static > FAKE_STATICS + FAKE_STATICS_BYTES)
        abort();
    return address;
}

uint64_t fake_malloc(struct fake_heap *fake, uint64_t bytes)
{
    uint64_t chunk = (bytes + 8 + 15) & ~UINT64_C(15), address = fake->next_heap + 16;

    if (address + chunk > FAKE_HEAP + FAKE_HEAP_BYTES)
        abort();
    fake_u64(fake, address - 8, chunk | 1);
    fake->next_heap += chunk;
    return address;
}

void fake_object(struct fake_heap *fake, uint64_t address, uint64_t type)
{
    fake_u64(fake, address, 1);
    fake_u64(fake, address + 8, type);
}

static uint64_t fake_text(struct fake_heap *fake, const char *text)
{
    uint64_t address = fake_static(fake, strlen(text) + 1);

    memcpy(fake_at(fake, address), text, strlen(text) + 1);
    return address;
}

uint64_t fake_str_at(struct fake_heap *fake, uint64_t address, const char *text)
{
    fake_object(fake, address, fake->str);
    fake_u64(fake, address + 16, strlen(text));
    fake_u32(fake, address + 32, 1u << 2 | 1u << 5 | 1u << 6);
    memcpy(fake_at(fake, address + 48), text, strlen(text) + 1);
    return address;
}

static uint64_t fake_str(struct fake_heap *fake, const char *text)
{
    return fake_str_at(fake, fake_malloc(fake, 49 + strlen(text)), text);
}

static void fake_type(struct fake_heap *fake, uint64_t address, const char *name,
                      uint64_t basicsize, uint64_t itemsize, uint64_t flags)
{
    const struct object_layout *layout = &fake->layout.object;

    fake_object(fake, address, fake->type);
    fake_u64(fake, address + layout->tp_name, fake_text(fake, name));
    fake_u64(fake, address + layout->tp_basicsize, basicsize);
    fake_u64(fake, address + layout->tp_itemsize, itemsize);
    fake_u64(fake, address + layout->tp_flags, flags | TYPE_FLAG_READY);
    fake_u64(fake, address + layout->tp_base, fake->object);
}

uint64_t fake_static_type(struct fake_heap *fake, const char *name, uint64_t basicsize,
                          uint64_t itemsize, uint64_t flags)
{
    uint64_t address = fake_static(fake, fake->layout.object.type_bytes);

    fake_type(fake, address, name, basicsize, itemsize, flags);
    return address;
}

/* A dict {"__module__": module} as a class has it: unicode keys, 8 slots. */
static uint64_t fake_module_dict(struct fake_heap *fake, const char *module)
{
    uint64_t dict = fake_malloc(fake, 48), keys = fake_malloc(fake, 32 + 8 + 5 * 16);

    fake_object(fake, dict, fake->dict);
    fake_u64(fake, dict + 32, keys);
    fake_u64(fake, keys, 1);
    fake_u64(fake, keys + 8, 3 | 3 << 8 | 1 << 16); /* log2 sizes, unicode keys */
    fake_u64(fake, keys + 24, 2);
    fake_u64(fake, keys + 40, fake_str(fake, "__doc__"));
    fake_u64(fake, keys + 56, fake_str(fake, "__module__"));
    fake_u64(fake, keys + 64, fake_str(fake, module));
    return dict;
}

uint64_t fake_class(struct fake_heap *fake, const char *module, const char *qualname,
                    uint64_t basicsize, uint64_t flags)
{
    const struct object_layout *layout = &fake->layout.object;
    uint64_t address = fake_malloc(fake, GC_HEAD_BYTES + layout->heap_type_bytes) + 16;

    fake_type(fake, address, qualname, basicsize, 0,
              flags | TYPE_FLAG_HEAP | TYPE_FLAG_HAVE_GC);
    if (module)
        fake_u64(fake, address + layout->tp_dict, fake_module_dict(fake, module));
    fake_u64(fake, address + layout->ht_qualname, fake_str(fake, qualname));
    fake_u64(fake, address - 16, FAKE_GC); /* tracked */
    fake_u64(fake, address - 8, FAKE_GC);
    return address;
}

uint64_t fake_block(uint32_t index, uint32_t block_bytes, uint32_t n)
{
    return FAKE_ARENA + index * FAKE_POOL_BYTES + POOL_HEADER_BYTES + n * block_bytes;
}

uint64_t fake_pool(struct fake_heap *fake, uint32_t index, uint32_t block_bytes,
                   uint32_t count)
{
    uint64_t pool = FAKE_ARENA + index * FAKE_POOL_BYTES;

    fake_u32(fake, pool, count);
    fake_u32(fake, pool + 32, 0);
    fake_u32(fake, pool + 36, block_bytes / 16 - 1);
    fake_u32(fake, pool + 40, POOL_HEADER_BYTES + count * block_bytes);
    fake_u32(fake, pool + 44, FAKE_POOL_BYTES - block_bytes);
    return fake_block(index, block_bytes, 0);
}

void fake_free_block(struct fake_heap *fake, uint32_t index, uint64_t block)
{
    uint64_t pool = FAKE_ARENA + index * FAKE_POOL_BYTES;

    fake_u64(fake, block, fake_get(fake, pool + 8));
    fake_u64(fake, pool + 8, block);
    fake_u32(fake, pool, (uint32_t)fake_get(fake, pool) - 1);
}

static void fake_layout(struct fake_heap *fake)
{
    struct layout *layout = &fake->layout;

    layout->version = (struct python_version){3, 11, 7};
    layout->has_pymalloc = layout->has_gc = true;
    object_layout_for(3, 11, &layout->object);
    layout->pymalloc.arena_bytes = 1 << 20;
    layout->pymalloc.pool_bytes = FAKE_POOL_BYTES;
    layout->pymalloc.arenas_word = raddr_of(FAKE_ARENAS_WORD);
    layout->pymalloc.maxarenas_word = raddr_of(FAKE_MAXARENAS);
    layout->gc.state = raddr_of(FAKE_GC);
    layout->gc.generations[1] = 24;
    layout->gc.generations[2] = 48;
}

static void fake_reader(struct fake_heap *fake)
{
    const struct image_segment segments[] = {
        {raddr_of(FAKE_STATICS), fake->bytes, FAKE_STATICS_BYTES},
        {raddr_of(FAKE_HEAP), fake->bytes + FAKE_STATICS_BYTES, FAKE_HEAP_BYTES},
        {raddr_of(FAKE_ARENA), fake->bytes + FAKE_STATICS_BYTES + FAKE_HEAP_BYTES,
         FAKE_ARENA_BYTES},
    };

    fake->reader = reader_image_new(segments, 3);
}

static void fake_arena(struct fake_heap *fake)
{
    uint64_t table = fake_malloc(fake, SLOTS * 48);

    fake_u64(fake, FAKE_ARENAS_WORD, table);
    fake_u32(fake, FAKE_MAXARENAS, SLOTS);
    fake_u64(fake, table, FAKE_ARENA);
    fake_u64(fake, table + 8, FAKE_ARENA + FAKE_ARENA_BYTES);
    fake_u32(fake, table + 16, 64 - FAKE_POOLS);
    fake_u32(fake, table + 20, 64);
    for (uint32_t i = 0; i < 3; i++) {
        fake_u64(fake, FAKE_GC + 24 * i, FAKE_GC + 24 * i);
        fake_u64(fake, FAKE_GC + 24 * i + 8, FAKE_GC + 24 * i);
    }
}

static void fake_types(struct fake_heap *fake)
{
    const uint64_t gc = TYPE_FLAG_HAVE_GC;

    fake->type = fake->next_static;
    fake_static_type(fake, "type", 904, 40, gc | TYPE_FLAG_TYPE);
    fake->object = fake_static_type(fake, "object", 16, 0, 0);
    fake->str = fake_static_type(fake, "str", 80, 0, TYPE_FLAG_STR);
    fake->tuple = fake_static_type(fake, "tuple", 24, 8, gc | TYPE_FLAG_TUPLE);
    fake->list = fake_static_type(fake, "list", 40, 0, gc | TYPE_FLAG_LIST);
    fake->dict = fake_static_type(fake, "dict", 48, 0, gc | TYPE_FLAG_DICT);
    fake->real = fake_static_type(fake, "float", 24, 0, 0);
    fake->integer = fake_static_type(fake, "int", 24, 4, TYPE_FLAG_INT);
}

struct fake_heap *fake_heap_new(void)
{
    struct fake_heap *fake = xcalloc(1, sizeof(*fake));

    fake->next_static = FAKE_TYPES;
    fake->next_heap = FAKE_HEAP;
    fake_layout(fake);
    fake_reader(fake);
    fake_arena(fake);
    fake_types(fake);
    return fake;
}

struct fake_heap *fake_heap_of_bytes(const uint8_t *bytes, size_t size)
{
    struct fake_heap *fake = xcalloc(1, sizeof(*fake));

    if (size)
        memcpy(fake->bytes, bytes, size < FAKE_BYTES ? size : FAKE_BYTES);
    fake->type = FAKE_TYPES;
    fake_layout(fake);
    fake_reader(fake);
    return fake;
}

void fake_heap_free(struct fake_heap *fake)
{
    reader_close(fake->reader);
    free(fake);
}
