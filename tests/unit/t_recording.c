/* Planes and names of a recording, its sheets against the structs, snapshots there and
 * back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/builder.h"
#include "model/kind.h"
#include "model/plugin_table.h"
#include "recording/database.h"
#include "recording/decoder.h"
#include "recording/encoder.h"
#include "recording/names.h"
#include "recording/plane.h"
#include "recording/plugin_rows.h"
#include "recording/recording_file.h"
#include "recording/rows.h"
#include "recording/shape.h"

#define COLUMNS 3
#define SLOTS   100

static void fill(struct plane *plane, unsigned seed)
{
    srand(seed);
    assert_true(plane_grow(plane, SLOTS));
    for (size_t column = 0; column < COLUMNS; column++)
        for (size_t slot = 0; slot < SLOTS; slot++)
            if (rand() % 4 == 0) {
                *plane_value(plane, column, slot) =
                    (int64_t)((uint64_t)rand() << 33 ^ (uint64_t)rand() << 5) - rand();
                plane_touch(plane, slot);
            }
}

static void test_planes_come_back(void **state)
{
    struct plane written, read;
    struct strbuf bytes = STRBUF_INIT;

    (void)state;
    plane_init(&written, COLUMNS);
    plane_init(&read, COLUMNS);
    for (unsigned turn = 0; turn < 50; turn++) {
        const uint8_t *at, *end;

        fill(&written, turn);
        if (turn % 8 == 0) {
            plane_forget(&written);
            plane_reset(&read);
        }
        strbuf_reset(&bytes);
        plane_encode(&written, &bytes);
        at = (const uint8_t *)bytes.text;
        end = at + bytes.length;
        assert_true(plane_decode(&read, &at, end));
        assert_ptr_equal(at, end);
        for (size_t column = 0; column < COLUMNS; column++)
            for (size_t slot = 0; slot < SLOTS; slot++)
                assert_true(*plane_value(&read, column, slot) ==
                            *plane_value(&written, column, slot));
    }
    strbuf_release(&bytes);
    plane_release(&written);
    plane_release(&read);
}

/* What was decoded is touched where it is not what it was when somebody looked, whatever
 * keys, lost samples and rows that went lay between. */
static void test_changes_are_touched(void **state)
{
    static const size_t slots[] = {40, 100, 100, 60, 60, 90, 90, 90};
    int64_t seen[COLUMNS][SLOTS] = {{0}};
    struct plane read;

    (void)state;
    plane_init(&read, COLUMNS);
    for (unsigned turn = 0; turn < sizeof(slots) / sizeof(slots[0]); turn++) {
        struct strbuf bytes = STRBUF_INIT;
        const uint8_t *at;
        struct plane written;
        bool is_cut = turn == 4;

        plane_init(&written, COLUMNS);
        fill(&written, turn / 2);
        written.slots = slots[turn];
        plane_forget(&written);
        plane_encode(&written, &bytes);
        at = (const uint8_t *)bytes.text;
        plane_reset(&read);
        assert_true(plane_decode(&read, &at, at + bytes.length - is_cut) != is_cut);
        for (size_t slot = 0; !is_cut && slot < read.slots; slot++)
            for (size_t column = 0; column < COLUMNS; column++) {
                int64_t value = *plane_value(&read, column, slot);

                assert_true(value == *plane_value(&written, column, slot));
                assert_true(value == seen[column][slot] || plane_is_touched(&read, slot));
                seen[column][slot] = value;
            }
        for (size_t column = 0; column < COLUMNS; column++)
            memset(&seen[column][read.slots], 0, (SLOTS - read.slots) * sizeof(int64_t));
        if (turn % 3 == 0)
            plane_untouch(&read);
        strbuf_release(&bytes);
        plane_release(&written);
    }
    assert_true(plane_is_touched(&read, SLOTS));
    plane_release(&read);
}

static void test_an_unchanged_plane_costs_nothing(void **state)
{
    struct plane plane;
    struct strbuf bytes = STRBUF_INIT;

    (void)state;
    plane_init(&plane, COLUMNS);
    fill(&plane, 1);
    plane_encode(&plane, &bytes);
    strbuf_reset(&bytes);
    plane_encode(&plane, &bytes);
    assert_in_range(bytes.length, 1, 5);
    strbuf_release(&bytes);
    plane_release(&plane);
}

/* Cut anywhere and changed anywhere: refused or decoded, never beyond its bounds. */
static void test_damaged_planes(void **state)
{
    struct strbuf bytes = STRBUF_INIT;
    struct plane plane;

    (void)state;
    plane_init(&plane, COLUMNS);
    fill(&plane, 2);
    plane_encode(&plane, &bytes);
    for (size_t i = 0; i < bytes.length; i++) {
        uint8_t *copy = malloc(bytes.length);
        const uint8_t *at = copy;
        struct plane read;

        memcpy(copy, bytes.text, bytes.length);
        plane_init(&read, COLUMNS);
        assert_false(plane_decode(&read, &at, copy + i));
        plane_release(&read);
        copy[i] ^= 0xff;
        at = copy;
        plane_init(&read, COLUMNS);
        plane_decode(&read, &at, copy + bytes.length);
        plane_release(&read);
        free(copy);
    }
    strbuf_release(&bytes);
    plane_release(&plane);
}

/*
 * A member that somebody adds to a section and forgets in shape.c leaves a hole. Only
 * what the compiler pads, and pointers and counts that are not kept as such, may be
 * holes: named here by their sizes.
 */
static const struct {
    enum sheet_id sheet;
    size_t unkept_bytes;
} unkept[] = {
    /* nine sections, n_events, events, memory, references, account_owner */
    {SHEET_SAMPLE, 8 * sizeof(void *) + sizeof(size_t) + 4 * sizeof(void *)},
    {SHEET_PYMALLOC, sizeof(size_t) + SIZE_CLASSES_MAX * sizeof(struct size_class_row)},
    {SHEET_GC, sizeof(size_t) + GENERATIONS_MAX * sizeof(struct generation_row)},
    {SHEET_OBJECTS, sizeof(size_t) + 3 * sizeof(void *)},
    {SHEET_ARENAS, sizeof(size_t) + 4 * sizeof(void *)},
    /* rows, heap_rows, heap_cells, tops and how many */
    {SHEET_MALLOC, 3 * sizeof(size_t) + 4 * sizeof(void *)},
    {SHEET_ACCOUNT,
     ACCOUNT_PARTS * sizeof(struct account_bytes) + sizeof(size_t) + sizeof(void *)},
    /* n_rows, rows, steps, classes, memory, references */
    {SHEET_PINS, 3 * sizeof(size_t) + 3 * sizeof(void *) +
                     PIN_STEPS_MAX * sizeof(struct pin_step) +
                     PIN_CLASSES_MAX * sizeof(struct pin_class)},
    {SHEET_FREE_LISTS, sizeof(size_t) + sizeof(void *)},
    {SHEET_PLUGINS, sizeof(void *)},                                      /* table */
    {SHEET_PLUGIN_COLUMNS, sizeof(((struct plugin_column *)0)->heading)}, /* of name */
};

static size_t unkept_bytes(enum sheet_id sheet)
{
    for (size_t i = 0; i < sizeof(unkept) / sizeof(unkept[0]); i++)
        if (unkept[i].sheet == sheet)
            return unkept[i].unkept_bytes;
    return 0;
}

static void test_every_member_has_a_field(void **state)
{
    (void)state;
    for (enum sheet_id sheet = 0; sheet < SHEETS; sheet++) {
        const struct sheet_shape *shape = &sheet_shapes[sheet];
        size_t kept = 0, padding = 0;

        assert_in_range(shape->n_fields, 1, FIELDS_MAX);
        for (size_t i = 0; i < shape->n_fields; i++) {
            kept += shape->fields[i].bytes;
            padding += shape->fields[i].bytes % 8 ? 8 - shape->fields[i].bytes % 8 : 0;
        }
        if (kept + unkept_bytes(sheet) + padding + 8 < shape->struct_bytes)
            fail_msg("a member of \"%s\" has no field: %zu bytes of %zu are known",
                     shape->name, kept + unkept_bytes(sheet), shape->struct_bytes);
    }
}

static const struct snapshot *make_snapshot(uint64_t seq)
{
    struct snapshot_builder *builder = builder_new(seq);
    struct process_section *process = builder_process(builder);
    struct kind_row rows[2];
    struct objects_section facts;

    memset(rows, 0, sizeof(rows));
    memset(&facts, 0, sizeof(facts));
    process->res_bytes = reading_exact(1000 * (int64_t)seq);
    process->swap_bytes = reading_unknown();
    strcpy(builder->snapshot->target.command, "python3 serve.py");
    rows[0] = (struct kind_row){.kind = kind_intern("shop.Session", 12),
                                .count = 10 + seq,
                                .memory_bytes = 4096 * seq};
    rows[1] = (struct kind_row){.kind = kind_intern("str", 3), .count = 7};
    facts.walk.method = "outside";
    facts.walk.ended_mono_ns = (int64_t)seq;
    const struct objects_section *objects = objects_seal(&facts, rows, seq % 3 ? 2 : 1);
    builder_objects(builder, objects);
    objects_unref(objects);
    return snapshot_seal(builder);
}

static void assert_same(const struct snapshot *a, const struct snapshot *b)
{
    assert_int_equal(a->seq, b->seq);
    assert_string_equal(a->target.command, b->target.command);
    assert_string_equal(a->access.why, b->access.why);
    assert_int_equal(a->process->res_bytes.value, b->process->res_bytes.value);
    assert_false(reading_is_known(b->process->swap_bytes));
    assert_null(b->pymalloc);
    assert_int_equal(a->objects->n_kinds, b->objects->n_kinds);
    assert_string_equal(b->objects->walk.method, "outside");
    for (size_t i = 0; i < a->objects->n_kinds; i++) {
        assert_ptr_equal(a->objects->kinds[i].kind, b->objects->kinds[i].kind);
        assert_int_equal(a->objects->kinds[i].count, b->objects->kinds[i].count);
    }
}

static void take(struct decoder *decoder, const struct encoded_sample *sample)
{
    struct err err = ERR_INIT;

    for (size_t i = 0; i < sample->n_names; i++)
        decoder_add_name(decoder, sample->names[i].number, sample->names[i].text,
                         strlen(sample->names[i].text));
    if (decoder_take(decoder, sample->bytes, sample->length, sample->is_key, &err))
        fail_msg("%s", err.text);
}

static void test_snapshots_come_back(void **state)
{
    struct encoder *encoder = encoder_new();
    struct decoder *decoder = decoder_new();
    struct err err = ERR_INIT;

    (void)state;
    decoder_add_ours(decoder);
    for (uint64_t seq = 1; seq < 3 * ENCODER_KEY_EVERY; seq++) {
        const struct snapshot *written = make_snapshot(seq), *read;
        struct encoded_sample sample;

        assert_int_equal(encoder_add(encoder, written, &sample, &err), 0);
        assert_int_equal(sample.is_key, seq % ENCODER_KEY_EVERY == 1);
        take(decoder, &sample);
        read = decoder_snapshot(decoder, NULL, 0);
        assert_same(written, read);
        snapshot_unref(written);
        snapshot_unref(read);
    }
    encoder_free(encoder);
    decoder_free(decoder);
}

/* What a plugin answers in this sample: rows that come, go and change places, two of one
 * name, a text that is not known and one that is empty, lines that are always new. */
static const struct plugin_table *make_table(unsigned turn)
{
    struct plugin_table *table = plugin_table_new();
    struct plugin_cell cells[3 * 8] = {{{0}, NULL}};
    uint8_t depths[8];
    char line[300];

    plugin_table_add_column(table, "name")->unit = HEAPTOP_TEXT;
    plugin_table_add_column(table, "used_bytes")->unit = HEAPTOP_BYTES;
    plugin_table_add_column(table, "note")->unit = HEAPTOP_TEXT;
    strcpy(table->columns[1].help, "what it uses");
    for (unsigned i = 0; i < 8; i++) {
        static const char *const names[] = {"a", "b", "c", "b", "d", NULL, "", "e"};

        cells[3 * i].text = names[(i + turn) % 8];
        cells[3 * i + 1].number =
            i == turn % 8 ? reading_unknown() : reading_exact((int64_t)(turn * i) - 3);
        cells[3 * i + 2].text = i % 2 ? "" : NULL;
        depths[i] = (uint8_t)(i * 2);
    }
    table->is_tree = turn % 4 == 3;
    assert_true(plugin_table_fill(table, cells, depths, turn % 8));
    snprintf(line, sizeof(line), "%0290u", turn);
    table->lines[table->n_lines++] = plugin_table_text(table, line, PLUGIN_CLEAN_MAX);
    table->lines[table->n_lines++] = "";
    snprintf(table->title, sizeof(table->title), "Turn %u", turn);
    table->offers[table->n_offers++] =
        (struct plugin_offer){"start", "app.start(1)", table->lines[0]};
    return table;
}

static const struct snapshot *make_plugins(unsigned turn)
{
    struct snapshot_builder *builder = builder_new(turn);
    struct plugin_view views[] = {
        {.name = "idle"},
        {.name = "broken", .state = PLUGIN_FAILED, .why = "it ended"},
        {.name = "lines", .state = PLUGIN_READY, .is_source = true},
        {.name = "sink", .state = PLUGIN_READY, .is_sink = true, .n_received = turn},
    };

    if (turn % 5)
        views[2].table = make_table(turn);
    views[2].answered_mono_ns = turn;
    builder_plugins(builder, views, turn % 7 ? 4 : 1);
    plugin_table_unref(views[2].table);
    return snapshot_seal(builder);
}

static void assert_same_text(const char *a, const char *b)
{
    assert_true(!a == !b);
    if (a)
        assert_string_equal(a, b);
}

static void assert_same_table(const struct plugin_table *a, const struct plugin_table *b)
{
    assert_true(!a == !b);
    if (!a)
        return;
    assert_string_equal(a->title, b->title);
    assert_int_equal(a->n_columns, b->n_columns);
    assert_int_equal(a->n_rows, b->n_rows);
    assert_memory_equal(a->columns, b->columns, sizeof(a->columns));
    assert_int_equal(a->is_tree && a->n_rows, b->is_tree);
    for (size_t i = 0; i < a->n_rows * a->n_columns; i++) {
        assert_same_text(a->cells[i].text, b->cells[i].text);
        assert_int_equal(a->cells[i].number.state, b->cells[i].number.state);
        assert_int_equal(a->cells[i].number.value, b->cells[i].number.value);
    }
    for (size_t i = 0; b->is_tree && i < a->n_rows; i++)
        assert_int_equal(a->depths[i], b->depths[i]);
    assert_int_equal(a->n_lines, b->n_lines);
    for (size_t i = 0; i < a->n_lines; i++)
        assert_string_equal(a->lines[i], b->lines[i]);
    assert_int_equal(a->n_offers, b->n_offers);
    assert_string_equal(a->offers[0].name, b->offers[0].name);
    assert_string_equal(a->offers[0].call, b->offers[0].call);
    assert_string_equal(a->offers[0].words, b->offers[0].words);
}

/* Those that nobody used are not recorded. */
static void assert_same_plugins(const struct plugins_section *a,
                                const struct plugins_section *b)
{
    if (a->n_views == 1) {
        assert_null(b);
        return;
    }
    assert_int_equal(b->n_views, 3);
    for (size_t i = 0; i < 3; i++) {
        const struct plugin_view *mine = &a->views[i + 1], *theirs = &b->views[i];

        assert_string_equal(mine->name, theirs->name);
        assert_string_equal(mine->why, theirs->why);
        assert_int_equal(mine->state, theirs->state);
        assert_int_equal(mine->is_sink, theirs->is_sink);
        assert_int_equal(mine->n_received, theirs->n_received);
        assert_int_equal(mine->answered_mono_ns, theirs->answered_mono_ns);
        assert_same_table(mine->table, theirs->table);
    }
}

static void test_plugins_come_back(void **state)
{
    struct encoder *encoder = encoder_new();
    struct decoder *decoder = decoder_new();
    struct err err = ERR_INIT;

    (void)state;
    decoder_add_ours(decoder);
    for (unsigned turn = 1; turn < 3 * ENCODER_KEY_EVERY; turn++) {
        const struct snapshot *written = make_plugins(turn), *read;
        struct encoded_sample sample;

        assert_int_equal(encoder_add(encoder, written, &sample, &err), 0);
        take(decoder, &sample);
        read = decoder_snapshot(decoder, NULL, 0);
        assert_same_plugins(written->plugins, read->plugins);
        snapshot_unref(written);
        snapshot_unref(read);
    }
    encoder_free(encoder);
    decoder_free(decoder);
}

/* More of everything than a plugin may answer, in any order, of plugins that there are
 * not: bounded. */
static void test_hostile_rows_of_plugins(void **state)
{
    enum { COLUMNS_READ = 40, ROWS_READ = 2500, TEXTS_READ = 300 };
    struct plugin_rows rows = {
        .columns = calloc(COLUMNS_READ, sizeof(*rows.columns)),
        .rows = calloc(ROWS_READ, sizeof(*rows.rows)),
        .texts = calloc(TEXTS_READ, sizeof(*rows.texts)),
        .n_columns = COLUMNS_READ,
        .n_rows = ROWS_READ,
        .n_texts = TEXTS_READ,
    };

    (void)state;
    srand(7);
    for (size_t i = 0; i < COLUMNS_READ; i++) {
        rows.columns[i].plugin = i % 3 ? 1 : (uint64_t)rand();
        rows.columns[i].column.unit = (enum heaptop_unit)(rand() % 4);
        snprintf(rows.columns[i].column.name, 32, i % 7 ? "c%d" : "c %d", rand() % 30);
    }
    for (size_t i = 0; i < ROWS_READ; i++) {
        rows.rows[i].plugin = i % 50 ? 1 : (uint64_t)rand();
        rows.rows[i].depth = (uint64_t)rand();
        for (size_t k = 0; k < PLUGIN_COLUMNS_MAX; k++) {
            rows.rows[i].cells[k].number.state = (enum reading_state)(rand() % 4);
            rows.rows[i].cells[k].text = rand() % 2 ? "text" : NULL;
        }
    }
    for (size_t i = 0; i < TEXTS_READ; i++) {
        rows.texts[i].plugin = i % 9 ? 1 : (uint64_t)rand();
        rows.texts[i].what = (uint64_t)(rand() % 9);
        memset(rows.texts[i].words, rand(), sizeof(rows.texts[i].words));
    }
    for (size_t plugin = 0; plugin < PLUGINS_MAX; plugin++) {
        const struct plugin_table *table = plugin_rows_table(&rows, plugin);

        assert_true(!table == (plugin != 1));
        if (!table)
            continue;
        assert_in_range(table->n_columns, 1, PLUGIN_COLUMNS_MAX);
        assert_int_equal(table->n_rows, PLUGIN_ROWS_MAX);
        assert_in_range(table->n_lines, 1, PLUGIN_LINES_MAX);
        assert_in_range(table->n_offers, 1, PLUGIN_ACTIONS_MAX);
        for (size_t i = 0; i < table->n_rows; i++)
            assert_in_range(table->depths[i], 0, PLUGIN_DEPTH_MAX);
        for (size_t i = 0; i < table->n_offers; i++)
            assert_true(table->offers[i].name && table->offers[i].call &&
                        table->offers[i].words);
        plugin_table_unref(table);
    }
    plugin_rows_release(&rows);
}

/* A plugin that never says the same twice leaves room for the names of kinds. */
static void test_names_of_plugins_have_an_end(void **state)
{
    struct names *names = names_new();
    const struct encoded_name *fresh;
    char text[32];

    (void)state;
    for (unsigned i = 0; i < 2 * PLUGIN_NAMES_MAX; i++) {
        snprintf(text, sizeof(text), "text %u", i);
        assert_true(names_of_plugin(names, text) > 0);
    }
    assert_int_equal(names_new_ones(names, &fresh), PLUGIN_NAMES_MAX + 1);
    assert_string_equal(fresh[PLUGIN_NAMES_MAX].text, "(other names)");
    assert_int_equal(names_of_plugin(names, "text 5"), names_number(names, "text 5"));
    assert_int_equal(names_number(names, "shop.Session"), PLUGIN_NAMES_MAX + 2);
    assert_int_equal(names_of_plugin(names, "shop.Session"), PLUGIN_NAMES_MAX + 2);
    names_free(names);
}

/* Bits that flip are noticed by the checksum, all of them. */
static void test_flipped_bits_are_noticed(void **state)
{
    struct encoder *encoder = encoder_new();
    struct decoder *decoder = decoder_new();
    const struct snapshot *snapshot = make_snapshot(1);
    struct encoded_sample sample;
    struct err err = ERR_INIT;
    uint8_t *copy;
    size_t accepted = 0;

    (void)state;
    decoder_add_ours(decoder);
    assert_int_equal(encoder_add(encoder, snapshot, &sample, &err), 0);
    copy = malloc(sample.length);
    for (size_t bit = 0; bit < sample.length * 8; bit++) {
        memcpy(copy, sample.bytes, sample.length);
        copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
        accepted += decoder_take(decoder, copy, sample.length, true, &err) == 0;
    }
    /* In the frame's own header are bits that say nothing of the content. */
    assert_in_range(accepted, 0, 8);
    free(copy);
    snapshot_unref(snapshot);
    encoder_free(encoder);
    decoder_free(decoder);
}

/* A text that is changed in any place says the same or nothing. */
/* Numbers that marks of a hostile file have: none is found, and nothing outside is read.
 */
static void test_negative_numbers_are_no_samples(void **state)
{
    struct recording_file file = {.n_entries = 3,
                                  .first = {.sample = 1, .seq = 7},
                                  .last = {.sample = 3, .seq = 9}};
    static const int64_t hostile[] = {-1, -2, INT64_MIN, INT64_MIN + 1, 0, 4, INT64_MAX};
    size_t at;

    (void)state;
    for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
        assert_false(recording_file_find_sample(&file, hostile[i], &at));
        assert_false(recording_file_find_seq(&file, (uint64_t)hostile[i], &at));
    }
    assert_true(recording_file_find_sample(&file, 2, &at) && at == 1);
    file.n_entries = 0;
    assert_false(recording_file_find_seq(&file, 0, &at));
}

static void test_totals_come_back(void **state)
{
    struct totals written = {43200, 812, 17, 3}, read;
    char words[TOTALS_MAX], changed[TOTALS_MAX];

    (void)state;
    totals_words(&written, words);
    assert_true(totals_parse(&read, words));
    assert_memory_equal(&written, &read, sizeof(read));
    for (size_t bit = 0; bit < strlen(words) * 8; bit++) {
        memcpy(changed, words, sizeof(changed));
        changed[bit / 8] ^= (char)(1 << bit % 8);
        if (totals_parse(&read, changed))
            assert_memory_equal(&written, &read, sizeof(read));
    }
}

/* Every column of a row counts. */
static void test_checksums_are_of_all_columns(void **state)
{
    uint64_t event = event_checksum(1, 2, 3, "note", "words", 5);
    uint64_t mark = mark_checksum(1, 2, 3, false, "name", 4);

    (void)state;
    assert_true(event != event_checksum(2, 2, 3, "note", "words", 5));
    assert_true(event != event_checksum(1, 3, 3, "note", "words", 5));
    assert_true(event != event_checksum(1, 2, 4, "note", "words", 5));
    assert_true(event != event_checksum(1, 2, 3, "mark", "words", 5));
    assert_true(event != event_checksum(1, 2, 3, "note", "word", 4));
    assert_true(mark != mark_checksum(2, 2, 3, false, "name", 4));
    assert_true(mark != mark_checksum(1, 3, 3, false, "name", 4));
    assert_true(mark != mark_checksum(1, 2, 4, false, "name", 4));
    assert_true(mark != mark_checksum(1, 2, 3, true, "name", 4));
    assert_true(mark != mark_checksum(1, 2, 3, false, "game", 4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_negative_numbers_are_no_samples),
        cmocka_unit_test(test_totals_come_back),
        cmocka_unit_test(test_checksums_are_of_all_columns),
        cmocka_unit_test(test_planes_come_back),
        cmocka_unit_test(test_changes_are_touched),
        cmocka_unit_test(test_an_unchanged_plane_costs_nothing),
        cmocka_unit_test(test_damaged_planes),
        cmocka_unit_test(test_every_member_has_a_field),
        cmocka_unit_test(test_snapshots_come_back),
        cmocka_unit_test(test_plugins_come_back),
        cmocka_unit_test(test_hostile_rows_of_plugins),
        cmocka_unit_test(test_names_of_plugins_have_an_end),
        cmocka_unit_test(test_flipped_bits_are_noticed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
