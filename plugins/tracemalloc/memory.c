#include "plugins/tracemalloc/memory.h"

#include <string.h>

#define BLOCK_BYTES UINT64_C(16384)
#define BLOCKS      512

static struct {
    const struct heaptop_host *host;
    struct {
        uint64_t begin; /* 0: empty; addresses below the first block are never mapped */
        bool is_there;
        unsigned char bytes[BLOCK_BYTES];
    } blocks[BLOCKS];
} memory; /* one process, one thread */

void memory_begin(const struct heaptop_host *host)
{
    memory.host = host;
    for (size_t i = 0; i < BLOCKS; i++)
        memory.blocks[i].begin = 0;
}

/* The block that begins here, or NULL: it cannot be read. */
static const unsigned char *block_at(uint64_t begin)
{
    size_t place = begin / BLOCK_BYTES % BLOCKS;

    if (!begin)
        return NULL;
    if (memory.blocks[place].begin != begin) {
        memory.blocks[place].begin = begin;
        memory.blocks[place].is_there =
            memory.host->read(memory.host, begin, memory.blocks[place].bytes,
                              BLOCK_BYTES) == 0;
    }
    return memory.blocks[place].is_there ? memory.blocks[place].bytes : NULL;
}

/* At the edge of a mapping a block is there in part only. */
bool memory_read(uint64_t address, void *to, size_t bytes)
{
    uint64_t begin = address / BLOCK_BYTES * BLOCK_BYTES;
    const unsigned char *block = NULL;

    if (bytes <= BLOCK_BYTES && address - begin <= BLOCK_BYTES - bytes)
        block = block_at(begin);
    if (!block)
        return memory.host->read(memory.host, address, to, bytes) == 0;
    memcpy(to, block + (address - begin), bytes);
    return true;
}

bool memory_word(uint64_t address, uint64_t *word)
{
    return address % sizeof(*word) == 0 && memory_read(address, word, sizeof(*word));
}
