#include "layout/decode.h"

#include <stdbool.h>
#include <string.h>

/* Opcodes with a ModRM byte that read a whole 4 or 8 byte operand from memory:
 * 8b mov, 03 add, 3b and 39 cmp. */
static bool is_load_opcode(uint8_t byte)
{
    return byte == 0x8b || byte == 0x03 || byte == 0x3b || byte == 0x39;
}

/* The operand behind the opcode at `at`: [rip + disp32], or [disp32] as non-PIE code
 * may have it. False when it is neither. */
static bool decode_operand(const uint8_t *code, size_t length, size_t opcode, uint64_t at,
                           uint64_t *address)
{
    int32_t displacement;
    uint8_t modrm;

    if (length - opcode < 6)
        return false;
    modrm = code[opcode + 1];
    if ((modrm & 0xc7) == 0x05) {
        memcpy(&displacement, code + opcode + 2, sizeof(displacement));
        *address = at + opcode + 6 + (uint64_t)(int64_t)displacement;
        return true;
    }
    if ((modrm & 0xc7) != 0x04 || code[opcode + 2] != 0x25 || length - opcode < 7)
        return false;
    memcpy(&displacement, code + opcode + 3, sizeof(displacement));
    *address = (uint64_t)(int64_t)displacement;
    return true;
}

size_t decode_loads(const uint8_t *code, size_t length, uint64_t at,
                    struct code_load *loads, size_t max)
{
    size_t count = 0;

    for (size_t i = 0; i < length && count < max; i++) {
        uint64_t address;
        bool is_wide;

        if (!is_load_opcode(code[i]) || !decode_operand(code, length, i, at, &address))
            continue;
        is_wide = i && (code[i - 1] & 0xf8) == 0x48; /* REX.W */
        loads[count++] = (struct code_load){address, is_wide ? 8 : 4};
    }
    return count;
}

/* lea reg, [rip + disp32]: 8d; or mov reg, [index * scale + disp32]: 8b. */
size_t decode_tables(const uint8_t *code, size_t length, uint64_t at, uint64_t *addresses,
                     size_t max)
{
    size_t count = 0;
    int32_t displacement;

    for (size_t i = 0; length >= 7 && i <= length - 7 && count < max; i++) {
        if (code[i] == 0x8d && (code[i + 1] & 0xc7) == 0x05) {
            memcpy(&displacement, code + i + 2, sizeof(displacement));
            addresses[count++] = at + i + 6 + (uint64_t)(int64_t)displacement;
        } else if (code[i] == 0x8b && (code[i + 1] & 0xc7) == 0x04 &&
                   (code[i + 2] & 7) == 5 && (code[i + 2] & 0x38) != 0x20) {
            memcpy(&displacement, code + i + 3, sizeof(displacement));
            addresses[count++] = (uint64_t)(int64_t)displacement;
        }
    }
    return count;
}

size_t decode_jumps(const uint8_t *code, size_t length, uint64_t at, uint64_t *targets,
                    size_t max)
{
    size_t count = 0;

    for (size_t i = 0; length >= 5 && i <= length - 5 && count < max; i++) {
        int32_t distance;
        bool is_jump = code[i] == 0xe8 || code[i] == 0xe9;
        /* 0f 8x: a jump on a condition; its distance begins one byte later. */
        bool is_conditional = i && code[i - 1] == 0x0f && (code[i] & 0xf0) == 0x80;

        if (!is_jump && !is_conditional)
            continue;
        memcpy(&distance, code + i + 1, sizeof(distance));
        targets[count++] = at + i + 5 + (uint64_t)(int64_t)distance;
    }
    return count;
}
