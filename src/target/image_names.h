/*
 * image_names.h - the functions that addresses lie in, by an image's dynamic symbols.
 *
 * They lie in memory and are there in a stripped file too, but name what it exports only:
 * a function of its own has no name then.
 */
#ifndef HEAPTOP_TARGET_IMAGE_NAMES_H
#define HEAPTOP_TARGET_IMAGE_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include "target/image.h"

#define IMAGE_NAME_BYTES 80

struct image_name {
    uint64_t address;
    uint64_t start;              /* of the function */
    char text[IMAGE_NAME_BYTES]; /* raw, perhaps cut; "" = not known */
};

/* Fills in start and text of those that lie in functions of the image. The names are
 * sorted by address. */
void image_names_find(const struct image *image, struct reader *reader,
                      struct image_name *names, size_t count);

#endif
