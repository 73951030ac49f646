/*
 * fuzz.h - what every fuzz target in this folder gives.
 *
 * LLVMFuzzerTestOneInput() is libFuzzer's entry, so a target can be linked with
 * `clang -fsanitize=fuzzer`; smoke_main.c runs it without, in `make check`.
 */
#ifndef HEAPTOP_TESTS_FUZZ_FUZZ_H
#define HEAPTOP_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Aborts when the tested code breaks a promise. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A good input to begin with; gives its length, 0 when there is none. */
size_t fuzz_seed(uint8_t *buffer, size_t size);

#endif
