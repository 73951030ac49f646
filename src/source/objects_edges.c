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

bool word_list_grow(struct word_list *list)
{
    uint64_t *piece = malloc(WORDS_PIECE * sizeof(*piece)), **pieces;

    pieces = piece ? realloc(list->pieces, (list->n_pieces + 1) * sizeof(piece)) : NULL;
    if (!pieces) {
        free(piece);
        return false;
    }
    list->pieces = pieces;
    list->pieces[list->n_pieces++] = piece;
    return true;
}

static void word_list_release(struct word_list *list)
{
    for (size_t i = 0; i < list->n_pieces; i++)
        free(list->pieces[i]);
    free(list->pieces);
}

void edges_release(struct edges *edges)
{
    word_list_release(&edges->local);
    word_list_release(&edges->near);
    word_list_release(&edges->dicts);
    free(edges->far);
    free(edges->far_dicts);
    free(edges->chains);
    free(edges->links);
    memset(edges, 0, sizeof(*edges));
}
