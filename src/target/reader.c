#include "target/reader.h"

#include <inttypes.h>
#include <string.h>

int reader_read(struct reader *reader, struct raddr address, void *buffer, size_t length)
{
    reader->calls++;
    reader->read_bytes += length;
    return reader->ops->read(reader, address, buffer, length);
}

int reader_fetch(struct reader *reader, struct raddr address, void *buffer, size_t length,
                 const char *what, struct err *err)
{
    if (!reader_read(reader, address, buffer, length))
        return 0;
    return err_set(err, ERR_FAILED, "cannot read %s of the target at 0x%" PRIx64, what,
                   address.value);
}

size_t reader_readv(struct reader *reader, struct piece *pieces, size_t count)
{
    reader->calls++;
    for (size_t i = 0; i < count; i++) {
        reader->read_bytes += pieces[i].length;
        pieces[i].done = false;
    }
    return reader->ops->readv(reader, pieces, count);
}

bool reader_u64(struct reader *reader, struct raddr address, uint64_t *value)
{
    return !reader_read(reader, address, value, sizeof(*value));
}

bool reader_u32(struct reader *reader, struct raddr address, uint32_t *value)
{
    return !reader_read(reader, address, value, sizeof(*value));
}

bool reader_string(struct reader *reader, struct raddr address, char *buffer, size_t size)
{
    size_t used = 0;

    while (used < size) {
        /* Up to the next page boundary: the page after may not exist. */
        uint64_t at = address.value + used;
        size_t step = (size_t)(4096 - at % 4096);

        if (step > size - used)
            step = size - used;
        if (step > 256)
            step = 256;
        if (reader_read(reader, raddr_of(at), buffer + used, step))
            return false;
        if (memchr(buffer + used, '\0', step))
            return true;
        used += step;
    }
    return false;
}

void reader_close(struct reader *reader)
{
    if (reader)
        reader->ops->close(reader);
}
