/*
 * image.h - an ELF object mapped into the target, read from the target's memory.
 *
 * Nothing is opened by path, so chroots, containers, deleted and upgraded files
 * do not matter. Symbols are looked up through the dynamic hash tables with a
 * few small remote reads a name. Section names (".PyRuntime") are not in
 * memory; they come from the file when it can be opened safely (elfutils), and
 * every user has a way without them.
 *
 * All tables are hostile: every index is bounded.
 */
#ifndef HEAPTOP_TARGET_IMAGE_H
#define HEAPTOP_TARGET_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "heaptop/err.h"
#include "target/maps.h"
#include "target/raddr.h"
#include "target/reader.h"

#define IMAGE_SEGMENTS_MAX 16

struct image_load {
    uint64_t start; /* run-time addresses of a PT_LOAD: [start, end), memory size */
    uint64_t end;
    bool is_writable;
    bool is_executable;
};

struct image {
    uint64_t bias; /* run-time address - ELF virtual address */
    uint64_t base; /* run-time address of the ELF header */
    uint64_t entry;
    struct image_load loads[IMAGE_SEGMENTS_MAX];
    size_t n_loads;
    uint64_t eh_frame_hdr; /* 0 when there is none */
    uint64_t eh_frame_hdr_bytes;
    uint64_t symtab, strtab, strtab_bytes, gnu_hash, sysv_hash; /* run-time, 0 = none */
    uint64_t versym;
    char path[512]; /* as in maps, raw; "" for the vdso */
};

struct image_symbol {
    struct raddr address;
    uint64_t size_bytes;
    bool is_function;
};

/* Reads the ELF object whose header is mapped at `mapping`. -1: not ELF, not
 * 64-bit, not this machine, or unreadable. */
int image_read(struct image *image, struct reader *reader, const struct mapping *mapping,
               struct err *err);

/* Finds a dynamic symbol defined in the image; prefers the default version. */
bool image_symbol(const struct image *image, struct reader *reader, const char *name,
                  struct image_symbol *symbol);

/* Calls `visit` for every defined dynamic symbol until it returns false; bounded. */
void image_each_symbol(const struct image *image, struct reader *reader,
                       bool (*visit)(void *context, const char *name,
                                     const struct image_symbol *symbol),
                       void *context);

/* The same without names, which would have to be copied. */
void image_each_place(const struct image *image, struct reader *reader,
                      bool (*visit)(void *context, const struct image_symbol *symbol),
                      void *context);

bool image_contains(const struct image *image, struct raddr address);

/* Are the object's executable segments really mapped executable where its header
 * says? False for a file that was only mapped to be looked into. */
bool image_is_loaded(const struct image *image, const struct maps *maps);

#endif
