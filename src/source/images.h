/*
 * images.h - the ELF objects that the target has mapped: their memory, and whose malloc
 * it is.
 *
 * Read from the target's memory, and again only when other files are mapped. A malloc is
 * named by what its image exports beside `malloc`; the first such image wins as it does
 * for the dynamic linker, and glibc's is the one that is left.
 *
 * One thread. Paths in it come from the target: raw.
 */
#ifndef HEAPTOP_SOURCE_IMAGES_H
#define HEAPTOP_SOURCE_IMAGES_H

#include <stddef.h>
#include <stdint.h>

#include "target/image.h"
#include "target/maps.h"
#include "target/reader.h"

/* A loaded segment: pages of [start, end), .bss included. */
struct image_range {
    uint64_t start, end;
    uint32_t path; /* index into `paths` */
    bool is_writable;
};

struct images {
    struct image_range *ranges; /* sorted by address */
    size_t count, capacity;
    char **paths;
    size_t n_paths;
    uint64_t fingerprint;  /* of the mappings that it was made from; 0 = of none */
    const char *allocator; /* "glibc", "jemalloc", ...; "" = not known. Static text. */
    uint64_t malloc_start, malloc_end; /* writable segment of glibc's image; 0 = none */
};

/* Reads what is new; cheap when nothing is. */
void images_refresh(struct images *images, struct reader *reader,
                    const struct maps *maps);
void images_release(struct images *images);

#endif
