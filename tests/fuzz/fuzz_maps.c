/* maps_parse() on any bytes: sorted, not overlapping, every path inside. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"
#include "target/maps.h"

static void demand(bool condition)
{
    if (!condition)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct maps maps;
    uint64_t end = 0;

    maps_parse(&maps, (const char *)data, size);
    demand(maps.count <= MAPS_LIMIT);
    for (size_t i = 0; i < maps.count; i++) {
        const struct mapping *mapping = &maps.mappings[i];

        demand(mapping->start < mapping->end && mapping->start >= end);
        end = mapping->end;
        demand(mapping->path >= maps.paths && mapping->path <= maps.paths + size);
        demand(strlen(mapping->path) <= size);
        demand(maps_find(&maps, raddr_of(mapping->start)) == mapping);
        demand(maps_find(&maps, raddr_of(mapping->end - 1)) == mapping);
        demand(maps_find(&maps, raddr_of(mapping->end)) != mapping);
    }
    maps_release(&maps);
    return 0;
}

size_t fuzz_seed(uint8_t *buffer, size_t size)
{
    int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, buffer, size);

    if (fd >= 0)
        close(fd);
    return got > 0 ? (size_t)got : 0;
}
