#include "sink/json_account.h"

#include "model/account.h"
#include "sink/json_heaps.h"
#include "sink/json_value.h"

static json_t *json_parts(const struct account_section *account)
{
    json_t *array = json_array();

    for (int i = 0; i < ACCOUNT_PARTS; i++) {
        json_t *object = json_object();

        json_add_text(object, "part", account_part_name((enum account_part)i));
        json_add_count(object, "bytes", account->parts[i].resident);
        json_add_count(object, "swap_bytes", account->parts[i].swapped);
        json_array_append_new(array, object);
    }
    return array;
}

static json_t *json_mappings(const struct account_section *account)
{
    json_t *array = json_array();

    for (size_t i = 0; i < account->n_mappings; i++) {
        const struct mapping_row *row = &account->mappings[i];
        json_t *object = json_object();

        json_add_text(object, "name", row->name);
        json_add_text(object, "part", account_part_name(row->part));
        json_add_count(object, "mappings", row->mappings);
        json_add_count(object, "virt_bytes", row->virt_bytes);
        json_add_count(object, "res_bytes", row->res_bytes);
        json_add_count(object, "swap_bytes", row->swap_bytes);
        json_array_append_new(array, object);
    }
    return array;
}

json_t *json_account(const struct snapshot *snapshot)
{
    const struct account_section *account = snapshot->account;
    json_t *object;

    if (!account)
        return json_null();
    object = json_object();
    json_add_count(object, "res_bytes", account->res_bytes);
    json_add(object, "parts", json_parts(account));
    json_add_reading(object, "unexplained_bytes",
                     reading_exact(account->unexplained_bytes));
    json_add_reading(object, "trim_bytes", account->trim_bytes);
    json_add_reading(object, "collect_trim_bytes", account->collect_trim_bytes);
    json_add_reading(object, "collect_trim_most_bytes", account->collect_trim_most_bytes);
    json_add_reading(object, "restart_bytes", account->restart_bytes);
    json_add_reading(object, "garbage_objects", account->garbage_objects);
    json_add_reading(object, "garbage_bytes", account->garbage_bytes);
    json_add_text(object, "garbage_why", account_garbage_why_name(account->garbage_why));
    json_add_seconds(object, "garbage_age_s",
                     account->garbage_mono_ns
                         ? reading_exact(snapshot->mono_ns - account->garbage_mono_ns)
                         : reading_unknown());
    json_add_seconds(object, "age_s",
                     reading_exact(snapshot->mono_ns - account->ended_mono_ns));
    json_add_seconds(object, "seconds", reading_exact(account->wall_ns));
    json_add(object, "mappings", json_mappings(account));
    return object;
}

static json_t *json_malloc_arenas(const struct malloc_section *section)
{
    json_t *array = json_array();

    for (size_t i = 0; i < section->n_rows; i++) {
        const struct malloc_arena_row *row = &section->rows[i];
        json_t *object = json_object();

        json_add_count(object, "arena", i);
        json_add_count(object, "heaps", row->heaps);
        json_add_count(object, "heap_bytes", row->heap_bytes);
        json_add_count(object, "used_bytes", row->used_bytes);
        json_add_count(object, "free_bytes", row->free_bytes);
        json_add_count(object, "cached_bytes", row->cached_bytes);
        json_add_count(object, "top_bytes", row->top_bytes);
        json_add_count(object, "trim_bytes", row->trim_bytes);
        json_array_append_new(array, object);
    }
    return array;
}

json_t *json_malloc(const struct snapshot *snapshot)
{
    const struct malloc_section *section = snapshot->malloc;
    json_t *object;

    if (!section)
        return json_null();
    object = json_object();
    json_add_text(object, "allocator", section->allocator);
    json_add_reading(object, "arenas", section->arenas);
    json_add_reading(object, "heaps", section->heaps);
    json_add_reading(object, "used_bytes", section->used_bytes);
    json_add_reading(object, "used_chunks", section->used_chunks);
    json_add_reading(object, "free_bytes", section->free_bytes);
    json_add_reading(object, "tcache_bytes", section->tcache_bytes);
    json_add_reading(object, "fastbin_bytes", section->fastbin_bytes);
    json_add_reading(object, "top_bytes", section->top_bytes);
    json_add_reading(object, "mmapped_bytes", section->mmapped_bytes);
    json_add_reading(object, "mmapped_chunks", section->mmapped_chunks);
    json_add_reading(object, "trim_bytes", section->trim_bytes);
    json_add_reading(object, "mmap_threshold_bytes", section->mmap_threshold_bytes);
    json_add_reading(object, "threshold_free_bytes", section->threshold_free_bytes);
    json_add_count(object, "lost_bytes", section->lost_bytes);
    json_add_seconds(object, "age_s",
                     reading_exact(snapshot->mono_ns - section->ended_mono_ns));
    json_add(object, "rows", json_malloc_arenas(section));
    json_add(object, "tops", json_heap_tops(section));
    return object;
}

json_t *json_free_lists(const struct snapshot *snapshot)
{
    const struct free_lists_section *section = snapshot->free_lists;
    json_t *array;

    if (!section)
        return json_null();
    array = json_array();
    for (size_t i = 0; i < section->n_rows; i++) {
        const struct free_list_row *row = &section->rows[i];
        json_t *object = json_object();

        json_add_text(object, "type", row->type);
        json_add(object, "length",
                 row->length < 0 ? json_null() : json_integer(row->length));
        json_add_count(object, "count", row->count);
        json_add_count(object, "bytes", row->bytes);
        json_add_count(object, "arenas", row->arenas);
        json_array_append_new(array, object);
    }
    return array;
}
