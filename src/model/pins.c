#include "model/pins.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "heaptop/snapshot.h"
#include "heaptop/units.h"
#include "util/arena.h"
#include "util/plural.h"

#define PINS_MAX_BYTES ((size_t)32 << 20)
#define KINDS_NAMED    3

static atomic_int *reference_count(const struct pins_section *section)
{
    return (atomic_int *)(uintptr_t)&section->references;
}

const struct pins_section *pins_ref(const struct pins_section *section)
{
    atomic_fetch_add(reference_count(section), 1);
    return section;
}

void pins_unref(const struct pins_section *section)
{
    if (section && atomic_fetch_sub(reference_count(section), 1) == 1)
        arena_free(section->memory);
}

static int row_compare(const void *left, const void *right)
{
    const struct pin_row *a = left, *b = right;

    if (a->arenas != b->arenas)
        return a->arenas < b->arenas ? 1 : -1;
    if (a->bytes != b->bytes)
        return a->bytes < b->bytes ? 1 : -1;
    return strcmp(a->kind->name, b->kind->name);
}

static int class_compare(const void *left, const void *right)
{
    const struct pin_class *a = left, *b = right;

    return (a->free_bytes < b->free_bytes) - (a->free_bytes > b->free_bytes);
}

const struct pins_section *pins_seal(const struct pins_section *facts,
                                     const struct pin_row *rows, size_t count)
{
    struct arena *memory = arena_new(PINS_MAX_BYTES);
    struct pins_section *section =
        memory ? arena_alloc(memory, 1, sizeof(*section)) : NULL;
    struct pin_row *copy = section ? arena_alloc(memory, count + 1, sizeof(*copy)) : NULL;

    if (!copy) {
        arena_free(memory);
        return NULL;
    }
    *section = *facts;
    if (count)
        memcpy(copy, rows, count * sizeof(*copy));
    qsort(copy, count, sizeof(*copy), row_compare);
    qsort(section->classes, section->n_classes, sizeof(section->classes[0]),
          class_compare);
    section->rows = copy;
    section->n_rows = count;
    section->memory = memory;
    section->references = 1;
    return section;
}

/* The kind with most objects in the cheap arenas, of those that come after `before`. */
static const struct pin_row *most_after(const struct pins_section *section,
                                        const struct pin_row *before)
{
    const struct pin_row *most = NULL;

    for (size_t i = 0; i < section->n_rows; i++) {
        const struct pin_row *row = &section->rows[i];
        bool is_after = !before || row->cheap < before->cheap ||
                        (row->cheap == before->cheap && row > before);

        if (row->cheap && is_after && (!most || row->cheap > most->cheap))
            most = row;
    }
    return most;
}

/* The kinds with most objects in the cheap arenas. */
static int name_kinds(const struct pins_section *section, char *words, int length)
{
    const struct pin_row *before = NULL, *most;
    char count[UNITS_MAX];

    for (int named = 0; named < KINDS_NAMED && length < PINS_WORDS_MAX; named++) {
        most = most_after(section, before);
        if (!most)
            break;
        before = most;
        length += snprintf(words + length, (size_t)(PINS_WORDS_MAX - length),
                           "%s%s %.40s", named ? ", " : ": ",
                           units_count(count, reading_exact((int64_t)most->cheap)),
                           most->kind->name);
    }
    return length;
}

bool pins_words(const struct pins_section *section, char words[PINS_WORDS_MAX])
{
    char objects[UNITS_MAX], bytes[UNITS_MAX], arenas[UNITS_MAX], returned[UNITS_MAX];
    const struct pin_step *cheap = section ? &section->cheap : NULL;
    int length;

    if (!cheap || !cheap->return_bytes || !cheap->objects)
        return false;
    length = snprintf(words, PINS_WORDS_MAX, "%s object%s of %s %s %s arena%s, %s",
                      units_count(objects, reading_exact((int64_t)cheap->objects)),
                      plural((int64_t)cheap->objects),
                      units_bytes(bytes, reading_exact((int64_t)cheap->bytes)),
                      cheap->objects == 1 ? "keeps" : "keep",
                      units_count(arenas, reading_exact((int64_t)cheap->arenas)),
                      plural((int64_t)cheap->arenas),
                      units_bytes(returned, reading_exact((int64_t)cheap->return_bytes)));
    name_kinds(section, words, length);
    return true;
}

bool pins_owner_words(const struct pins_section *section, char words[PINS_WORDS_MAX])
{
    const struct pin_row *row = section ? most_after(section, NULL) : NULL;
    char count[UNITS_MAX];

    /* "(a frame or C code)" is nothing to look for. */
    while (row && (!row->owner[0] || row->owner[0] == '(' ||
                   row->owner_references * 2 < row->references))
        row = most_after(section, row);
    if (!row)
        return false;
    snprintf(words, PINS_WORDS_MAX, "%s %.40s %s held by %s",
             units_count(count, reading_exact((int64_t)row->cheap)), row->kind->name,
             row->cheap == 1 ? "is" : "are", row->owner);
    return true;
}
