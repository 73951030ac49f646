#include "target/image_names.h"

#include <stdio.h>
#include <string.h>

struct naming {
    struct image_name *names;
    size_t count;
};

/* The first one that is not below the address. */
static size_t first_from(const struct naming *naming, uint64_t address)
{
    size_t low = 0, high = naming->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (naming->names[middle].address < address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Of two names for one function the one that programs use: select, not __select. */
static bool is_better(const struct image_name *known, uint64_t start, const char *text)
{
    if (!known->text[0] || start != known->start)
        return !known->text[0] || start > known->start;
    return strspn(text, "_") < strspn(known->text, "_");
}

static bool consider(void *context, const char *text, const struct image_symbol *symbol)
{
    const struct naming *naming = context;
    uint64_t start = symbol->address.value;

    if (!symbol->is_function || !*text)
        return true;
    for (size_t i = first_from(naming, start);
         i < naming->count && naming->names[i].address - start < symbol->size_bytes;
         i++) {
        struct image_name *name = &naming->names[i];

        if (!is_better(name, start, text))
            continue;
        name->start = start;
        snprintf(name->text, sizeof(name->text), "%s", text);
    }
    return true;
}

void image_names_find(const struct image *image, struct reader *reader,
                      struct image_name *names, size_t count)
{
    struct naming naming = {names, count};

    image_each_symbol(image, reader, consider, &naming);
}
