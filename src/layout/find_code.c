/*
 * Which of the image's variables an exported function reads, also through the parts
 * into which the compiler split it (gcc's .part and .cold).
 */
#include "layout/find.h"

#include "layout/decode.h"

#define CODE_BYTES    4096
#define SMALL_BYTES   256 /* a function that only sums a few counters */
#define WRAPPER_BYTES 128 /* shorter functions hand on to another part */
#define PART_BYTES    1280
#define PARTS_MAX     8

static bool is_in_load(const struct image *image, uint64_t address, bool executable)
{
    for (size_t i = 0; i < image->n_loads && i < IMAGE_SEGMENTS_MAX; i++) {
        const struct image_load *load = &image->loads[i];

        if ((executable ? load->is_executable : load->is_writable) &&
            address >= load->start && address < load->end && load->end - address >= 8)
            return true;
    }
    return false;
}

/* Adds the loads of one stretch of code that lie in the image's data. */
static size_t add_loads(struct target *target, const uint8_t *code, size_t length,
                        uint64_t at, struct code_load *loads, size_t count, size_t max)
{
    size_t found = decode_loads(code, length, at, loads + count, max - count);

    for (size_t end = count + found, i = count; i < end; i++)
        if (is_in_load(&target->python, loads[i].address, false))
            loads[count++] = loads[i];
    return count;
}

/* The beginning of an exported function; 0 when there is none. */
static size_t read_code(struct target *target, const char *function, uint8_t *code,
                        size_t most, struct raddr *address)
{
    struct image_symbol symbol;
    size_t length = most;

    if (!image_symbol(&target->python, target->reader, function, &symbol))
        return 0;
    if (symbol.size_bytes && symbol.size_bytes < length)
        length = (size_t)symbol.size_bytes;
    *address = symbol.address;
    return reader_read(target->reader, symbol.address, code, length) ? 0 : length;
}

size_t find_code_tables(struct target *target, const char *function, uint64_t *addresses,
                        size_t max)
{
    uint8_t code[SMALL_BYTES];
    struct raddr at;
    size_t length = read_code(target, function, code, sizeof(code), &at);
    size_t found = length ? decode_tables(code, length, at.value, addresses, max) : 0;
    size_t count = 0;

    for (size_t i = 0; i < found; i++)
        if (is_in_load(&target->python, addresses[i], false))
            addresses[count++] = addresses[i];
    return count;
}

size_t find_code_loads(struct target *target, const char *function, bool with_parts,
                       struct code_load *loads, size_t max)
{
    uint8_t code[CODE_BYTES], part[PART_BYTES];
    struct raddr at;
    uint64_t jumps[PARTS_MAX];
    size_t length =
        read_code(target, function, code, with_parts ? CODE_BYTES : SMALL_BYTES, &at);
    size_t count, n_jumps;

    if (!length)
        return 0;
    count = add_loads(target, code, length, at.value, loads, 0, max);
    if (!with_parts || length > WRAPPER_BYTES)
        return count;
    n_jumps = decode_jumps(code, length, at.value, jumps, PARTS_MAX);
    for (size_t i = 0; i < n_jumps; i++)
        if (is_in_load(&target->python, jumps[i], true) &&
            !reader_read(target->reader, raddr_of(jumps[i]), part, sizeof(part)))
            count = add_loads(target, part, sizeof(part), jumps[i], loads, count, max);
    return count;
}
