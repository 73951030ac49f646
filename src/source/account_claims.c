#include "source/account_claims.h"

#include <stdlib.h>
#include <string.h>

void account_claims_begin(struct account_claims *claims)
{
    claims->count = 0;
    claims->n_rows = 0;
}

void account_claims_release(struct account_claims *claims)
{
    free(claims->claims);
    memset(claims, 0, sizeof(*claims));
}

void account_claims_add(struct account_claims *claims, enum claim_sort sort,
                        uint64_t start, uint64_t end, const char *name)
{
    if (claims->count == claims->capacity) {
        size_t capacity = claims->capacity ? claims->capacity * 2 : 1024;
        struct claim *larger =
            reallocarray(claims->claims, capacity, sizeof(*claims->claims));

        if (!larger)
            return;
        claims->claims = larger;
        claims->capacity = capacity;
    }
    if (start < end)
        claims->claims[claims->count++] = (struct claim){start, end, sort, name};
}

/* Images lose against what lies in them. */
static int claim_compare(const void *left, const void *right)
{
    const struct claim *a = left, *b = right;

    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    return (a->sort == CLAIM_IMAGE) - (b->sort == CLAIM_IMAGE);
}

void account_claims_sort(struct account_claims *claims)
{
    if (claims->count)
        qsort(claims->claims, claims->count, sizeof(*claims->claims), claim_compare);
    for (size_t i = 0; i + 1 < claims->count; i++)
        if (claims->claims[i].end > claims->claims[i + 1].start)
            claims->claims[i].end = claims->claims[i + 1].start;
}

/* The first claim that ends behind the address. */
static size_t first_behind(const struct account_claims *claims, uint64_t address)
{
    size_t low = 0, high = claims->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (claims->claims[middle].end <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* What of the mapping nobody claims, stretch by stretch. */
static void mapping_rest(const struct account_claims *claims,
                         const struct mapping *mapping,
                         void (*visit)(void *context, uint64_t start, uint64_t end),
                         void *context)
{
    uint64_t at = mapping->start;

    for (size_t i = first_behind(claims, at); at < mapping->end; i++) {
        uint64_t start = i < claims->count ? claims->claims[i].start : mapping->end;

        if (start > at)
            visit(context, at, start < mapping->end ? start : mapping->end);
        if (i >= claims->count)
            return;
        if (claims->claims[i].end > at)
            at = claims->claims[i].end;
    }
}

void account_claims_rest(const struct account_claims *claims, const struct maps *maps,
                         void (*visit)(void *context, uint64_t start, uint64_t end),
                         void *context)
{
    for (size_t i = 0; i < maps->count; i++) {
        const struct mapping *mapping = &maps->mappings[i];

        if (mapping_is_anonymous(mapping) && mapping->is_writable &&
            mapping->path[0] != '/')
            mapping_rest(claims, mapping, visit, context);
    }
}

/* ---- rows ---- */

/* The row of the name; when there are too many names, the last one takes the rest. */
static struct mapping_row *row_of(struct account_claims *claims, const char *name,
                                  enum account_part part)
{
    bool is_full = claims->n_rows == CLAIM_ROWS_MAX - 1;

    for (size_t i = 0; i < claims->n_rows; i++)
        if (claims->rows[i].name == name || !strcmp(claims->rows[i].name, name))
            return &claims->rows[i];
    if (claims->n_rows == CLAIM_ROWS_MAX)
        return &claims->rows[CLAIM_ROWS_MAX - 1];
    claims->rows[claims->n_rows] =
        (struct mapping_row){.name = is_full ? "(all others)" : name, .part = part};
    return &claims->rows[claims->n_rows++];
}

static void row_add(struct mapping_row *row, uint64_t virt_bytes,
                    struct residency_bytes bytes)
{
    row->mappings++;
    row->virt_bytes += virt_bytes;
    row->res_bytes += bytes.resident;
    row->swap_bytes += bytes.swapped;
}

/* Pages of files stay the file's, whoever maps them; the others belong to `part`. */
static void parts_add(struct account_bytes parts[ACCOUNT_PARTS], enum account_part part,
                      struct residency_bytes bytes)
{
    parts[PART_FILES].resident += bytes.file;
    parts[part].resident += bytes.resident - bytes.file;
    parts[part].swapped += bytes.swapped;
}

static enum account_part claim_part(enum claim_sort sort)
{
    static const enum account_part of[] = {
        [CLAIM_ARENA] = PART_OBJECTS,    [CLAIM_HEAP] = PART_NATIVE,
        [CLAIM_MMAPPED] = PART_NATIVE,   [CLAIM_STACK] = PART_THREAD_STACKS,
        [CLAIM_IMAGE] = PART_IMAGE_DATA, [CLAIM_MIMALLOC] = PART_OBJECTS,
    };

    return of[sort];
}

struct rest {
    struct account_claims *claims;
    struct residency *residency;
    struct account_bytes *parts;
    const char *name;
    enum account_part part;
};

static void rest_add(void *context, uint64_t start, uint64_t end)
{
    struct rest *rest = context;
    struct residency_bytes bytes = residency_of(rest->residency, start, end);

    parts_add(rest->parts, rest->part, bytes);
    row_add(row_of(rest->claims, rest->name, rest->part), end - start, bytes);
}

static void rest_name(struct rest *rest, const struct mapping *mapping, bool is_glibc)
{
    rest->name = mapping->path[0] ? mapping->path : "anonymous";
    rest->part = PART_PRIVATE;
    if (mapping->is_shared)
        rest->part = PART_FILES;
    else if (!strncmp(mapping->path, "[stack", 6))
        rest->part = PART_THREAD_STACKS;
    else if (!strcmp(mapping->path, "[heap]") && !is_glibc)
        rest->part = PART_NATIVE;
    else if (mapping->path[0] == '/' && !mapping->is_writable)
        rest->part = PART_FILES;
    if (rest->part == PART_THREAD_STACKS)
        rest->name = "thread stacks";
}

void account_claims_count(struct account_claims *claims, const struct maps *maps,
                          struct residency *residency, bool is_glibc,
                          struct account_bytes parts[ACCOUNT_PARTS])
{
    struct rest rest = {claims, residency, parts, NULL, PART_PRIVATE};

    for (size_t i = 0; i < claims->count; i++) {
        const struct claim *claim = &claims->claims[i];
        struct residency_bytes bytes = residency_of(residency, claim->start, claim->end);
        enum account_part part = claim_part(claim->sort);

        row_add(row_of(claims, claim->name, part), claim->end - claim->start, bytes);
        if (claim->sort == CLAIM_STACK || claim->sort == CLAIM_IMAGE)
            parts_add(parts, part, bytes);
    }
    for (size_t i = 0; i < maps->count; i++) {
        rest_name(&rest, &maps->mappings[i], is_glibc);
        mapping_rest(claims, &maps->mappings[i], rest_add, &rest);
    }
}
