#include "model/kind_detail.h"

#include <stdio.h>
#include <string.h>

#define CLASS_BYTES 16
#define CLASSES     32 /* up to 512 bytes */

static const uint32_t refcount_from[DETAIL_REFCOUNTS + 1] = {1,  2,   3,    4,     8, 16,
                                                             64, 256, 1024, 65536, 0};

const struct kind_detail *kind_detail_of(const struct answer *answer)
{
    return answer && answer->inquiry.topic && !strcmp(answer->inquiry.topic, INQUIRY_KIND)
               ? (const struct kind_detail *)answer
               : NULL;
}

uint64_t detail_size_most(size_t row)
{
    return row < CLASSES ? (row + 1) * CLASS_BYTES
                         : (uint64_t)CLASSES * CLASS_BYTES << (row - CLASSES + 1);
}

static size_t size_row(uint64_t size_bytes)
{
    size_t row;

    if (size_bytes <= CLASSES * CLASS_BYTES)
        return size_bytes ? (size_t)(size_bytes - 1) / CLASS_BYTES : 0;
    for (row = CLASSES; row < DETAIL_SIZES - 1 && detail_size_most(row) < size_bytes;)
        row++;
    return row;
}

void detail_refcounts_of(size_t row, uint32_t *from, uint32_t *to)
{
    *from = refcount_from[row];
    *to = refcount_from[row + 1] ? refcount_from[row + 1] - 1 : 0;
}

static size_t refcount_row(uint32_t refcount)
{
    size_t row = 0;

    while (row < DETAIL_REFCOUNTS - 1 && refcount >= refcount_from[row + 1])
        row++;
    return row;
}

/* Of equals the first stays first. */
static void keep_largest(struct kind_detail *detail, const struct detail_instance *new)
{
    size_t at = detail->n_instances;

    while (at && detail->instances[at - 1].memory_bytes < new->memory_bytes)
        at--;
    if (at == DETAIL_INSTANCES)
        return;
    if (detail->n_instances < DETAIL_INSTANCES)
        detail->n_instances++;
    memmove(detail->instances + at + 1, detail->instances + at,
            (detail->n_instances - at - 1) * sizeof(*new));
    detail->instances[at] = *new;
}

void kind_detail_add(struct kind_detail *detail, const struct detail_instance *instance)
{
    struct detail_size *size = &detail->sizes[size_row(instance->size_bytes)];

    detail->count++;
    detail->size_bytes += instance->size_bytes;
    detail->memory_bytes += instance->memory_bytes;
    size->count++;
    size->size_bytes += instance->size_bytes;
    size->memory_bytes += instance->memory_bytes;
    if (instance->is_immortal)
        detail->immortal++;
    else
        detail->refcounts[refcount_row(instance->refcount)]++;
    keep_largest(detail, instance);
}

const char *detail_storage_name(enum detail_storage storage)
{
    static const char *const names[] = {"", "slots", "dict", "values", "inline values"};

    return names[storage];
}

char *detail_refcount_words(char words[UNITS_MAX], size_t row)
{
    char number[UNITS_MAX];
    uint32_t from, to;

    detail_refcounts_of(row, &from, &to);
    units_count(number, reading_exact(from));
    if (!to)
        snprintf(words, UNITS_MAX, "%.16s and up", number);
    else if (to == from)
        snprintf(words, UNITS_MAX, "%s", number);
    else
        snprintf(words, UNITS_MAX, "%u-%u", (unsigned)from, (unsigned)to);
    return words;
}

void detail_tracked_words(const struct kind_detail *detail, struct strbuf *words)
{
    char number[UNITS_MAX];

    strbuf_addf(words, "%s",
                units_count(number, reading_exact((int64_t)detail->tracked)));
    if (!detail->tracked)
        return;
    for (int i = 0; i < DETAIL_GENERATIONS; i++)
        strbuf_addf(words, "%s gen%d %s", i ? "," : ":", i,
                    units_count(number, detail->generations[i]));
    if (!reading_is_known(detail->frozen) || detail->frozen.value)
        strbuf_addf(words, ", frozen %s", units_count(number, detail->frozen));
}

bool detail_class_words(const struct kind_detail *detail, struct strbuf *words)
{
    static const char *const where[] = {
        [STORAGE_SLOTS] = "in slots: none has a dict",
        [STORAGE_DICT] = "in a dict of each",
        [STORAGE_VALUES] = "in values beside each object",
        [STORAGE_INLINE] = "inline, in each object",
    };
    const struct detail_class *class = &detail->class;
    char number[UNITS_MAX];

    if (class->storage == STORAGE_OTHER)
        return false;
    strbuf_addf(words, "%s", where[class->storage]);
    if (class->storage != STORAGE_SLOTS)
        strbuf_addf(words, "; %s have a dict",
                    units_count(number, reading_exact((int64_t) class->dicts)));
    if (class->has_slots)
        strbuf_add_text(words, ", in spite of __slots__: a base has none");
    return true;
}

bool detail_slots_words(const struct kind_detail *detail, struct strbuf *words)
{
    const struct detail_class *class = &detail->class;
    char number[UNITS_MAX], bytes[UNITS_MAX];

    if (!reading_is_known(class->saves_bytes))
        return false;
    strbuf_addf(words, "for %s attributes, in all bases, would save %s",
                units_count(number, reading_exact((int64_t) class->attributes)),
                units_bytes(bytes, class->saves_bytes));
    return true;
}
