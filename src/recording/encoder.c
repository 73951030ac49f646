#include "recording/encoder.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "recording/kind_order.h"
#include "recording/names.h"
#include "recording/plane.h"
#include "recording/plugin_rows.h"
#include "recording/shape.h"
#include "recording/slots.h"
#include "util/strbuf.h"
#include "util/xalloc.h"

#define PACK_LEVEL 1 /* higher ones cost more and win nothing */

/* The rows of a sheet as they were put last, by slot: most do not change, and need not be
 * laid out again. */
struct kept_rows {
    uint8_t *rows;
    size_t capacity;
    uint32_t *places; /* as column 0 of the plane, but close together */
    size_t n_places;
};

struct encoder {
    struct plane planes[SHEETS];
    struct slots slots[SHEETS];
    struct kept_rows kept[SHEETS];
    struct kind_order kinds;
    struct names *names;
    struct strbuf raw;
    void *packed;
    size_t packed_bytes;
    ZSTD_CCtx *packer;
    unsigned until_key;
    /* What did not change since is not laid out again. References. */
    const struct objects_section *objects;
    const struct arenas_section *arenas;
    const struct pins_section *pins;
    const struct plugin_table *tables[PLUGINS_MAX];
};

struct encoder *encoder_new(void)
{
    struct encoder *encoder = xcalloc(1, sizeof(*encoder));

    for (size_t i = 0; i < SHEETS; i++)
        plane_init(&encoder->planes[i], sheet_values(&sheet_shapes[i]));
    encoder->names = names_new();
    encoder->packer = ZSTD_createCCtx();
    if (encoder->packer) {
        ZSTD_CCtx_setParameter(encoder->packer, ZSTD_c_compressionLevel, PACK_LEVEL);
        ZSTD_CCtx_setParameter(encoder->packer, ZSTD_c_checksumFlag, 1);
    }
    return encoder;
}

static void forget_sections(struct encoder *encoder)
{
    objects_unref(encoder->objects);
    arenas_unref(encoder->arenas);
    pins_unref(encoder->pins);
    encoder->objects = NULL;
    encoder->arenas = NULL;
    encoder->pins = NULL;
    for (size_t i = 0; i < PLUGINS_MAX; i++) {
        plugin_table_unref(encoder->tables[i]);
        encoder->tables[i] = NULL;
    }
}

static void release_sheets(struct encoder *encoder)
{
    for (size_t i = 0; i < SHEETS; i++) {
        plane_release(&encoder->planes[i]);
        slots_release(&encoder->slots[i]);
        free(encoder->kept[i].rows);
        free(encoder->kept[i].places);
        encoder->kept[i] = (struct kept_rows){NULL, 0, NULL, 0};
    }
    kind_order_release(&encoder->kinds);
}

void encoder_free(struct encoder *encoder)
{
    if (!encoder)
        return;
    forget_sections(encoder);
    release_sheets(encoder);
    names_free(encoder->names);
    strbuf_release(&encoder->raw);
    free(encoder->packed);
    ZSTD_freeCCtx(encoder->packer);
    free(encoder);
}

void encoder_restart(struct encoder *encoder)
{
    forget_sections(encoder);
    release_sheets(encoder);
    names_free(encoder->names);
    encoder->names = names_new();
    encoder->until_key = 0;
}

void encoder_make_key(struct encoder *encoder)
{
    encoder->until_key = 0;
}

static int64_t read_number(const struct field *field, const uint8_t *at)
{
    uint64_t value = 0;

    if (field->bytes == sizeof(value)) /* most are: no call then */
        memcpy(&value, at, sizeof(value));
    else
        memcpy(&value, at, field->bytes);
    if (field->type == FIELD_SIGNED && field->bytes == sizeof(int32_t))
        return (int32_t)value;
    return (int64_t)value;
}

/* What plugins say must not take the room of the kinds' names. */
static int64_t number_of(struct encoder *encoder, enum sheet_id sheet, const char *text)
{
    return sheet >= SHEET_PLUGINS ? names_of_plugin(encoder->names, text)
                                  : names_number(encoder->names, text);
}

static int64_t read_name(struct encoder *encoder, enum sheet_id sheet,
                         const struct field *field, const uint8_t *at)
{
    const void *pointer;

    if (field->type == FIELD_TEXT)
        return number_of(encoder, sheet, (const char *)at);
    memcpy(&pointer, at, sizeof(pointer));
    if (!pointer)
        return 0;
    if (field->type == FIELD_KIND)
        return names_of_kind(encoder->names, pointer);
    return number_of(encoder, sheet, pointer);
}

static bool grow_sheet(struct encoder *encoder, enum sheet_id sheet, size_t slots)
{
    struct kept_rows *kept = &encoder->kept[sheet];
    size_t capacity;

    if (!plane_grow(&encoder->planes[sheet], slots))
        return false;
    capacity = encoder->planes[sheet].capacity;
    if (capacity == kept->n_places)
        return true;
    kept->places = xreallocarray(kept->places, capacity, sizeof(*kept->places));
    memset(kept->places + kept->n_places, 0,
           (capacity - kept->n_places) * sizeof(*kept->places));
    kept->n_places = capacity;
    return true;
}

/* A new slot has a row of zeros, as its values are. */
static void grow_kept(struct kept_rows *kept, size_t capacity, size_t bytes)
{
    kept->rows = xreallocarray(kept->rows, capacity, bytes);
    memset(kept->rows + kept->capacity * bytes, 0, (capacity - kept->capacity) * bytes);
    kept->capacity = capacity;
}

/* 0: there is no row. */
static inline void set_place(struct encoder *encoder, enum sheet_id sheet, size_t slot,
                             uint32_t place)
{
    uint32_t *known = &encoder->kept[sheet].places[slot];

    if (*known == place)
        return;
    *known = place;
    *plane_line(&encoder->planes[sheet], slot) = place;
    plane_touch(&encoder->planes[sheet], slot);
}

static void put_fields(struct encoder *encoder, enum sheet_id sheet, size_t slot,
                       const void *row)
{
    const struct sheet_shape *shape = &sheet_shapes[sheet];
    int64_t *value = plane_line(&encoder->planes[sheet], slot) + 1;

    for (size_t i = 0; i < shape->n_fields; i++) {
        const struct field *field = &shape->fields[i];
        const uint8_t *at = (const uint8_t *)row + field->offset;

        if (field->type == FIELD_READING) {
            const struct reading *reading = (const void *)at;

            *value++ = reading->value;
            *value++ = reading->state;
        } else if (field->type >= FIELD_TEXT) {
            *value++ = read_name(encoder, sheet, field, at);
        } else {
            *value++ = read_number(field, at);
        }
    }
}

/* Lays a row out. `place` is its index in the section. */
static void put_anew(struct encoder *encoder, enum sheet_id sheet, size_t slot,
                     size_t place, const void *row)
{
    if (!grow_sheet(encoder, sheet, slot + 1))
        return;
    set_place(encoder, sheet, slot, (uint32_t)place + 1);
    put_fields(encoder, sheet, slot, row);
    plane_touch(&encoder->planes[sheet], slot);
}

/* Likewise, if it is not as it was. */
static void put(struct encoder *encoder, enum sheet_id sheet, size_t slot, size_t place,
                const void *row)
{
    size_t bytes = sheet_shapes[sheet].struct_bytes;
    struct kept_rows *kept = &encoder->kept[sheet];

    if (!grow_sheet(encoder, sheet, slot + 1))
        return;
    if (slot >= kept->capacity)
        grow_kept(kept, encoder->planes[sheet].capacity, bytes);
    if (memcmp(kept->rows + slot * bytes, row, bytes) == 0) {
        set_place(encoder, sheet, slot, (uint32_t)place + 1);
        return;
    }
    memcpy(kept->rows + slot * bytes, row, bytes);
    put_anew(encoder, sheet, slot, place, row);
}

/* There are no rows from this slot on. */
static void remove_from(struct encoder *encoder, enum sheet_id sheet, size_t slot)
{
    for (; slot < encoder->planes[sheet].slots; slot++)
        set_place(encoder, sheet, slot, 0);
}

/* Besides its fields it has references and addresses, which other threads change: it is
 * not compared. */
static void put_section(struct encoder *encoder, enum sheet_id sheet, const void *section)
{
    if (section)
        put_anew(encoder, sheet, 0, 0, section);
    else
        remove_from(encoder, sheet, 0);
}

/* Rows whose place tells which they are. */
static void put_rows(struct encoder *encoder, enum sheet_id sheet, const void *rows,
                     size_t count)
{
    const uint8_t *row = rows;

    for (size_t i = 0; i < count; i++)
        put(encoder, sheet, i, i, row + i * sheet_shapes[sheet].struct_bytes);
    remove_from(encoder, sheet, count);
}

static void put_keyed(struct encoder *encoder, enum sheet_id sheet, uint64_t key,
                      size_t place, const void *row)
{
    put(encoder, sheet, slots_of(&encoder->slots[sheet], key), place, row);
}

/* Rows that were not asked for are no more. */
static void remove_unasked(struct encoder *encoder, enum sheet_id sheet,
                           struct slots *slots)
{
    if (!slots_end(slots))
        return;
    for (size_t slot = 0; slot < encoder->planes[sheet].slots; slot++)
        if (slots_is_vacant(slots, slot))
            set_place(encoder, sheet, slot, 0);
}

static void end_keyed(struct encoder *encoder, enum sheet_id sheet)
{
    remove_unasked(encoder, sheet, &encoder->slots[sheet]);
}

/* Kinds are sorted when they are sealed: their place need not be kept. */
static void put_objects(struct encoder *encoder, const struct objects_section *objects)
{
    struct kind_order *kinds = &encoder->kinds;

    if (objects == encoder->objects)
        return;
    put_section(encoder, SHEET_OBJECTS, objects);
    kind_order_follow(kinds, encoder->objects, objects);
    for (size_t i = 0; i < kinds->n_changed; i++)
        put_anew(encoder, SHEET_KINDS, kinds->slots[kinds->changed[i]], 0,
                 &objects->kinds[kinds->changed[i]]);
    if (kinds->has_gone)
        remove_unasked(encoder, SHEET_KINDS, &kinds->by_kind);
    objects_unref(encoder->objects);
    encoder->objects = objects ? objects_ref(objects) : NULL;
}

static void put_arena(struct encoder *encoder, const struct arenas_section *arenas,
                      size_t at)
{
    struct recorded_arena row;

    memset(&row, 0, sizeof(row));
    row.arena = arenas->arenas[at];
    memcpy(row.cells, arena_cells(arenas, at), arenas->pools_each);
    put_keyed(encoder, SHEET_ARENA_ROWS, row.arena.address, at, &row);
}

static void put_arenas(struct encoder *encoder, const struct arenas_section *arenas)
{
    if (arenas && arenas->pools_each > RECORDED_CELLS_MAX)
        arenas = NULL; /* no such build is known */
    if (arenas == encoder->arenas)
        return;
    put_section(encoder, SHEET_ARENAS, arenas);
    slots_begin(&encoder->slots[SHEET_ARENA_ROWS]);
    for (size_t i = 0; arenas && i < arenas->n_arenas; i++)
        put_arena(encoder, arenas, i);
    end_keyed(encoder, SHEET_ARENA_ROWS);
    arenas_unref(encoder->arenas);
    encoder->arenas = arenas ? arenas_ref(arenas) : NULL;
}

static void put_pins(struct encoder *encoder, const struct pins_section *pins)
{
    if (pins == encoder->pins)
        return;
    put_section(encoder, SHEET_PINS, pins);
    slots_begin(&encoder->slots[SHEET_PIN_ROWS]);
    for (size_t i = 0; pins && i < pins->n_rows; i++)
        put_keyed(encoder, SHEET_PIN_ROWS, pins->rows[i].kind->id, 0, &pins->rows[i]);
    end_keyed(encoder, SHEET_PIN_ROWS);
    put_rows(encoder, SHEET_PIN_STEPS, pins ? pins->steps : NULL,
             pins ? pins->n_steps : 0);
    put_rows(encoder, SHEET_PIN_CLASSES, pins ? pins->classes : NULL,
             pins ? pins->n_classes : 0);
    pins_unref(encoder->pins);
    encoder->pins = pins ? pins_ref(pins) : NULL;
}

/* The cells of all heaps, one after the other. */
static void put_cells(struct encoder *encoder, const uint8_t *cells, size_t count)
{
    size_t n_rows = (count + RECORDED_CELLS_EACH - 1) / RECORDED_CELLS_EACH;

    for (size_t i = 0; i < n_rows; i++) {
        size_t left = count - i * RECORDED_CELLS_EACH;
        struct recorded_cells row;

        memset(&row, 0, sizeof(row));
        memcpy(row.words, cells + i * RECORDED_CELLS_EACH,
               left < RECORDED_CELLS_EACH ? left : RECORDED_CELLS_EACH);
        put(encoder, SHEET_HEAP_CELLS, i, i, &row);
    }
    remove_from(encoder, SHEET_HEAP_CELLS, n_rows);
}

static void put_heaps(struct encoder *encoder, const struct malloc_section *section)
{
    size_t n_rows = section ? section->n_heap_rows : 0, n_cells = 0;

    for (size_t i = 0; i < n_rows; i++)
        if (section->heap_rows[i].first_cell + section->heap_rows[i].n_cells > n_cells)
            n_cells = section->heap_rows[i].first_cell + section->heap_rows[i].n_cells;
    put_rows(encoder, SHEET_HEAPS, n_rows ? section->heap_rows : NULL, n_rows);
    put_cells(encoder, n_rows ? section->heap_cells : NULL, n_cells);
    put_rows(encoder, SHEET_TOPS, section ? section->tops : NULL,
             section ? section->n_tops : 0);
}

static void put_malloc(struct encoder *encoder, const struct malloc_section *section)
{
    put_section(encoder, SHEET_MALLOC, section);
    slots_begin(&encoder->slots[SHEET_MALLOC_ROWS]);
    for (size_t i = 0; section && i < section->n_rows; i++)
        put_keyed(encoder, SHEET_MALLOC_ROWS, section->rows[i].address, i,
                  &section->rows[i]);
    end_keyed(encoder, SHEET_MALLOC_ROWS);
}

static void put_account(struct encoder *encoder, const struct account_section *account)
{
    put_section(encoder, SHEET_ACCOUNT, account);
    put_rows(encoder, SHEET_PARTS, account ? account->parts : NULL,
             account ? ACCOUNT_PARTS : 0);
    slots_begin(&encoder->slots[SHEET_MAPPINGS]);
    for (size_t i = 0; account && i < account->n_mappings; i++) {
        const struct mapping_row *row = &account->mappings[i];
        uint64_t name = (uint64_t)names_number(encoder->names, row->name);

        put_keyed(encoder, SHEET_MAPPINGS, name << 8 | row->part, i, row);
    }
    end_keyed(encoder, SHEET_MAPPINGS);
}

static void put_free_lists(struct encoder *encoder,
                           const struct free_lists_section *lists)
{
    put_section(encoder, SHEET_FREE_LISTS, lists);
    slots_begin(&encoder->slots[SHEET_FREE_LIST_ROWS]);
    for (size_t i = 0; lists && i < lists->n_rows; i++) {
        const struct free_list_row *row = &lists->rows[i];
        uint64_t type = (uint64_t)names_number(encoder->names, row->type);

        put_keyed(encoder, SHEET_FREE_LIST_ROWS, type << 32 | (uint32_t)row->length, i,
                  row);
    }
    end_keyed(encoder, SHEET_FREE_LIST_ROWS);
}

/* In each sample its texts are others, at other addresses: it is not compared. Rows are
 * known by their names, those of one name but the first by their places. */
static void put_plugin_row(struct encoder *encoder, size_t place,
                           const struct recorded_plugin_row *row)
{
    struct slots *slots = &encoder->slots[SHEET_PLUGIN_ROWS];
    uint64_t name = (uint64_t)names_of_plugin(encoder->names, plugin_row_name(row));
    uint64_t key = row->plugin << 32 | name;

    if (slots_is_asked(slots, key))
        key = UINT64_C(1) << 40 | place;
    put_anew(encoder, SHEET_PLUGIN_ROWS, slots_of(slots, key), place, row);
}

static void put_tables(struct encoder *encoder, const struct plugin_view *views,
                       size_t count)
{
    struct plugin_rows rows;

    plugin_rows_of(views, count, &rows);
    put_rows(encoder, SHEET_PLUGIN_COLUMNS, rows.columns, rows.n_columns);
    put_rows(encoder, SHEET_PLUGIN_TEXTS, rows.texts, rows.n_texts);
    slots_begin(&encoder->slots[SHEET_PLUGIN_ROWS]);
    for (size_t i = 0; i < rows.n_rows; i++)
        put_plugin_row(encoder, i, &rows.rows[i]);
    end_keyed(encoder, SHEET_PLUGIN_ROWS);
    plugin_rows_release(&rows);
}

static void put_plugins(struct encoder *encoder, const struct plugins_section *section)
{
    struct plugin_view views[PLUGINS_MAX];
    size_t count = plugin_rows_views(section, views);
    bool is_same = true;

    put_rows(encoder, SHEET_PLUGINS, views, count);
    for (size_t i = 0; i < PLUGINS_MAX; i++) {
        const struct plugin_table *table = i < count ? views[i].table : NULL;

        if (table == encoder->tables[i])
            continue;
        is_same = false;
        plugin_table_unref(encoder->tables[i]);
        encoder->tables[i] = table ? plugin_table_ref(table) : NULL;
    }
    if (!is_same)
        put_tables(encoder, views, count);
}

static void put_snapshot(struct encoder *encoder, const struct snapshot *snapshot)
{
    const struct pymalloc_section *pymalloc = snapshot->pymalloc;
    const struct gc_section *gc = snapshot->gc;

    put_section(encoder, SHEET_SAMPLE, snapshot);
    put_section(encoder, SHEET_PROCESS, snapshot->process);
    put_section(encoder, SHEET_PYMALLOC, pymalloc);
    put_rows(encoder, SHEET_SIZE_CLASSES, pymalloc ? pymalloc->size_classes : NULL,
             pymalloc ? pymalloc->n_size_classes : 0);
    put_section(encoder, SHEET_GC, gc);
    put_rows(encoder, SHEET_GENERATIONS, gc ? gc->generations : NULL,
             gc ? gc->n_generations : 0);
    put_objects(encoder, snapshot->objects);
    put_arenas(encoder, snapshot->arenas);
    put_pins(encoder, snapshot->pins);
    put_malloc(encoder, snapshot->malloc);
    put_heaps(encoder, snapshot->malloc);
    put_account(encoder, snapshot->account);
    put_free_lists(encoder, snapshot->free_lists);
    put_plugins(encoder, snapshot->plugins);
}

static int pack(struct encoder *encoder, struct encoded_sample *sample, struct err *err)
{
    size_t bound = ZSTD_compressBound(encoder->raw.length), length;

    if (bound > encoder->packed_bytes) {
        encoder->packed = xreallocarray(encoder->packed, bound, 1);
        encoder->packed_bytes = bound;
    }
    if (encoder->raw.cut || !encoder->packer)
        return err_set(err, ERR_FAILED, "a sample is too large to be recorded");
    length = ZSTD_compress2(encoder->packer, encoder->packed, bound, encoder->raw.text,
                            encoder->raw.length);
    if (ZSTD_isError(length))
        return err_set(err, ERR_FAILED, "a sample could not be packed: %s",
                       ZSTD_getErrorName(length));
    sample->bytes = encoder->packed;
    sample->length = length;
    return 0;
}

int encoder_add(struct encoder *encoder, const struct snapshot *snapshot,
                struct encoded_sample *sample, struct err *err)
{
    sample->is_key = encoder->until_key == 0;
    encoder->until_key = sample->is_key ? ENCODER_KEY_EVERY - 1 : encoder->until_key - 1;
    names_forget_new(encoder->names);
    put_snapshot(encoder, snapshot);
    strbuf_reset(&encoder->raw);
    for (size_t i = 0; i < SHEETS; i++) {
        if (sample->is_key)
            plane_forget(&encoder->planes[i]);
        plane_encode(&encoder->planes[i], &encoder->raw);
    }
    sample->n_names = names_new_ones(encoder->names, &sample->names);
    return pack(encoder, sample, err);
}
