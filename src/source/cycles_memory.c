#include "source/cycles_memory.h"

#include <stdlib.h>
#include <string.h>

void cycles_memory_release(struct cycles_memory *memory)
{
    for (size_t i = 0; i < LINES; i++)
        free(memory->lines[i]);
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

static const uint8_t *line_of(struct cycles_memory *memory, uint64_t address)
{
    uint64_t start = address & ~(LINE_BYTES - 1);
    size_t at = (size_t)(start / LINE_BYTES % LINES);

    if (memory->addresses[at] == start + 1)
        return memory->lines[at];
    if (!memory->lines[at])
        memory->lines[at] = malloc(LINE_BYTES);
    if (!memory->lines[at])
        return NULL;
    memory->addresses[at] = start + 1;
    cycles_memory_copy(memory, start, memory->lines[at], LINE_BYTES);
    return memory->lines[at];
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
    size_t at = (size_t)(address / LINE_BYTES % LINES);

    if (memory->addresses[at] != address - offset + 1 ||
        offset > LINE_BYTES - sizeof(*value))
        return cycles_memory_read(memory, address, value, sizeof(*value));
    memcpy(value, memory->lines[at] + offset, sizeof(*value));
    return true;
}
