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

static const struct {
    const char *name, *text;
} whys[GARBAGE_WHYS] = {
    [GARBAGE_WHY_UNTOLD] = {NULL,
                            "not known, and the recording is of an older heaptop that "
                            "did not say why"},
    [GARBAGE_WHY_PUT_OFF] =
        {"put_off",
         "not known yet: with so many objects the first sample does not wait for it. It "
         "is being found out: look again (in batch output, with -n)"},
    [GARBAGE_WHY_NO_COLLECTOR] =
        {"no_collector",
         "not known: the collector's lists were not found in the memory. Log "
         "says why; c runs gc.collect() and tells what it found"},
    [GARBAGE_WHY_FREE_THREADED] =
        {"free_threaded",
         "not known: the collector of free-threaded Python keeps no lists "
         "to go by. c runs gc.collect() and tells what it found"},
    [GARBAGE_WHY_NO_ARENAS] =
        {"no_arenas", "not known: objects are not in pymalloc's arenas, which are gone "
                      "through. Start without PYTHONMALLOC, or press c"},
    [GARBAGE_WHY_OTHER_MALLOC] =
        {"other_malloc", "not known: what it would return of this malloc, which is not "
                         "glibc's, cannot be told. Start with glibc's, or press c"},
    [GARBAGE_WHY_COLLECTING] =
        {"collecting",
         "not known: a collection was under way, and moves all that is counted. "
         "The next walk tries again; W makes one now"},
    [GARBAGE_WHY_CHANGED] =
        {"changed",
         "not known: too many tables changed while they were read. A later walk "
         "tries again; c runs gc.collect() and tells what it found"},
    [GARBAGE_WHY_NO_MEMORY] =
        {"no_memory", "not known: heaptop has no memory for it (4 bytes an object, a "
                      "hundredth of the heap). Let it have more, or press c"},
};

const char *account_garbage_why_name(enum garbage_why why)
{
    return whys[why].name;
}

const char *account_garbage_why_text(enum garbage_why why)
{
    return whys[why].text;
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
