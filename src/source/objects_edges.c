#include "source/objects_edges.h"

#include <stdlib.h>
#include <string.h>

#define ITEMS_FIRST 4096
#define ITEMS_MAX   ((size_t)1 << 31)

bool edges_grow(void **items, size_t count, size_t *capacity, size_t size)
{
    size_t wanted = count ? count + count / 2 : ITEMS_FIRST;
    void *grown = wanted > ITEMS_MAX ? NULL : realloc(*items, wanted * size);

    if (!grown)
        return false;
    *items = grown;
    *capacity = wanted;
    return true;
}

void edges_release(struct edges *edges)
{
    free(edges->near);
    free(edges->dicts);
    free(edges->far);
    free(edges->far_dicts);
    free(edges->chains);
    free(edges->links);
    memset(edges, 0, sizeof(*edges));
}
