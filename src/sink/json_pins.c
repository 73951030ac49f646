#include "sink/json_pins.h"

#include "heaptop/snapshot.h"
#include "model/pins.h"
#include "sink/json_value.h"

static json_t *row_object(const struct pins_section *section, const struct pin_row *row)
{
    bool is_known = section->are_generations_known;
    json_t *object = json_object();

    json_add_text(object, "kind", row->kind->name);
    json_add_count(object, "objects", row->objects);
    json_add_count(object, "cheap", row->cheap);
    json_add_count(object, "parts", row->parts);
    json_add_count(object, "bytes", row->bytes);
    json_add_count(object, "arenas", row->arenas);
    json_add_count(object, "alone", row->alone);
    json_add_count(object, "return_bytes", row->return_bytes);
    json_add(object, "young",
             is_known ? json_integer((json_int_t)row->young) : json_null());
    json_add(object, "old", is_known ? json_integer((json_int_t)row->old) : json_null());
    json_add_count(object, "untracked", row->untracked);
    json_add(object, "owner", *row->owner ? json_string(row->owner) : json_null());
    json_add_count(object, "looked_up", row->looked_up);
    json_add_count(object, "references", row->references);
    json_add_count(object, "owner_references", row->owner_references);
    return object;
}

static json_t *step_object(const struct pin_step *step)
{
    json_t *object = json_object();

    json_add_count(object, "arenas", step->arenas);
    json_add_count(object, "objects", step->objects);
    json_add_count(object, "blocks", step->blocks);
    json_add_count(object, "bytes", step->bytes);
    json_add_count(object, "return_bytes", step->return_bytes);
    return object;
}

static json_t *steps_array(const struct pins_section *section)
{
    json_t *array = json_array();

    for (size_t i = 0; i < section->n_steps; i++)
        json_array_append_new(array, step_object(&section->steps[i]));
    return array;
}

static json_t *classes_array(const struct pins_section *section)
{
    json_t *array = json_array();

    for (size_t i = 0; i < section->n_classes; i++) {
        const struct pin_class *class = &section->classes[i];
        json_t *object = json_object();

        json_add_count(object, "block_size", class->block_bytes);
        json_add_count(object, "pools", class->pools);
        json_add_count(object, "blocks", class->blocks);
        json_add_count(object, "free_bytes", class->free_bytes);
        json_array_append_new(array, object);
    }
    return array;
}

static void add_owners(json_t *object, const struct pins_section *section,
                       int64_t now_mono_ns)
{
    static const char *const names[] = {"unknown", "known", "too_little", "too_dear"};
    bool has_looked = section->owners_mono_ns > 0;

    json_add_text(object, "owners", names[section->owners]);
    json_add_seconds(object, "owners_age_s",
                     has_looked ? reading_exact(now_mono_ns - section->owners_mono_ns)
                                : reading_unknown());
    json_add_seconds(object, "owners_cpu_s",
                     has_looked ? reading_exact(section->owners_cpu_ns)
                                : reading_unknown());
}

json_t *json_pins(const struct pins_section *section, int64_t now_mono_ns, int rows)
{
    char words[PINS_WORDS_MAX];
    json_t *object, *kinds;

    if (!section)
        return json_null();
    object = json_object();
    kinds = json_array();
    json_add(object, "words",
             pins_words(section, words) ? json_string(words) : json_null());
    json_add_seconds(object, "age_s",
                     reading_exact(now_mono_ns - section->taken_mono_ns));
    json_add_seconds(object, "cpu_s", reading_exact(section->cpu_ns));
    json_add_count(object, "read_bytes", section->read_bytes);
    json_add_count(object, "arenas", section->arenas);
    json_add_count(object, "skipped", section->arenas_skipped);
    json_add_count(object, "torn", section->arenas_torn);
    json_add_count(object, "resident_bytes", section->resident_bytes);
    json_add_count(object, "return_bytes", section->return_bytes);
    json_add_count(object, "objects", section->objects);
    json_add_count(object, "object_bytes", section->object_bytes);
    json_add_count(object, "parts", section->parts);
    json_add_count(object, "part_bytes", section->part_bytes);
    add_owners(object, section, now_mono_ns);
    for (size_t i = 0; i < section->n_rows && (rows <= 0 || i < (size_t)rows); i++)
        json_array_append_new(kinds, row_object(section, &section->rows[i]));
    json_add(object, "kinds", kinds);
    json_add(object, "cheap", step_object(&section->cheap));
    json_add(object, "steps", steps_array(section));
    json_add(object, "classes", classes_array(section));
    return object;
}
