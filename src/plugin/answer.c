#include "plugin/answer.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "model/plugin_table.h"
#include "util/utf8.h"
#include "util/xalloc.h"

struct reading_answer {
    const char *at, *end;
    struct plugin_answer *answer;
    struct plugin_table *table;
    struct plugin_cell *cells; /* grows */
    size_t n_cells, capacity;
    uint8_t depths[PLUGIN_ROWS_MAX];
    size_t in_row; /* values in the row that was begun */
};

/* The text at this place, or NULL when it has no end. */
static const char *take_long(struct reading_answer *reading, ptrdiff_t most)
{
    const char *text = reading->at;
    const char *end = memchr(text, '\0', (size_t)(reading->end - text));

    if (!end || end - text > most)
        return NULL;
    reading->at = end + 1;
    return text;
}

static const char *take_text(struct reading_answer *reading)
{
    return take_long(reading, PLUGIN_TEXT_MAX);
}

static const char *keep_text(struct reading_answer *reading, const char *text)
{
    return plugin_table_text(reading->table, text, PLUGIN_CLEAN_MAX);
}

static int read_column(struct reading_answer *reading, struct err *err)
{
    struct plugin_table *table = reading->table;
    struct plugin_column *column;
    unsigned unit = reading->at < reading->end ? (unsigned)(*reading->at++ - '0') : 0;
    const char *name = take_text(reading);
    const char *help = name ? take_text(reading) : NULL;

    if (!help)
        return err_set(err, ERR_FAILED, "a column breaks off");
    if (table->n_rows)
        return err_set(err, ERR_FAILED, "a column comes behind the first row");
    if (table->n_columns == PLUGIN_COLUMNS_MAX)
        return err_set(err, ERR_FAILED, "there are more than %d columns",
                       PLUGIN_COLUMNS_MAX);
    if (unit > HEAPTOP_NANOSECONDS)
        return err_set(err, ERR_FAILED, "column %zu has an unknown unit",
                       table->n_columns + 1);
    column = plugin_table_add_column(table, name);
    if (!column)
        return err_set(err, ERR_FAILED,
                       "the name of column %zu is not of a-z, 0-9 and _, "
                       "or not its own",
                       table->n_columns + 1);
    column->unit = (enum heaptop_unit)unit;
    utf8_clean_copy(column->help, sizeof(column->help), help, strlen(help));
    return 0;
}

static int end_row(const struct reading_answer *reading, struct err *err)
{
    const struct plugin_table *table = reading->table;

    if (!table->n_rows || reading->in_row == table->n_columns)
        return 0;
    return err_set(err, ERR_FAILED, "row %zu has %zu values for %zu columns",
                   table->n_rows, reading->in_row, table->n_columns);
}

static int read_row(struct reading_answer *reading, struct err *err)
{
    struct plugin_table *table = reading->table;

    if (end_row(reading, err))
        return -1;
    if (!table->n_columns)
        return err_set(err, ERR_FAILED, "a row comes before the columns");
    if (table->n_rows == PLUGIN_ROWS_MAX)
        return err_set(err, ERR_FAILED, "there are more than %d rows", PLUGIN_ROWS_MAX);
    table->n_rows++;
    reading->in_row = 0;
    return 0;
}

/* The next value of the row, or NULL: there is no room for it. */
static struct plugin_cell *next_cell(struct reading_answer *reading, bool is_text,
                                     bool is_known, struct err *err)
{
    struct plugin_table *table = reading->table;

    if (!table->n_rows || reading->in_row == table->n_columns) {
        err_set(err, ERR_FAILED, "a value stands in no column of row %zu", table->n_rows);
        return NULL;
    }
    if (is_known && is_text != (table->columns[reading->in_row].unit == HEAPTOP_TEXT)) {
        err_set(err, ERR_FAILED, "column %s takes %s",
                table->columns[reading->in_row].name,
                is_text ? "numbers, not a text" : "texts, not a number");
        return NULL;
    }
    if (reading->n_cells == reading->capacity) {
        reading->capacity = reading->capacity ? 2 * reading->capacity : 256;
        reading->cells =
            xreallocarray(reading->cells, reading->capacity, sizeof(*reading->cells));
    }
    reading->in_row++;
    reading->cells[reading->n_cells] = (struct plugin_cell){reading_unknown(), NULL};
    return &reading->cells[reading->n_cells++];
}

static int read_number(struct reading_answer *reading, struct err *err)
{
    struct plugin_cell *cell;
    int64_t value;

    if ((size_t)(reading->end - reading->at) < sizeof(value))
        return err_set(err, ERR_FAILED, "a number breaks off");
    memcpy(&value, reading->at, sizeof(value));
    reading->at += sizeof(value);
    cell = next_cell(reading, false, true, err);
    if (!cell)
        return -1;
    cell->number = reading_exact(value);
    return 0;
}

static int read_text(struct reading_answer *reading, struct err *err)
{
    const char *text = take_text(reading);
    struct plugin_cell *cell;

    if (!text)
        return err_set(err, ERR_FAILED, "a text breaks off");
    cell = next_cell(reading, true, true, err);
    if (!cell)
        return -1;
    cell->text = keep_text(reading, text);
    return 0;
}

static int read_depth(struct reading_answer *reading, struct err *err)
{
    struct plugin_table *table = reading->table;
    unsigned depth = reading->at < reading->end ? (unsigned)(*reading->at++ - '0') : 99;

    if (!table->n_rows || depth > PLUGIN_DEPTH_MAX)
        return err_set(err, ERR_FAILED, "the depth of row %zu is not from 0 to %d",
                       table->n_rows, PLUGIN_DEPTH_MAX);
    reading->depths[table->n_rows - 1] = (uint8_t)depth;
    table->is_tree = true;
    return 0;
}

static int read_title(struct reading_answer *reading, struct err *err)
{
    const char *text = take_text(reading);

    if (!text)
        return err_set(err, ERR_FAILED, "the title breaks off");
    utf8_clean_copy(reading->table->title, sizeof(reading->table->title), text,
                    strlen(text));
    return 0;
}

static int read_line(struct reading_answer *reading, struct err *err)
{
    struct plugin_table *table = reading->table;
    const char *text = take_text(reading);

    if (!text || table->n_lines == PLUGIN_LINES_MAX)
        return err_set(err, ERR_FAILED, "there are more than %d lines", PLUGIN_LINES_MAX);
    table->lines[table->n_lines] = keep_text(reading, text);
    if (!table->lines[table->n_lines])
        return err_set(err, ERR_FAILED, "it is too large to be kept");
    table->n_lines++;
    return 0;
}

/* Letters, digits and -, for menus and messages. */
static bool is_offer_name(const char *text)
{
    size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");

    return length && !text[length] && length < 32;
}

static int read_offer(struct reading_answer *reading, struct err *err)
{
    struct plugin_table *table = reading->table;
    struct plugin_offer *offer = &table->offers[table->n_offers];
    const char *name = take_text(reading);
    const char *call = name ? take_text(reading) : NULL;
    const char *words = call ? take_long(reading, PLUGIN_OFFER_MAX) : NULL;
    struct plugin_call ignored;

    if (!words || table->n_offers == PLUGIN_ACTIONS_MAX)
        return err_set(err, ERR_FAILED, "there are more than %d actions",
                       PLUGIN_ACTIONS_MAX);
    if (!is_offer_name(name))
        return err_set(err, ERR_FAILED, "the name of action %zu is not of a-z, 0-9 and -",
                       table->n_offers + 1);
    if (!plugin_call_read(call, &ignored))
        return err_set(err, ERR_FAILED, "what action %s calls is not NAME(NUMBERS)",
                       name);
    offer->name = keep_text(reading, name);
    offer->call = keep_text(reading, call);
    offer->words = plugin_table_text(table, words, (size_t)4 * PLUGIN_OFFER_MAX);
    if (!offer->name || !offer->call || !offer->words)
        return err_set(err, ERR_FAILED, "it is too large to be kept");
    table->n_offers++;
    return 0;
}

static int read_words(struct reading_answer *reading, struct err *err)
{
    struct plugin_answer *answer = reading->answer;
    const char *text = take_text(reading);

    if (!text || answer->n_words == PLUGIN_WORDS_MAX)
        return err_set(err, ERR_FAILED, "it says too much");
    utf8_clean_copy(answer->words[answer->n_words], sizeof(answer->words[0]), text,
                    strlen(text));
    answer->n_words++;
    return 0;
}

static int read_item(struct reading_answer *reading, struct err *err)
{
    char letter = *reading->at++;

    switch (letter) {
    case 'C':
        return read_column(reading, err);
    case 'R':
        return read_row(reading, err);
    case 'N':
        return read_number(reading, err);
    case 'T':
        return read_text(reading, err);
    case 'U':
        return next_cell(reading, false, false, err) ? 0 : -1;
    case 'S':
        return read_words(reading, err);
    case 'D':
        return read_depth(reading, err);
    case 'H':
        return read_title(reading, err);
    case 'L':
        return read_line(reading, err);
    case 'A':
        return read_offer(reading, err);
    case '!':
        return err_set(err, ERR_FAILED, "it is longer than %zu bytes", PLUGIN_ANSWER_MAX);
    default:
        return err_set(err, ERR_FAILED, "it has an item that there is not");
    }
}

static int read_items(struct reading_answer *reading, struct err *err)
{
    while (reading->at < reading->end)
        if (read_item(reading, err))
            return -1;
    return end_row(reading, err);
}

static int keep_cells(struct reading_answer *reading, struct err *err)
{
    struct plugin_table *table = reading->table;

    if (plugin_table_fill(table, reading->cells, reading->depths, table->n_rows))
        return 0;
    return err_set(err, ERR_FAILED, "it is too large to be kept");
}

int plugin_answer_read(struct plugin_answer *answer, const void *bytes, size_t length,
                       struct err *err)
{
    struct reading_answer reading = {.answer = answer, .table = plugin_table_new()};
    struct plugin_outcome outcome;
    int result = -1;

    memset(answer, 0, sizeof(*answer));
    if (!reading.table)
        return err_set(err, ERR_FAILED, "there is no memory for it");
    if (length < sizeof(outcome)) {
        err_set(err, ERR_FAILED, "it is too short");
    } else {
        memcpy(&outcome, bytes, sizeof(outcome));
        answer->result = outcome.result;
        reading.at = (const char *)bytes + sizeof(outcome);
        reading.end = (const char *)bytes + length;
        result = read_items(&reading, err) || keep_cells(&reading, err) ? -1 : 0;
    }
    free(reading.cells);
    if (!result && plugin_table_has_something(reading.table))
        answer->table = reading.table;
    else
        plugin_table_unref(reading.table);
    return result;
}
