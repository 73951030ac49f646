/*
 * cycles_memory.h - the target's memory in lines that are kept, for reading all over it.
 *
 * Pages that are not in memory are not touched: they read as zeros. One thread.
 */
#ifndef HEAPTOP_SOURCE_CYCLES_MEMORY_H
#define HEAPTOP_SOURCE_CYCLES_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "target/reader.h"
#include "target/residency.h"

#define LINE_BYTES (UINT64_C(16) << 10)
#define LINE_SETS  32 /* a line has its place in one of them */
#define LINE_WAYS  4
#define LINE_PARTS 16 /* that can be read alone */

struct cycles_memory {
    struct reader *reader;
    struct residency *residency;
    /* Who comes by in no order wants no more of a line than it asks for. */
    bool is_scattered;
    /* By set, the one last used first. */
    struct cycles_line {
        uint64_t address; /* + 1; 0 = none */
        uint8_t *bytes;
        uint32_t parts; /* that were read: a bit for each */
    } lines[LINE_SETS][LINE_WAYS];
};

void cycles_memory_release(struct cycles_memory *memory);

/* Copies without keeping; what is not in memory or cannot be read becomes zeros. */
void cycles_memory_copy(struct cycles_memory *memory, uint64_t address, uint8_t *out,
                        uint64_t length);

/* Would reading there cost nothing now? */
bool cycles_memory_is_near(const struct cycles_memory *memory, uint64_t address);

/* Copies; false when it cannot be read. */
bool cycles_memory_read(struct cycles_memory *memory, uint64_t address, void *buffer,
                        size_t length);
bool cycles_memory_u64(struct cycles_memory *memory, uint64_t address, uint64_t *value);

#endif
