#include "tui/account_table.h"

#include <string.h>

#include "model/account.h"
#include "tui/kinds_table.h"

enum {
    COLUMN_PART,
    COLUMN_BYTES,
    COLUMN_DELTA,
    COLUMN_PERCENT,
    COLUMN_BAR,
    COLUMN_SWAP,
    COLUMN_ORDER,
};

static const struct column part_columns[] = {
    {.name = "part",
     .heading = "WHERE RES GOES",
     .help = "a part of RES; each page is in exactly one",
     .type = VALUE_TEXT,
     .width = 31,
     .ascending_first = true,
     .is_name = true,
     .sort_key = 'A'},
    {.name = "bytes",
     .heading = "BYTES",
     .help = "of it in memory",
     .type = VALUE_BYTES,
     .width = 8,
     .sort_key = 'B',
     .is_summed = true},
    {.name = "bytes-delta",
     .heading = "D BYTES",
     .help = "its change",
     .type = VALUE_BYTES_DELTA,
     .width = 9,
     .weight = 3,
     .sort_key = 'D',
     .is_delta = true,
     .is_summed = true},
    {.name = "percent",
     .heading = "%",
     .help = "share of RES",
     .type = VALUE_PERCENT,
     .width = 5,
     .weight = 5},
    {.name = "bar",
     .heading = "",
     .help = "the same as a bar",
     .type = VALUE_BAR,
     .width = 8,
     .grow = 1,
     .weight = 2},
    {.name = "swap",
     .heading = "SWAPPED",
     .help = "of it swapped out: not in RES",
     .type = VALUE_BYTES,
     .width = 8,
     .weight = 1,
     .hidden_first = true},
    {.name = "order",
     .heading = "ORDER",
     .help = "from Python's own memory to what is the system's",
     .type = VALUE_COUNT,
     .width = 5,
     .weight = 1,
     .ascending_first = true,
     .hidden_first = true},
};

struct table *account_table_new(void)
{
    struct table *table = table_new(
        part_columns, sizeof(part_columns) / sizeof(part_columns[0]), COLUMN_ORDER);

    table_show_rest(table, true);
    return table;
}

static struct value number(int64_t value)
{
    return (struct value){.number = reading_exact(value)};
}

static void set_share(struct table_row *row, int64_t bytes, uint64_t res_bytes)
{
    double share = res_bytes ? (double)bytes / (double)res_bytes : 0;

    if (share < 0)
        share = -share;
    row->values[COLUMN_PERCENT] = number((int64_t)(share * 100000 + 0.5));
    row->values[COLUMN_BAR] = number((int64_t)(share * 1000 + 0.5));
}

static void set_delta(struct table_row *row, const struct view_input *input,
                      int64_t bytes, int64_t older_bytes)
{
    const struct account_section *older = input->older_sample->account;
    int64_t elapsed_ns = input->snapshot->account->ended_mono_ns - older->ended_mono_ns;

    row->values[COLUMN_DELTA].number =
        delta_value(input, bytes - older_bytes, elapsed_ns);
}

static const struct account_section *older_account(const struct view_input *input)
{
    if (!delta_is_shown(input) || !input->older_sample)
        return NULL;
    return input->older_sample->account;
}

static void add_part(struct table *table, const struct view_input *input, int part)
{
    const struct account_section *now = input->snapshot->account;
    const struct account_section *older = older_account(input);
    const struct account_bytes *bytes = &now->parts[part];
    struct table_row row;

    memset(&row, 0, sizeof(row));
    row.identity = (uint64_t)part;
    row.values[COLUMN_ORDER] = number(part);
    row.values[COLUMN_PART].text = account_part_title((enum account_part)part);
    row.values[COLUMN_BYTES] = number((int64_t)bytes->resident);
    row.values[COLUMN_SWAP] = number((int64_t)bytes->swapped);
    set_share(&row, (int64_t)bytes->resident, now->res_bytes);
    if (older)
        set_delta(&row, input, (int64_t)bytes->resident,
                  (int64_t)older->parts[part].resident);
    table_add_row(table, &row);
}

static void add_total(struct table *table, const struct view_input *input,
                      const char *title, int64_t bytes, int64_t older_bytes,
                      enum role role)
{
    const struct account_section *now = input->snapshot->account;
    struct table_row row;

    memset(&row, 0, sizeof(row));
    row.values[COLUMN_PART].text = title;
    row.values[COLUMN_BYTES] = number(bytes);
    set_share(&row, bytes, now->res_bytes);
    if (older_account(input))
        set_delta(&row, input, bytes, older_bytes);
    row.is_fixed = true;
    row.role = role;
    table_add_row(table, &row);
}

/* A part that is not there at all takes no line. */
static bool is_part_there(const struct account_section *account, int part)
{
    return account->parts[part].resident || account->parts[part].swapped;
}

static bool is_any_swapped(const struct account_section *account)
{
    for (int part = 0; part < ACCOUNT_PARTS; part++)
        if (account->parts[part].swapped)
            return true;
    return false;
}

static bool is_much(const struct account_section *account)
{
    int64_t most = (int64_t)(account->res_bytes / 100);

    return account->unexplained_bytes > most || account->unexplained_bytes < -most;
}

void account_table_update(struct table *table, const struct view_input *input)
{
    const struct account_section *now = input->snapshot ? input->snapshot->account : NULL;
    const struct account_section *older = now ? older_account(input) : NULL;

    delta_show(table, input);
    if (now && is_any_swapped(now))
        table_show_column(table, COLUMN_SWAP, true);
    table_set_filter(table, input->filter);
    table_begin_rows(table, ACCOUNT_PARTS + 2);
    for (int part = 0; now && part < ACCOUNT_PARTS; part++)
        if (is_part_there(now, part))
            add_part(table, input, part);
    if (now) {
        add_total(table, input, "unexplained", now->unexplained_bytes,
                  older ? older->unexplained_bytes : 0,
                  is_much(now) ? ROLE_WARNING : ROLE_NORMAL);
        add_total(table, input, "RES", (int64_t)now->res_bytes,
                  older ? (int64_t)older->res_bytes : 0, ROLE_VALUE);
    }
    table_end_rows(table);
}

/* ---- mappings ---- */

enum {
    COLUMN_MAP_RES,
    COLUMN_MAP_VIRT,
    COLUMN_MAP_SWAP,
    COLUMN_MAP_COUNT,
    COLUMN_MAP_NAME,
};

static const struct column mapping_columns[] = {
    {.name = "map-res",
     .heading = "RES",
     .help = "of these mappings in memory",
     .type = VALUE_BYTES,
     .width = 8,
     .sort_key = 'B',
     .is_summed = true},
    {.name = "map-virt",
     .heading = "VIRT",
     .help = "their address space",
     .type = VALUE_BYTES,
     .width = 8,
     .weight = 3},
    {.name = "map-swap",
     .heading = "SWAPPED",
     .help = "of them swapped out",
     .type = VALUE_BYTES,
     .width = 8,
     .weight = 1},
    {.name = "mappings",
     .heading = "MAPPINGS",
     .help = "how many pieces of address space have this name",
     .type = VALUE_COUNT,
     .width = 9,
     .weight = 2,
     .sort_key = 'O'},
    {.name = "map-name",
     .heading = "MAPPING",
     .help = "the file, or what it is used for",
     .type = VALUE_TEXT,
     .width = 24,
     .grow = 1,
     .ascending_first = true,
     .cuts_middle = true,
     .is_name = true,
     .sort_key = 'A'},
};

struct table *mappings_table_new(void)
{
    struct table *table =
        table_new(mapping_columns, sizeof(mapping_columns) / sizeof(mapping_columns[0]),
                  COLUMN_MAP_RES);

    table_show_rest(table, true);
    return table;
}

static uint64_t identity_of(const char *name)
{
    uint64_t hash = 14695981039346656037u;

    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * 1099511628211u;
    return hash;
}

void mappings_table_update(struct table *table, const struct view_input *input)
{
    const struct account_section *now = input->snapshot ? input->snapshot->account : NULL;

    table_set_filter(table, input->filter);
    table_begin_rows(table, now ? now->n_mappings : 0);
    for (size_t i = 0; now && i < now->n_mappings; i++) {
        const struct mapping_row *mapping = &now->mappings[i];
        struct table_row row;

        memset(&row, 0, sizeof(row));
        row.identity = identity_of(mapping->name);
        row.values[COLUMN_MAP_RES] = number((int64_t)mapping->res_bytes);
        row.values[COLUMN_MAP_VIRT] = number((int64_t)mapping->virt_bytes);
        row.values[COLUMN_MAP_SWAP] = number((int64_t)mapping->swap_bytes);
        row.values[COLUMN_MAP_COUNT] = number((int64_t)mapping->mappings);
        row.values[COLUMN_MAP_NAME].text = mapping->name;
        table_add_row(table, &row);
    }
    table_end_rows(table);
}
