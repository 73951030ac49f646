#include "target/reader.h"

#include <inttypes.h>
#include <string.h>

#define PAGE_BYTES UINT64_C(4096)

/* Several threads may read. */
static void reader_price(struct reader *reader, size_t length)
{
    __atomic_fetch_add(&reader->calls, 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(&reader->read_bytes, length, __ATOMIC_RELAXED);
}

int reader_read(struct reader *reader, struct raddr address, void *buffer, size_t length)
{
    reader_price(reader, length);
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

static size_t read_each(struct reader *reader, struct piece *pieces, size_t count)
{
    size_t n_done = 0;

    for (size_t i = 0; i < count; i++) {
        pieces[i].done = !reader->ops->read(reader, pieces[i].address, pieces[i].buffer,
                                            pieces[i].length);
        n_done += pieces[i].done;
    }
    return n_done;
}

size_t reader_readv(struct reader *reader, struct piece *pieces, size_t count)
{
    size_t length = 0;

    for (size_t i = 0; i < count; i++) {
        length += pieces[i].length;
        pieces[i].done = false;
    }
    reader_price(reader, length);
    if (!reader->ops->readv)
        return read_each(reader, pieces, count);
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

int reader_by_pages(struct reader *under, reader_page_fn *page_at, void *kept,
                    struct raddr address, void *buffer, size_t length)
{
    while (length) {
        uint64_t inside = address.value % PAGE_BYTES;
        size_t step = length < PAGE_BYTES - inside ? length : PAGE_BYTES - inside;
        const uint8_t *page = page_at(kept, address.value - inside);

        if (page)
            memcpy(buffer, page + inside, step);
        else if (reader_read(under, address, buffer, step))
            return -1;
        buffer = (char *)buffer + step;
        address.value += step;
        length -= step;
    }
    return 0;
}

void reader_close(struct reader *reader)
{
    if (reader)
        reader->ops->close(reader);
}
