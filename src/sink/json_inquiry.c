#include "sink/json_inquiry.h"

#include <inttypes.h>
#include <string.h>

#include "sink/json_value.h"

static void add_address(json_t *object, const char *name, uint64_t address)
{
    char text[24] = "";

    if (address)
        snprintf(text, sizeof(text), "%#" PRIx64, address);
    json_add_text(object, name, text);
}

static json_t *json_price(const struct walk_facts *walk)
{
    json_t *object = json_object();

    json_add_text(object, "method", walk->method);
    json_add_seconds(object, "seconds", reading_exact(walk->wall_ns));
    json_add_seconds(object, "cpu_s", reading_exact(walk->cpu_ns));
    json_add_count(object, "read_bytes", walk->read_bytes);
    json_add(object, "complete", json_boolean(walk->complete));
    return object;
}

int json_write_holders(FILE *out, const struct holders *holders, int rows,
                       struct err *err)
{
    json_t *object = json_object(), *array = json_array();

    json_add_text(object, "schema", "heaptop.holders/1");
    json_add_text(object, "of", holders->of);
    json_add_count(object, "objects", holders->objects);
    json_add_count(object, "held", holders->held);
    json_add(object, "walk", json_price(&holders->answer.walk));
    for (size_t i = 0; i < holders->n_rows && (rows <= 0 || i < (size_t)rows); i++) {
        const struct holder_row *row = &holders->rows[i];
        json_t *item = json_object();

        json_add_text(item, "held_by", row->label);
        json_add_count(item, "references", row->references);
        json_add_count(item, "holders", row->holders);
        add_address(item, "address", row->address);
        json_add(item, "root", json_boolean(row->is_root));
        json_array_append_new(array, item);
    }
    json_add(object, "rows", array);
    json_add_count(object, "rest", holders->rest);
    return json_write_line(out, object, err);
}

static void add_addresses(json_t *item, const struct born *born, uint32_t kind)
{
    json_t *certain = json_array(), *inferred = json_array();

    for (size_t i = 0; i < born->n_objects; i++)
        if (born->objects[i].kind == kind)
            json_array_append_new(born->objects[i].is_inferred ? inferred : certain,
                                  json_integer((json_int_t)born->objects[i].address));
    json_add(item, "addresses", certain);
    json_add(item, "inferred_addresses", inferred);
}

static json_t *born_object(const struct born *born, const struct born_row *row,
                           const char *filter)
{
    json_t *item = json_object();

    if (row->kind)
        json_add_text(item, "kind", row->kind->name);
    json_add_count(item, "born", row->born);
    json_add_count(item, "born_inferred", row->born_inferred);
    json_add_count(item, "born_bytes", row->born_bytes);
    json_add_count(item, "kept", row->kept);
    json_add_count(item, "kept_inferred", row->kept_inferred);
    json_add_count(item, "gone", row->gone);
    if (row->kind && filter && strstr(row->kind->name, filter))
        add_addresses(item, born, row->kind->id);
    return item;
}

int json_write_born(FILE *out, const struct born *born,
                    const struct remembered *remembered, const char *filter, int rows,
                    struct err *err)
{
    json_t *object = json_object(), *array = json_array(), *price = json_object();

    json_add_text(object, "schema", "heaptop.born/1");
    json_add_count(price, "objects", remembered->count);
    json_add_count(price, "bytes", remembered->bytes);
    json_add_seconds(price, "seconds", reading_exact(remembered->answer.walk.wall_ns));
    json_add(price, "complete", json_boolean(remembered->answer.walk.complete));
    json_add(object, "remembered", price);
    json_add(object, "walk", json_price(&born->answer.walk));
    json_add_count(object, "now", born->now);
    json_add(object, "sum", born_object(born, &born->sum, NULL));
    for (size_t i = 0; i < born->n_rows && (rows <= 0 || i < (size_t)rows); i++)
        json_array_append_new(array, born_object(born, &born->rows[i], filter));
    json_add(object, "kinds", array);
    return json_write_line(out, object, err);
}
