#include "recording/names.h"

#include <stdlib.h>
#include <string.h>
/* The usual one has a switch of which clang warns. */
#define HASH_FUNCTION HASH_FNV
#include <uthash.h>

#include "recording/encoder.h"
#include "util/xalloc.h"

struct name {
    uint32_t number;
    char *text;
    UT_hash_handle hh;
};

struct names {
    struct name *by_text; /* hash table */
    uint32_t count, n_of_plugins;
    uint32_t *of_kinds; /* by the kind's id; 0: not asked for yet */
    size_t n_kinds;
    struct encoded_name *fresh;
    size_t n_fresh, fresh_capacity;
};

struct names *names_new(void)
{
    return xcalloc(1, sizeof(struct names));
}

void names_free(struct names *names)
{
    struct name *name, *next;

    if (!names)
        return;
    HASH_ITER (hh, names->by_text, name, next) {
        HASH_DEL(names->by_text, name);
        free(name->text);
        free(name);
    }
    free(names->of_kinds);
    free(names->fresh);
    free(names);
}

static void note_fresh(struct names *names, const struct name *name)
{
    if (names->n_fresh == names->fresh_capacity) {
        names->fresh_capacity = names->fresh_capacity ? 2 * names->fresh_capacity : 64;
        names->fresh =
            xreallocarray(names->fresh, names->fresh_capacity, sizeof(*names->fresh));
    }
    names->fresh[names->n_fresh++] = (struct encoded_name){name->number, name->text};
}

static struct name *add_name(struct names *names, const char *text)
{
    struct name *name = xcalloc(1, sizeof(*name));

    name->number = ++names->count;
    name->text = xstrdup(text);
    HASH_ADD_KEYPTR(hh, names->by_text, name->text, strlen(name->text), name);
    note_fresh(names, name);
    return name;
}

int64_t names_number(struct names *names, const char *text)
{
    struct name *name;

    if (!*text)
        return 0;
    HASH_FIND_STR(names->by_text, text, name);
    if (!name && names->count >= NAMES_MAX)
        return names->count == NAMES_MAX ? add_name(names, "(other names)")->number
                                         : names->count;
    return name ? name->number : add_name(names, text)->number;
}

int64_t names_of_plugin(struct names *names, const char *text)
{
    uint32_t before = names->count;
    struct name *name = NULL;
    int64_t number;

    if (names->n_of_plugins >= PLUGIN_NAMES_MAX && *text) {
        HASH_FIND_STR(names->by_text, text, name);
        if (!name)
            return names_number(names, "(other names)");
    }
    number = names_number(names, text);
    names->n_of_plugins += names->count > before;
    return number;
}

int64_t names_of_kind(struct names *names, const struct kind *kind)
{
    size_t count = names->n_kinds ? names->n_kinds : 1024;

    while (kind->id >= count)
        count *= 2;
    if (count > names->n_kinds) {
        names->of_kinds = xreallocarray(names->of_kinds, count, sizeof(uint32_t));
        memset(names->of_kinds + names->n_kinds, 0,
               (count - names->n_kinds) * sizeof(uint32_t));
        names->n_kinds = count;
    }
    if (!names->of_kinds[kind->id])
        names->of_kinds[kind->id] = (uint32_t)names_number(names, kind->name);
    return names->of_kinds[kind->id];
}

size_t names_new_ones(const struct names *names, const struct encoded_name **found)
{
    *found = names->fresh;
    return names->n_fresh;
}

void names_forget_new(struct names *names)
{
    names->n_fresh = 0;
}
