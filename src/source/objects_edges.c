#include "source/objects_edges.h"

#include <stdlib.h>
#include <string.h>

#define ITEMS_FIRST 4096
#define ITEMS_MAX   ((size_t)1 << 31)

bool edges_grow(void **items, size_t count, size_t *capacity, size_t size)
{
    size_t more = count + count / 2, wanted = more > ITEMS_FIRST ? more : ITEMS_FIRST;
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

void edges_pack(struct edges *edges, size_t first_far, size_t first_link)
{
    struct edges_run run = {.is_own = true};

    if ((edges->n_far == first_far && edges->n_links == first_link) ||
        !edge_pack_make(&run.pack, edges->far + first_far, edges->n_far - first_far,
                        edges->links + first_link, edges->n_links - first_link))
        return;
    if (!edges_borrow(edges, &run)) {
        edge_pack_release(&run.pack);
        return;
    }
    edges->n_far = first_far;
    edges->n_links = first_link;
}

bool edges_borrow(struct edges *edges, const struct edges_run *run)
{
    if (edges->n_runs == edges->runs_capacity &&
        !edges_grow((void **)&edges->runs, edges->n_runs, &edges->runs_capacity,
                    sizeof(*edges->runs)))
        return false;
    edges->runs[edges->n_runs++] = *run;
    return true;
}

bool edges_near_piece(const struct edges *edges, size_t piece, const uint64_t **words,
                      size_t *count)
{
    size_t before;

    if (piece < edges->n_runs) {
        *words = edges->runs[piece].near;
        *count = edges->runs[piece].n_near;
        return true;
    }
    piece -= edges->n_runs;
    before = piece << WORDS_PIECE_SHIFT;
    if (before >= edges->near.count)
        return false;
    *words = edges->near.pieces[piece];
    *count = edges->near.count - before < WORDS_PIECE ? edges->near.count - before
                                                      : WORDS_PIECE;
    return true;
}

size_t edges_near_pieces(const struct edges *edges)
{
    return edges->n_runs + ((edges->near.count + WORDS_PIECE - 1) >> WORDS_PIECE_SHIFT);
}

size_t edges_count_near(const struct edges *edges)
{
    size_t count = edges->near.count;

    for (size_t i = 0; i < edges->n_runs; i++)
        count += edges->runs[i].n_near;
    return count;
}

size_t edges_count_far(const struct edges *edges)
{
    size_t count = edges->n_far;

    for (size_t i = 0; i < edges->n_runs; i++)
        count += edges->runs[i].pack.n_far;
    return count;
}

static void word_list_trim(struct word_list *list)
{
    while (list->n_pieces && list->count <= (list->n_pieces - 1) << WORDS_PIECE_SHIFT)
        free(list->pieces[--list->n_pieces]);
}

/* Shorter it may only become. */
static void items_trim(void **items, size_t count, size_t *capacity, size_t size)
{
    void *trimmed;

    if (count == *capacity)
        return;
    trimmed = realloc(*items, count * size + 1);
    if (!trimmed)
        return;
    *items = trimmed;
    *capacity = count;
}

#define ITEMS_TRIM(edges, list)                                                       \
    items_trim((void **)&(edges)->list, (edges)->n_##list, &(edges)->list##_capacity, \
               sizeof(*(edges)->list))

void edges_trim(struct edges *edges)
{
    word_list_trim(&edges->local);
    word_list_trim(&edges->near);
    word_list_trim(&edges->dicts);
    ITEMS_TRIM(edges, far);
    ITEMS_TRIM(edges, links);
    ITEMS_TRIM(edges, runs);
}

static void runs_forget(struct edges *edges)
{
    for (size_t i = 0; i < edges->n_runs; i++)
        if (edges->runs[i].is_own)
            edge_pack_release(&edges->runs[i].pack);
    edges->n_runs = 0;
}

void edges_forget_parts(struct edges *edges)
{
    runs_forget(edges);
    edges->near.count = edges->n_far = 0;
}

void edges_release(struct edges *edges)
{
    runs_forget(edges);
    free(edges->runs);
    word_list_release(&edges->local);
    word_list_release(&edges->near);
    word_list_release(&edges->dicts);
    free(edges->far);
    free(edges->far_dicts);
    free(edges->chains);
    free(edges->linked);
    free(edges->links);
    memset(edges, 0, sizeof(*edges));
}
