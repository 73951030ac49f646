/* Which values are held more than once, written. */
#include "sink/answer.h"

#include <inttypes.h>

#include "heaptop/units.h"
#include "model/duplicates.h"
#include "sink/json_value.h"

static json_t *json_kinds(const struct duplicates *duplicates)
{
    json_t *array = json_array();

    for (size_t i = 0; i < duplicates->n_kinds; i++) {
        const struct duplicate_kind *kind = &duplicates->kinds[i];
        json_t *object = json_object();

        json_add_text(object, "kind", kind->kind->name);
        json_add_count(object, "objects", kind->objects);
        json_add_count(object, "values", kind->values);
        json_add_count(object, "duplicates", kind->duplicates);
        json_add_count(object, "wasted_bytes", kind->wasted_bytes);
        json_array_append_new(array, object);
    }
    return array;
}

static json_t *json_rows(const struct duplicates *duplicates)
{
    json_t *array = json_array();

    for (size_t i = 0; i < duplicates->n_rows; i++) {
        const struct duplicate_row *row = &duplicates->rows[i];
        json_t *object = json_object();
        char address[UNITS_MAX];

        snprintf(address, sizeof(address), "%#" PRIx64, row->address);
        json_add_text(object, "kind", row->kind->name);
        json_add_text(object, "address", address);
        json_add_count(object, "count", row->count);
        json_add_reading(object, "value_bytes", row->value_bytes);
        json_add_count(object, "memory_bytes", row->memory_bytes);
        json_add_count(object, "wasted_bytes", row->wasted_bytes);
        json_add_text(object, "value", row->value);
        json_array_append_new(array, object);
    }
    return array;
}

static void duplicates_json(json_t *object, const struct answer *answer)
{
    const struct duplicates *duplicates = duplicates_of(answer);

    json_add_count(object, "left_out", duplicates->left_out);
    json_add(object, "kinds", json_kinds(duplicates));
    json_add(object, "values", json_rows(duplicates));
}

static void duplicates_text(FILE *out, const struct answer *answer)
{
    const struct duplicates *duplicates = duplicates_of(answer);
    char a[UNITS_MAX], b[UNITS_MAX], c[UNITS_MAX];

    for (size_t i = 0; i < duplicates->n_kinds; i++) {
        const struct duplicate_kind *kind = &duplicates->kinds[i];

        fprintf(out, "%-6s %s of %s objects are duplicates: %s wasted\n",
                kind->kind->name,
                units_count(a, reading_exact((int64_t)kind->duplicates)),
                units_count(b, reading_exact((int64_t)kind->objects)),
                units_bytes(c, reading_exact((int64_t)kind->wasted_bytes)));
    }
    fprintf(out, "\n%-6s %9s %12s %9s %18s%s\n", "KIND", "WASTED", "COUNT", "LENGTH",
            "ONE OF THEM", answer->inquiry.shows_values ? "  VALUE" : "");
    for (size_t i = 0; i < duplicates->n_rows; i++) {
        const struct duplicate_row *row = &duplicates->rows[i];

        fprintf(out, "%-6s %9s %12s %9s %#18" PRIx64 "%s%s\n", row->kind->name,
                units_bytes(a, reading_exact((int64_t)row->wasted_bytes)),
                units_count(b, reading_exact((int64_t)row->count)),
                units_bytes(c, row->value_bytes), row->address, *row->value ? "  " : "",
                row->value);
    }
}

const struct answer_sink answer_sink_duplicates = {
    .topic = INQUIRY_DUPLICATES,
    .schema = "heaptop.duplicates/1",
    .json = duplicates_json,
    .text = duplicates_text,
};
