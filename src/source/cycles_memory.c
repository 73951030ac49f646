#include "source/cycles_memory.h"

#include <stdlib.h>
#include <string.h>

void cycles_memory_release(struct cycles_memory *memory)
{
    for (size_t set = 0; set < LINE_SETS; set++)
        for (size_t way = 0; way < LINE_WAYS; way++)
            free(memory->lines[set][way].bytes);
    memset(memory, 0, sizeof(*memory));
}

void cycles_memory_copy(struct cycles_memory *memory, uint64_t address, uint8_t *out,
                        uint64_t length)
{
    uint64_t done = 0;

    while (done < length) {
        bool is_resident;
        uint64_t run = residency_stretch(memory->residency, address + done, length - done,
                                         &is_resident);

        if (!is_resident || reader_read(memory->reader, raddr_of(address + done),
                                        out + done, (size_t)run))
            memset(out + done, 0, (size_t)run);
        done += run;
    }
}

/* Arenas are alike and stand at equal distances: the high bits choose, too. */
static size_t set_of(uint64_t start)
{
    return (start / LINE_BYTES * UINT64_C(0x9e3779b97f4a7c15) >> 32) % LINE_SETS;
}

/* Not in front of its set. */
static const uint8_t *line_elsewhere(struct cycles_memory *memory, uint64_t start,
                                     struct cycles_line *set)
{
    struct cycles_line line;
    size_t way = 1;

    while (way < LINE_WAYS - 1 && set[way].address != start + 1)
        way++;
    line = set[way];
    if (!line.bytes)
        line.bytes = malloc(LINE_BYTES);
    if (!line.bytes)
        return NULL;
    if (line.address != start + 1)
        cycles_memory_copy(memory, start, line.bytes, LINE_BYTES);
    line.address = start + 1;
    memmove(set + 1, set, way * sizeof(*set));
    set[0] = line;
    return line.bytes;
}

static const uint8_t *line_of(struct cycles_memory *memory, uint64_t address)
{
    uint64_t start = address & ~(LINE_BYTES - 1);
    struct cycles_line *set = memory->lines[set_of(start)];

    return set[0].address == start + 1 ? set[0].bytes
                                       : line_elsewhere(memory, start, set);
}

bool cycles_memory_is_near(const struct cycles_memory *memory, uint64_t address)
{
    uint64_t start = address & ~(LINE_BYTES - 1);
    const struct cycles_line *set = memory->lines[set_of(start)];

    for (size_t way = 0; way < LINE_WAYS; way++)
        if (set[way].address == start + 1)
            return true;
    return false;
}

bool cycles_memory_read(struct cycles_memory *memory, uint64_t address, void *buffer,
                        size_t length)
{
    uint8_t *out = buffer;

    while (length) {
        uint64_t offset = address & (LINE_BYTES - 1);
        size_t some =
            LINE_BYTES - offset < length ? (size_t)(LINE_BYTES - offset) : length;
        const uint8_t *line = address < RADDR_END ? line_of(memory, address) : NULL;

        if (!line)
            return false;
        memcpy(out, line + offset, some);
        out += some;
        address += some;
        length -= some;
    }
    return true;
}

bool cycles_memory_u64(struct cycles_memory *memory, uint64_t address, uint64_t *value)
{
    uint64_t offset = address & (LINE_BYTES - 1);
    const struct cycles_line *line = memory->lines[set_of(address - offset)];

    if (line->address != address - offset + 1 || offset > LINE_BYTES - sizeof(*value))
        return cycles_memory_read(memory, address, value, sizeof(*value));
    memcpy(value, line->bytes + offset, sizeof(*value));
    return true;
}
