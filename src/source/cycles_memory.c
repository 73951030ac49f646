#include "source/cycles_memory.h"

#include <stdlib.h>
#include <string.h>

void cycles_memory_release(struct cycles_memory *memory)
{
    for (size_t i = 0; i < LINES; i++)
        free(memory->lines[i]);
    memset(memory, 0, sizeof(*memory));
}

static void line_fill(struct cycles_memory *memory, uint8_t *line, uint64_t address)
{
    uint64_t done = 0;

    while (done < LINE_BYTES) {
        bool is_resident;
        uint64_t run = residency_stretch(memory->residency, address + done,
                                         LINE_BYTES - done, &is_resident);

        if (!is_resident || reader_read(memory->reader, raddr_of(address + done),
                                        line + done, (size_t)run))
            memset(line + done, 0, (size_t)run);
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
    line_fill(memory, memory->lines[at], start);
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
    return cycles_memory_read(memory, address, value, sizeof(*value));
}
