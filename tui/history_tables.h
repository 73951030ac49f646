/*
 * history_tables.h - the tables of the History tab: the headline series, what grows, and
 * the marks with what lies between them.
 *
 * A row's identity says what its series is: see history_what.
 */
#ifndef HEAPTOP_TUI_HISTORY_TABLES_H
#define HEAPTOP_TUI_HISTORY_TABLES_H

#include "tui/pane.h"
#include "tui/table.h"

enum history_what {
    WHAT_SERIES = 1, /* key: 1 + enum history_series */
    WHAT_KIND,       /* key: history_kind_key() */
    WHAT_CLASS,      /* key: the block size */
    WHAT_PART,       /* key: 1 + enum account_part */
};

static inline uint64_t history_identity(enum history_what what, uint64_t key)
{
    return (uint64_t)what << 60 | key;
}

static inline enum history_what history_what_of(uint64_t identity)
{
    return (enum history_what)(identity >> 60);
}

static inline uint64_t history_key_of(uint64_t identity)
{
    return identity & ((UINT64_C(1) << 60) - 1);
}

/* The set of series that this identity is in. */
struct growth *history_growth_of(const struct history *history, uint64_t identity);

/* Texts that rows point to, until the next update. */
struct history_texts {
    char *bytes;
    size_t capacity;
};

struct table *series_table_new(void);
void series_table_update(struct table *table, struct history_texts *texts,
                         const struct view_input *input);

struct table *growth_table_new(void);
void growth_table_update(struct table *table, struct history_texts *texts,
                         const struct view_input *input);

/* Each mark against the one before it, or against mark `base` when that is not 0. */
struct table *marks_table_new(void);
void marks_table_update(struct table *table, struct history_texts *texts,
                        const struct view_input *input, uint32_t base);

/* What was born since a mark: of an answer to that, else nothing. born_table.c */
struct table *born_table_new(void);
void born_table_update(struct table *table, const struct answer *answer);

/* Room for `bytes` bytes; what was there is gone. */
char *history_texts_room(struct history_texts *texts, size_t bytes);
/* The last values of a series as levels of a sparkline: at most `cells` digits. */
void history_spark(const struct growth *growth, uint64_t key, char *text, size_t cells);

#endif
