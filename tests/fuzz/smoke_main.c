/*
 * Runs a fuzz target on its seed, on the files that are named, and on mutations of
 * them that are the same on every run. Prints TAP: a crash is a failed program.
 *
 *     fuzz_maps [-n MUTATIONS] [FILE...]
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"

#define INPUT_MAX (1u << 20)

/* xorshift64*: the same numbers everywhere. */
static uint64_t next_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(0x2545f4914f6cdd1d);
}

static uint64_t interesting(uint64_t *state)
{
    static const uint64_t values[] = {
        0, 1, 0x7f, 0xff, 0xffff, 0x7fffffff, 0xffffffff, UINT64_MAX, (uint64_t)1 << 63};

    return values[next_random(state) % (sizeof(values) / sizeof(values[0]))];
}

/* One change: a bit, a byte, a word, a cut, a copy of a piece over another. */
static size_t mutate(uint8_t *bytes, size_t size, uint64_t *state)
{
    size_t at = size ? next_random(state) % size : 0;
    size_t length = 1 + next_random(state) % 64, from;
    uint64_t word = interesting(state);

    if (!size)
        return size;
    if (length > size - at)
        length = size - at;
    switch (next_random(state) % 6) {
    case 0:
        bytes[at] ^= (uint8_t)(1u << next_random(state) % 8);
        break;
    case 1:
        bytes[at] = (uint8_t)next_random(state);
        break;
    case 2:
        memcpy(bytes + at, &word, length < 8 ? length : 8);
        break;
    case 3:
        return at;
    case 4:
        from = next_random(state) % (size - length + 1);
        memmove(bytes + at, bytes + from, length);
        break;
    default:
        memmove(bytes + at, bytes + at + length, size - at - length);
        return size - length;
    }
    return size;
}

static void run_mutations(const uint8_t *bytes, size_t size, long count)
{
    uint64_t state = UINT64_C(0x9e3779b97f4a7c15);
    /* The exact size, so that a sanitizer sees the end. */
    uint8_t *scratch = malloc(size ? size : 1);

    if (!scratch)
        abort();
    for (long i = 0; i < count; i++) {
        size_t left = size, changes = 1 + next_random(&state) % 8;
        uint8_t *exact;

        memcpy(scratch, bytes, size);
        while (changes--)
            left = mutate(scratch, left, &state);
        exact = malloc(left ? left : 1);
        if (!exact)
            abort();
        memcpy(exact, scratch, left);
        LLVMFuzzerTestOneInput(exact, left);
        free(exact);
    }
    free(scratch);
}

static void run_input(const char *words, const uint8_t *bytes, size_t size, long count,
                      int *points)
{
    LLVMFuzzerTestOneInput(bytes, size);
    run_mutations(bytes, size, count);
    printf("ok %d - %s, %zu bytes, and %ld mutations\n", ++*points, words, size, count);
    fflush(stdout);
}

static size_t read_file(const char *path, uint8_t *buffer, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, buffer, size);

    if (fd >= 0)
        close(fd);
    return got > 0 ? (size_t)got : 0;
}

int main(int argc, char **argv)
{
    uint8_t *buffer = calloc(INPUT_MAX, 1);
    long count = 3000;
    int points = 0, first = 1;
    size_t size;

    if (!buffer)
        return 1;
    if (argc > 2 && !strcmp(argv[1], "-n")) {
        count = strtol(argv[2], NULL, 10);
        first = 3;
    }
    LLVMFuzzerTestOneInput(buffer, 0);
    size = fuzz_seed(buffer, INPUT_MAX);
    if (size)
        run_input("the seed", buffer, size, count, &points);
    for (int i = first; i < argc; i++) {
        size = read_file(argv[i], buffer, INPUT_MAX);
        run_input(argv[i], buffer, size, count, &points);
    }
    memset(buffer, 0xff, 4096);
    run_input("noise", buffer, 4096, count, &points);
    printf("1..%d\n", points);
    free(buffer);
    return 0;
}
