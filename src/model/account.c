#include "model/account.h"

static const struct {
    const char *name, *title;
} parts[ACCOUNT_PARTS] = {
    [PART_OBJECTS] = {"objects", "objects and parts in pools"},
    [PART_FREE_BLOCKS] = {"free_blocks", "free blocks in used pools"},
    [PART_FREE_POOLS] = {"free_pools", "free pools"},
    [PART_POOL_HEADERS] = {"pool_headers", "pool headers and loss"},
    [PART_NEVER_CARVED] = {"never_carved", "never carved"},
    [PART_PYTHON_LARGE] = {"python_large", "Python's large memory in malloc"},
    [PART_NATIVE] = {"native", "other malloc in use (native)"},
    [PART_MALLOC_FREE] = {"malloc_free", "malloc free"},
    [PART_MALLOC_TOP] = {"malloc_top", "malloc top and overhead"},
    [PART_THREAD_STACKS] = {"stacks", "thread stacks"},
    [PART_IMAGE_DATA] = {"image_data", "interpreter and library data"},
    [PART_PRIVATE] = {"private", "private mappings"},
    [PART_FILES] = {"files", "shared and file mappings"},
};

const char *account_part_title(enum account_part part)
{
    return parts[part].title;
}

const char *account_part_name(enum account_part part)
{
    return parts[part].name;
}

void account_close(struct account_section *account)
{
    account->unexplained_bytes = (int64_t)account->res_bytes;
    for (int i = 0; i < ACCOUNT_PARTS; i++)
        account->unexplained_bytes -= (int64_t)account->parts[i].resident;
}

void account_split_large(struct account_section *account, uint64_t python_bytes,
                         bool is_glibc)
{
    struct account_bytes *from = &account->parts[is_glibc ? PART_NATIVE : PART_PRIVATE];
    struct account_bytes *large = &account->parts[PART_PYTHON_LARGE];

    if (python_bytes > from->resident)
        python_bytes = from->resident;
    from->resident -= python_bytes;
    large->resident += python_bytes;
}

void account_predict_restart(struct account_section *account)
{
    static const enum account_part idle[] = {PART_FREE_BLOCKS, PART_FREE_POOLS,
                                             PART_NEVER_CARVED, PART_MALLOC_FREE,
                                             PART_MALLOC_TOP};
    struct reading best = reading_is_known(account->collect_trim_bytes)
                              ? account->collect_trim_bytes
                              : account->trim_bytes;
    int64_t bytes = 0;

    account->restart_bytes = reading_unknown();
    if (!reading_is_known(best))
        return;
    for (size_t i = 0; i < sizeof(idle) / sizeof(idle[0]); i++)
        bytes += (int64_t)account->parts[idle[i]].resident;
    if (reading_is_known(account->garbage_bytes))
        bytes += account->garbage_bytes.value;
    bytes -= best.value;
    account->restart_bytes = (struct reading){bytes > 0 ? bytes : 0, READING_ESTIMATE};
}
