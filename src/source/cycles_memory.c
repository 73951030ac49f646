#include "source/cycles_memory.h"

#include <stdlib.h>
#include <string.h>

#define PART_BYTES (LINE_BYTES / LINE_PARTS)
#define PARTS_ALL  ((1u << LINE_PARTS) - 1)

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

/* Brings the line to the front of its set, without what is in it; false: no memory. */
static bool line_place(struct cycles_line *set, uint64_t start)
{
    struct cycles_line line;
    size_t way = 0;

    while (way < LINE_WAYS - 1 && set[way].address != start + 1)
        way++;
    line = set[way];
    if (!line.bytes)
        line.bytes = malloc(LINE_BYTES);
    if (!line.bytes)
        return false;
    if (line.address != start + 1)
        line.parts = 0;
    line.address = start + 1;
    memmove(set + 1, set, way * sizeof(*set));
    set[0] = line;
    return true;
}

static uint32_t parts_of(uint64_t offset, size_t length)
{
    unsigned first = (unsigned)(offset / PART_BYTES);
    unsigned last = (unsigned)((offset + length - 1) / PART_BYTES);

    return ((2u << last) - 1) & ~((1u << first) - 1);
}

/* Reads what is wanted and not there yet; all when somebody comes here again. */
static void parts_read(struct cycles_memory *memory, struct cycles_line *line,
                       uint32_t wanted)
{
    uint64_t start = line->address - 1;
    unsigned from, to;

    if (!memory->is_scattered || line->parts)
        wanted = PARTS_ALL;
    wanted &= ~line->parts;
    if (!wanted)
        return;
    from = (unsigned)__builtin_ctz(wanted);
    to = 32 - (unsigned)__builtin_clz(wanted);
    cycles_memory_copy(memory, start + from * PART_BYTES, line->bytes + from * PART_BYTES,
                       (to - from) * PART_BYTES);
    line->parts |= ((2u << (to - 1)) - 1) & ~((1u << from) - 1);
}

/* The line, in which all of these bytes are there; NULL: no memory. */
static const uint8_t *line_of(struct cycles_memory *memory, uint64_t start,
                              uint64_t offset, size_t length)
{
    struct cycles_line *set = memory->lines[set_of(start)];
    uint32_t wanted = parts_of(offset, length);

    if (set[0].address != start + 1 && !line_place(set, start))
        return NULL;
    if (wanted & ~set[0].parts)
        parts_read(memory, &set[0], wanted);
    return set[0].bytes;
}

bool cycles_memory_is_near(const struct cycles_memory *memory, uint64_t address)
{
    uint64_t start = address & ~(LINE_BYTES - 1);
    const struct cycles_line *set = memory->lines[set_of(start)];

    for (size_t way = 0; way < LINE_WAYS; way++)
        if (set[way].address == start + 1)
            return set[way].parts & parts_of(address - start, 1);
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
        const uint8_t *line =
            address < RADDR_END ? line_of(memory, address - offset, offset, some) : NULL;

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

    if (line->address != address - offset + 1 || line->parts != PARTS_ALL ||
        offset > LINE_BYTES - sizeof(*value))
        return cycles_memory_read(memory, address, value, sizeof(*value));
    memcpy(value, line->bytes + offset, sizeof(*value));
    return true;
}
