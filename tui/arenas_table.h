/*
 * arenas_table.h - the tables of the Arenas tab: arenas folded by how full they are,
 * one row for each arena, and the pools of one arena.
 */
#ifndef HEAPTOP_TUI_ARENAS_TABLE_H
#define HEAPTOP_TUI_ARENAS_TABLE_H

#include "heaptop/arenas.h"
#include "model/inspection.h"
#include "tui/table.h"

#define ARENAS_TENTHS 10
/* Identities of groups: every one in its order; 0 is none. */
#define ARENAS_GROUPS (2 * ARENAS_TENTHS)

/* Which group an arena belongs to, from 1: the usable ones by tenths of their bytes in
 * use, then those without a free pool. */
uint64_t arena_group(const struct arenas_section *section,
                     const struct arena_picture *arena);
/* "usable, 90-100% in use". */
void arena_group_name(uint64_t group, char *text, size_t size);
/* The arena at this address, or n_arenas. */
size_t arena_find(const struct arenas_section *section, uint64_t address);

/* A table and the texts that its rows point to. */
struct arenas_table {
    struct table *table;
    char *texts;
    size_t capacity; /* bytes */
};

void groups_table_init(struct arenas_table *groups);
void arenas_table_init(struct arenas_table *arenas);
void pools_table_init(struct arenas_table *pools);
void arenas_table_release(struct arenas_table *table);

void groups_table_update(struct arenas_table *groups,
                         const struct arenas_section *section);
/* The arenas of this group, or all of them: 0. */
void arenas_table_update(struct arenas_table *arenas,
                         const struct arenas_section *section, uint64_t group);
/* With the blocks of the inspection where there is one, else what the cells tell. */
void pools_table_update(struct arenas_table *pools, const struct arenas_section *section,
                        size_t arena, const struct inspection *inspection);

#endif
