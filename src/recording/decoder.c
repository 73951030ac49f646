#include "recording/decoder.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "model/builder.h"
#include "model/kind.h"
#include "recording/kind_rows.h"
#include "recording/names.h"
#include "recording/plane.h"
#include "recording/plugin_rows.h"
#include "recording/rows.h"
#include "recording/shape.h"
#include "util/xalloc.h"

#define SHEETS_MAX  64
#define COLUMNS_MAX 256
#define RAW_MAX     ((size_t)256 << 20)

struct stored_sheet {
    int sheet; /* enum sheet_id; -1: not known here */
    struct plane plane;
};

struct decoder {
    struct stored_sheet stored[SHEETS_MAX];
    size_t n_stored;
    struct rows_view views[SHEETS];
    const struct kind **names; /* by number; interned */
    size_t n_names;
    ZSTD_DCtx *unpacker;
    uint8_t *raw;
    size_t raw_bytes;
    bool needs_key;
    struct kind_rows kinds;
    /* References of the sections that were built last. */
    const struct objects_section *objects;
    const struct arenas_section *arenas;
    const struct pins_section *pins;
    const struct plugin_table *tables[PLUGINS_MAX];
};

struct decoder *decoder_new(void)
{
    struct decoder *decoder = xcalloc(1, sizeof(*decoder));

    decoder->unpacker = ZSTD_createDCtx();
    decoder->needs_key = true;
    return decoder;
}

static void forget_tables(struct decoder *decoder)
{
    for (size_t i = 0; i < PLUGINS_MAX; i++) {
        plugin_table_unref(decoder->tables[i]);
        decoder->tables[i] = NULL;
    }
}

void decoder_free(struct decoder *decoder)
{
    if (!decoder)
        return;
    for (size_t i = 0; i < decoder->n_stored; i++)
        plane_release(&decoder->stored[i].plane);
    kind_rows_release(&decoder->kinds);
    objects_unref(decoder->objects);
    arenas_unref(decoder->arenas);
    pins_unref(decoder->pins);
    forget_tables(decoder);
    free(decoder->names);
    free(decoder->raw);
    ZSTD_freeDCtx(decoder->unpacker);
    free(decoder);
}

static int sheet_of_name(const char *name)
{
    for (int i = 0; i < SHEETS; i++)
        if (!strcmp(sheet_shapes[i].name, name))
            return i;
    return -1;
}

bool decoder_add_sheet(struct decoder *decoder, const char *name)
{
    struct stored_sheet *stored = &decoder->stored[decoder->n_stored];

    if (decoder->n_stored == SHEETS_MAX)
        return false;
    stored->sheet = sheet_of_name(name);
    plane_init(&stored->plane, 1);
    if (stored->sheet >= 0)
        decoder->views[stored->sheet].plane = &stored->plane;
    decoder->n_stored++;
    return true;
}

bool decoder_add_column(struct decoder *decoder, size_t sheet, const char *name,
                        const char *type)
{
    struct stored_sheet *stored;
    size_t column;

    if (sheet >= decoder->n_stored)
        return false;
    stored = &decoder->stored[sheet];
    column = stored->plane.columns;
    if (column + 2 > COLUMNS_MAX)
        return false;
    stored->plane.columns += !strcmp(type, field_type_name(FIELD_READING)) ? 2 : 1;
    if (stored->sheet >= 0)
        rows_know_column(&decoder->views[stored->sheet], stored->sheet, name, type,
                         column);
    return true;
}

void decoder_add_ours(struct decoder *decoder)
{
    for (size_t i = 0; i < SHEETS; i++)
        decoder_add_sheet(decoder, sheet_shapes[i].name);
    for (size_t i = 0; i < SHEETS; i++)
        for (size_t k = 0; k < sheet_shapes[i].n_fields; k++)
            decoder_add_column(decoder, i, sheet_shapes[i].fields[k].name,
                               field_type_name(sheet_shapes[i].fields[k].type));
}

void decoder_add_name(struct decoder *decoder, uint64_t number, const char *text,
                      size_t length)
{
    size_t wanted = decoder->n_names ? decoder->n_names : 256;

    if (number > NAMES_MAX + 1)
        return;
    while (number >= wanted)
        wanted *= 2;
    if (wanted > decoder->n_names) {
        decoder->names = xreallocarray(decoder->names, wanted, sizeof(*decoder->names));
        memset(decoder->names + decoder->n_names, 0,
               (wanted - decoder->n_names) * sizeof(*decoder->names));
        decoder->n_names = wanted;
    }
    decoder->names[number] = kind_intern(text, length);
}

/* The room that the bytes need once unpacked; 0: not what this heaptop packs. */
static size_t unpacked_bytes(const void *bytes, size_t length)
{
    unsigned long long size = ZSTD_getFrameContentSize(bytes, length);

    return size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR ||
                   size > RAW_MAX
               ? 0
               : (size_t)size;
}

static int unpack(struct decoder *decoder, const void *bytes, size_t length,
                  size_t *raw_length, struct err *err)
{
    size_t wanted = unpacked_bytes(bytes, length);

    if (!wanted || !decoder->unpacker)
        return err_set(err, ERR_DAMAGED, "the sample is not packed as samples are");
    if (wanted > decoder->raw_bytes) {
        uint8_t *raw = realloc(decoder->raw, wanted);

        if (!raw)
            return err_set(err, ERR_FAILED, "out of memory");
        decoder->raw = raw;
        decoder->raw_bytes = wanted;
    }
    *raw_length =
        ZSTD_decompressDCtx(decoder->unpacker, decoder->raw, wanted, bytes, length);
    if (ZSTD_isError(*raw_length))
        return err_set(err, ERR_DAMAGED, "the sample does not fit its checksum");
    return 0;
}

static bool take_planes(struct decoder *decoder, size_t length, bool is_key)
{
    const uint8_t *at = decoder->raw, *end = at + length;

    for (size_t i = 0; i < decoder->n_stored; i++) {
        if (is_key)
            plane_reset(&decoder->stored[i].plane);
        if (!plane_decode(&decoder->stored[i].plane, &at, end))
            return false;
    }
    return at == end;
}

int decoder_take(struct decoder *decoder, const void *bytes, size_t length, bool is_key,
                 struct err *err)
{
    size_t raw_length = 0;

    if (decoder->needs_key && !is_key)
        return err_set(err, ERR_DAMAGED, "the sample builds on one that is lost");
    decoder->needs_key = true;
    if (unpack(decoder, bytes, length, &raw_length, err))
        return -1;
    if (!take_planes(decoder, raw_length, is_key))
        return err_set(err, ERR_DAMAGED, "the sample's values make no sense");
    decoder->needs_key = false;
    return 0;
}

static struct rows_source source_of(const struct decoder *decoder)
{
    return (struct rows_source){decoder->views, decoder->names, decoder->n_names};
}

static bool take_change(struct decoder *decoder, enum sheet_id sheet)
{
    struct plane *plane = decoder->views[sheet].plane;
    bool has_changed = plane && plane->has_changed;

    if (plane)
        plane_untouch(plane);
    return has_changed;
}

static void build_objects(struct decoder *decoder, const struct rows_source *source)
{
    const struct plane *kinds = decoder->views[SHEET_KINDS].plane;

    if (!take_change(decoder, SHEET_OBJECTS) && !(kinds && kinds->has_changed))
        return;
    kind_rows_update(&decoder->kinds, source);
    objects_unref(decoder->objects);
    decoder->objects =
        rows_build_objects(source, decoder->kinds.rows, decoder->kinds.count);
}

static void build_arenas(struct decoder *decoder, const struct rows_source *source)
{
    bool has_new_facts = take_change(decoder, SHEET_ARENAS);

    if (!take_change(decoder, SHEET_ARENA_ROWS) && !has_new_facts)
        return;
    arenas_unref(decoder->arenas);
    decoder->arenas = rows_build_arenas(source);
}

static void build_pins(struct decoder *decoder, const struct rows_source *source)
{
    bool has_changed = take_change(decoder, SHEET_PINS);

    has_changed |= take_change(decoder, SHEET_PIN_ROWS);
    has_changed |= take_change(decoder, SHEET_PIN_STEPS);
    has_changed |= take_change(decoder, SHEET_PIN_CLASSES);
    if (!has_changed)
        return;
    pins_unref(decoder->pins);
    decoder->pins = rows_build_pins(source);
}

static void build_tables(struct decoder *decoder, const struct rows_source *source)
{
    struct plugin_rows rows;

    rows.columns = rows_read_all(source, SHEET_PLUGIN_COLUMNS, &rows.n_columns);
    rows.rows = rows_read_all(source, SHEET_PLUGIN_ROWS, &rows.n_rows);
    rows.texts = rows_read_all(source, SHEET_PLUGIN_TEXTS, &rows.n_texts);
    forget_tables(decoder);
    for (size_t i = 0; i < PLUGINS_MAX; i++)
        decoder->tables[i] = plugin_rows_table(&rows, i);
    plugin_rows_release(&rows);
}

static void build_plugins(struct decoder *decoder, const struct rows_source *source,
                          struct snapshot_builder *builder)
{
    bool has_changed = take_change(decoder, SHEET_PLUGIN_COLUMNS);
    size_t count;
    struct plugin_view *views = rows_read_all(source, SHEET_PLUGINS, &count);

    has_changed |= take_change(decoder, SHEET_PLUGIN_ROWS);
    has_changed |= take_change(decoder, SHEET_PLUGIN_TEXTS);
    if (has_changed)
        build_tables(decoder, source);
    if (count > PLUGINS_MAX)
        count = PLUGINS_MAX;
    for (size_t i = 0; i < count; i++)
        views[i].table = decoder->tables[i];
    if (count)
        builder_plugins(builder, views, count);
    free(views);
}

const struct snapshot *decoder_snapshot(struct decoder *decoder,
                                        const struct event *events, size_t n_events)
{
    struct rows_source source = source_of(decoder);
    struct snapshot_builder *builder = builder_new(0);

    if (!builder)
        return NULL;
    rows_build_sections(&source, builder);
    build_objects(decoder, &source);
    build_arenas(decoder, &source);
    build_pins(decoder, &source);
    build_plugins(decoder, &source, builder);
    builder_objects(builder, decoder->objects);
    builder_arenas(builder, decoder->arenas);
    builder_pins(builder, decoder->pins);
    builder_events(builder, events, n_events);
    return snapshot_seal(builder);
}
