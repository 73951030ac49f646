/* What the objects of one kind are like, written. */
#include "sink/answer.h"

#include <inttypes.h>
#include <string.h>

#include "heaptop/units.h"
#include "model/kind_detail.h"
#include "sink/json_value.h"
#include "util/strbuf.h"

/* ---- JSON ---- */

static json_t *json_sizes(const struct kind_detail *detail)
{
    json_t *array = json_array();

    for (size_t i = 0; i < DETAIL_SIZES; i++) {
        const struct detail_size *size = &detail->sizes[i];
        json_t *object;

        if (!size->count)
            continue;
        object = json_object();
        json_add_count(object, "most_bytes", detail_size_most(i));
        json_add_count(object, "count", size->count);
        json_add_count(object, "size_bytes", size->size_bytes);
        json_add_count(object, "memory_bytes", size->memory_bytes);
        json_array_append_new(array, object);
    }
    return array;
}

static json_t *json_refcounts(const struct kind_detail *detail)
{
    json_t *array = json_array();

    for (size_t i = 0; i < DETAIL_REFCOUNTS; i++) {
        uint32_t from, to;
        json_t *object;

        if (!detail->refcounts[i])
            continue;
        detail_refcounts_of(i, &from, &to);
        object = json_object();
        json_add_count(object, "from", from);
        json_add(object, "to", to ? json_integer(to) : json_null());
        json_add_count(object, "count", detail->refcounts[i]);
        json_array_append_new(array, object);
    }
    return array;
}

static json_t *json_generations(const struct kind_detail *detail)
{
    json_t *array = json_array();

    for (int i = 0; i < DETAIL_GENERATIONS; i++) {
        json_t *object = json_object();

        json_add_count(object, "generation", (uint64_t)i);
        json_add_reading(object, "count", detail->generations[i]);
        json_add(object, "exact",
                 json_boolean(detail->generations[i].state == READING_EXACT));
        json_array_append_new(array, object);
    }
    return array;
}

static json_t *json_largest(const struct kind_detail *detail)
{
    json_t *array = json_array();

    for (size_t i = 0; i < detail->n_instances; i++) {
        const struct detail_instance *instance = &detail->instances[i];
        json_t *object = json_object();
        char address[UNITS_MAX];

        snprintf(address, sizeof(address), "%#" PRIx64, instance->address);
        json_add_text(object, "address", address);
        json_add_count(object, "size_bytes", instance->size_bytes);
        json_add_count(object, "memory_bytes", instance->memory_bytes);
        json_add(object, "refcount",
                 instance->is_immortal ? json_null() : json_integer(instance->refcount));
        json_add_text(object, "value", instance->value);
        json_array_append_new(array, object);
    }
    return array;
}

static json_t *json_class(const struct detail_class *class)
{
    json_t *object;

    if (class->storage == STORAGE_OTHER)
        return json_null();
    object = json_object();
    json_add_text(object, "storage", detail_storage_name(class->storage));
    json_add(object, "has_slots", json_boolean(class->has_slots));
    json_add_count(object, "attributes", class->attributes);
    json_add_count(object, "dicts", class->dicts);
    json_add_count(object, "dict_bytes", class->dict_bytes);
    json_add(object, "slotted_bytes",
             reading_is_known(class->saves_bytes)
                 ? json_integer((json_int_t) class->slotted_bytes)
                 : json_null());
    json_add_reading(object, "slots_save_bytes", class->saves_bytes);
    return object;
}

static void kind_json(json_t *object, const struct answer *answer)
{
    const struct kind_detail *detail = kind_detail_of(answer);

    json_add_count(object, "count", detail->count);
    json_add_count(object, "size_bytes", detail->size_bytes);
    json_add_count(object, "memory_bytes", detail->memory_bytes);
    json_add_count(object, "tracked", detail->tracked);
    json_add_count(object, "in_malloc", detail->in_malloc);
    json_add_count(object, "immortal", detail->immortal);
    json_add(object, "generations", json_generations(detail));
    json_add_reading(object, "frozen", detail->frozen);
    json_add(object, "sizes", json_sizes(detail));
    json_add(object, "refcounts", json_refcounts(detail));
    json_add(object, "class", json_class(&detail->class));
    json_add(object, "largest", json_largest(detail));
}

/* ---- text ---- */

static void text_totals(FILE *out, const struct kind_detail *detail)
{
    struct strbuf words = STRBUF_INIT;
    char count[UNITS_MAX], size[UNITS_MAX], memory[UNITS_MAX];

    fprintf(out, "%s\n  %s objects, size %s, memory %s\n",
            detail->answer.inquiry.kind->name,
            units_count(count, reading_exact((int64_t)detail->count)),
            units_bytes(size, reading_exact((int64_t)detail->size_bytes)),
            units_bytes(memory, reading_exact((int64_t)detail->memory_bytes)));
    detail_tracked_words(detail, &words);
    fprintf(out, "  tracked by the garbage collector %s\n", strbuf_text(&words));
    strbuf_reset(&words);
    if (detail_class_words(detail, &words))
        fprintf(out, "  attributes %s\n", strbuf_text(&words));
    strbuf_reset(&words);
    if (detail_slots_words(detail, &words))
        fprintf(out, "  __slots__ %s\n", strbuf_text(&words));
    strbuf_release(&words);
}

static void text_sizes(FILE *out, const struct kind_detail *detail)
{
    char most[UNITS_MAX], count[UNITS_MAX], size[UNITS_MAX], memory[UNITS_MAX];

    fprintf(out, "\n%10s %12s %9s %9s\n", "UP TO", "COUNT", "SIZE", "BYTES");
    for (size_t i = 0; i < DETAIL_SIZES; i++) {
        const struct detail_size *row = &detail->sizes[i];

        if (row->count)
            fprintf(out, "%10s %12s %9s %9s\n",
                    units_bytes(most, reading_exact((int64_t)detail_size_most(i))),
                    units_count(count, reading_exact((int64_t)row->count)),
                    units_bytes(size, reading_exact((int64_t)row->size_bytes)),
                    units_bytes(memory, reading_exact((int64_t)row->memory_bytes)));
    }
}

static void text_refcounts(FILE *out, const struct kind_detail *detail)
{
    char count[UNITS_MAX], words[UNITS_MAX];

    fprintf(out, "\n%10s %12s\n", "REFCOUNT", "COUNT");
    for (size_t i = 0; i < DETAIL_REFCOUNTS; i++)
        if (detail->refcounts[i])
            fprintf(out, "%10s %12s\n", detail_refcount_words(words, i),
                    units_count(count, reading_exact((int64_t)detail->refcounts[i])));
    if (detail->immortal)
        fprintf(out, "%10s %12s\n", "immortal",
                units_count(count, reading_exact((int64_t)detail->immortal)));
}

static void text_largest(FILE *out, const struct kind_detail *detail)
{
    char size[UNITS_MAX], memory[UNITS_MAX];

    fprintf(out, "\n%16s %9s %9s %9s%s\n", "LARGEST", "SIZE", "BYTES", "REFCOUNT",
            detail->answer.inquiry.shows_values ? "  VALUE" : "");
    for (size_t i = 0; i < detail->n_instances; i++) {
        const struct detail_instance *instance = &detail->instances[i];
        char refcount[UNITS_MAX] = "immortal";

        if (!instance->is_immortal)
            snprintf(refcount, sizeof(refcount), "%" PRIu32, instance->refcount);
        fprintf(out, "%#16" PRIx64 " %9s %9s %9s%s%s\n", instance->address,
                units_bytes(size, reading_exact((int64_t)instance->size_bytes)),
                units_bytes(memory, reading_exact((int64_t)instance->memory_bytes)),
                refcount, *instance->value ? "  " : "", instance->value);
    }
}

static void kind_text(FILE *out, const struct answer *answer)
{
    const struct kind_detail *detail = kind_detail_of(answer);

    text_totals(out, detail);
    text_sizes(out, detail);
    text_refcounts(out, detail);
    text_largest(out, detail);
}

const struct answer_sink answer_sink_kind = {
    .topic = INQUIRY_KIND,
    .schema = "heaptop.kind/1",
    .json = kind_json,
    .text = kind_text,
};
