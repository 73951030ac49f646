/* The reader for tests: bytes given as segments, and a fault on demand. */
#include "target/reader.h"

#include <stdlib.h>
#include <string.h>

#include "util/xalloc.h"

struct reader_image {
    struct reader reader;
    uint64_t fails_in; /* reads until one fails; 0 = never */
    size_t count;
    struct image_segment segments[];
};

static int image_reader_read(struct reader *reader, struct raddr address, void *buffer,
                             size_t length)
{
    struct reader_image *image = (struct reader_image *)reader;

    if (image->fails_in && !--image->fails_in)
        return -1;
    if (!length)
        return 0;
    for (size_t i = 0; i < image->count; i++) {
        const struct image_segment *segment = &image->segments[i];
        uint64_t offset = address.value - segment->address.value;

        if (offset >= segment->length || length > segment->length - offset)
            continue;
        memcpy(buffer, (const char *)segment->bytes + offset, length);
        return 0;
    }
    return -1;
}

static void image_reader_close(struct reader *reader)
{
    free(reader);
}

static const struct reader_ops image_reader_ops = {
    .name = "image",
    .read = image_reader_read,
    .close = image_reader_close,
};

struct reader *reader_image_new(const struct image_segment *segments, size_t count)
{
    struct reader_image *image =
        xcalloc(1, sizeof(*image) + count * sizeof(image->segments[0]));

    image->reader.ops = &image_reader_ops;
    image->count = count;
    if (count)
        memcpy(image->segments, segments, count * sizeof(segments[0]));
    return &image->reader;
}

void reader_image_fail_at(struct reader *reader, uint64_t nth_read)
{
    ((struct reader_image *)reader)->fails_in = nth_read;
}
