/* What plugins answered, in the fixtures: one table, one that failed, one not loaded. */
#include "tests/lib/fixture.h"

#include "heaptop/plugins.h"
#include "model/builder.h"
#include "util/clock.h"

static const struct plugin_cell cells[] = {
    {{0}, "/usr/bin/python3.11"},
    {{5, READING_EXACT}, NULL},
    {{6823936, READING_EXACT}, NULL},
    {{0}, "[heap]"},
    {{1, READING_EXACT}, NULL},
    {{1404928, READING_EXACT}, NULL},
    {{0}, "(anonymous)"},
    {{37, READING_EXACT}, NULL},
    {{0}, NULL},
};

/* The first reference is never given back. */
static struct plugin_table table = {
    .n_columns = 3,
    .n_rows = 3,
    .columns = {{"name", "NAME", "a file, or a sort of memory", HEAPTOP_TEXT},
                {"mappings", "MAPPINGS", "how many mappings it has", HEAPTOP_COUNT},
                {"virt_bytes", "VIRT BYTES", "address space that they take",
                 HEAPTOP_BYTES}},
    .cells = cells,
    .references = 1,
};

void fixture_plugins(struct snapshot_builder *builder, int64_t mono_ns)
{
    const struct plugin_view views[] = {
        {.name = "example",
         .version = "1",
         .license = "MIT",
         .summary = "address space by file: the plugin of doc/plugins.md",
         .state = PLUGIN_READY,
         .is_source = true,
         .table = &table,
         .answered_mono_ns = mono_ns,
         .took_wall_ns = 12 * NS_PER_MS},
        {.name = "hang",
         .state = PLUGIN_FAILED,
         .is_source = true,
         .why = "it did not answer for 5 s and was ended"},
        {.name = "other"},
    };

    builder_plugins(builder, views, sizeof(views) / sizeof(views[0]));
}
