/* The order of the list, and what a pattern leaves of it. */
#include "target/candidates_private.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/xalloc.h"

#define ANCESTORS_MAX 4096 /* a listing that is torn may have a ring of parents */

#define NO_ROW SIZE_MAX

/* Rows are numbers in the PID-sorted order while the tree is built. */
struct tree {
    const struct candidates *list;
    size_t *parent, *first_child, *next; /* NO_ROW = none */
    bool *is_placed;
    struct candidate *ordered;
    size_t n_ordered;
};

static const struct listed *find_listed(const struct listed *listed, size_t count,
                                        pid_t pid)
{
    size_t low = 0, high = count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (listed[middle].pid == pid)
            return &listed[middle];
        if (listed[middle].pid < pid)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static size_t find_row(const struct candidates *list, pid_t pid)
{
    size_t low = 0, high = list->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (list->rows[middle].pid == pid)
            return middle;
        if (list->rows[middle].pid < pid)
            low = middle + 1;
        else
            high = middle;
    }
    return NO_ROW;
}

static size_t nearest_ancestor(const struct candidates *list, const struct listed *listed,
                               size_t count, const struct candidate *row)
{
    const struct listed *at = find_listed(listed, count, row->pid);

    for (int steps = 0; at && at->parent > 0 && steps < ANCESTORS_MAX; steps++) {
        size_t found = find_row(list, at->parent);

        if (found != NO_ROW)
            return list->rows[found].pid == row->pid ? NO_ROW : found;
        at = find_listed(listed, count, at->parent);
    }
    return NO_ROW;
}

static void place(struct tree *tree, size_t row, int depth)
{
    size_t parent = tree->parent[row];
    struct candidate *placed = &tree->ordered[tree->n_ordered++];

    *placed = tree->list->rows[row];
    placed->depth = depth;
    placed->parent = depth ? tree->list->rows[parent].pid : 0;
    tree->is_placed[row] = true;
}

/* The row and all below it, without recursion: a chain may be long. */
static void place_below(struct tree *tree, size_t root)
{
    size_t at = root;
    int depth = 0;

    place(tree, root, 0);
    for (;;) {
        size_t child = tree->first_child[at];

        if (child != NO_ROW && !tree->is_placed[child]) {
            at = child;
            place(tree, at, ++depth);
            continue;
        }
        while (at != root && tree->next[at] == NO_ROW) {
            at = tree->parent[at];
            depth--;
        }
        if (at == root)
            return;
        at = tree->next[at];
        if (!tree->is_placed[at])
            place(tree, at, depth);
    }
}

/* From the last to the first, so that children come in PID order. */
static void link_children(struct tree *tree)
{
    for (size_t i = tree->list->count; i-- > 0;) {
        size_t parent = tree->parent[i];

        if (parent == NO_ROW)
            continue;
        tree->next[i] = tree->first_child[parent];
        tree->first_child[parent] = i;
    }
}

void candidates_order(struct candidates *list, const struct listed *listed, size_t count)
{
    size_t n = list->count;
    struct tree tree = {.list = list};

    if (!n)
        return;
    tree.parent = xcalloc(n, sizeof(size_t));
    tree.first_child = xcalloc(n, sizeof(size_t));
    tree.next = xcalloc(n, sizeof(size_t));
    tree.is_placed = xcalloc(n, sizeof(bool));
    tree.ordered = xcalloc(n, sizeof(*tree.ordered));
    for (size_t i = 0; i < n; i++) {
        tree.parent[i] = nearest_ancestor(list, listed, count, &list->rows[i]);
        tree.first_child[i] = tree.next[i] = NO_ROW;
    }
    link_children(&tree);
    for (size_t i = 0; i < n; i++)
        if (tree.parent[i] == NO_ROW)
            place_below(&tree, i);
    /* What no root leads to is in a ring: it is shown at the top. */
    for (size_t i = 0; i < n; i++)
        if (!tree.is_placed[i])
            place(&tree, i, 0);
    free(list->rows);
    list->rows = tree.ordered;
    free(tree.parent);
    free(tree.first_child);
    free(tree.next);
    free(tree.is_placed);
}

/* Smart case: a pattern without capitals matches both. */
static bool matches(const struct candidate *row, const char *pattern, bool has_capitals)
{
    char pid[16];

    snprintf(pid, sizeof(pid), "%d", (int)row->pid);
    if (strstr(pid, pattern))
        return true;
    return has_capitals ? strstr(row->command, pattern) != NULL
                        : strcasestr(row->command, pattern) != NULL;
}

static void keep_ancestors(const struct candidates *list, bool *keeps)
{
    for (size_t i = list->count; i-- > 0;) {
        if (!keeps[i] || !list->rows[i].parent)
            continue;
        for (size_t above = i; above-- > 0;) {
            if (list->rows[above].pid != list->rows[i].parent)
                continue;
            keeps[above] = true;
            break;
        }
    }
}

void candidates_filter(struct candidates *list, const char *pattern)
{
    bool *keeps, has_capitals = false;
    size_t kept = 0;

    if (!pattern || !*pattern || !list->count)
        return;
    for (const char *at = pattern; *at; at++)
        has_capitals = has_capitals || isupper((unsigned char)*at);
    keeps = xcalloc(list->count, sizeof(*keeps));
    for (size_t i = 0; i < list->count; i++)
        keeps[i] = matches(&list->rows[i], pattern, has_capitals);
    keep_ancestors(list, keeps);
    for (size_t i = 0; i < list->count; i++) {
        if (keeps[i])
            list->rows[kept++] = list->rows[i];
        else
            free(list->rows[i].command);
    }
    list->count = kept;
    free(keeps);
}
