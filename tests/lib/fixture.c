#include "tests/lib/fixture.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/account.h"
#include "model/builder.h"
#include "model/kind.h"
#include "model/pins.h"
#include "util/clock.h"

#define SAMPLES     180
#define WALK_EVERY  5
#define MORE_KINDS  183
#define FIRST_WALL  INT64_C(1795442191) /* seconds */
#define INTERVAL_NS (2 * NS_PER_S)

struct kind_seed {
    const char *name;
    uint64_t count, size, memory; /* bytes of one object */
    uint64_t growth;              /* objects a walk */
    bool is_tracked;
};

static const struct kind_seed service_kinds[] = {
    {"dict", 812004, 232, 260, 40, true},
    {"str", 604118, 92, 154, 3, false},
    {"app.cache.Entry", 244010, 56, 235, 40, true},
    {"tuple", 201770, 64, 113, 0, true},
    {"list", 88412, 120, 230, 1, true},
    {"bytes", 61204, 240, 291, 0, false},
    {"function", 60118, 136, 152, 0, true},
    {"code", 31002, 180, 206, 0, false},
    {"type", 4118, 1064, 1120, 0, true},
    {"collections.OrderedDict", 9004, 430, 465, 1, true},
    {"set", 18220, 216, 224, 0, true},
    {"cell", 60801, 40, 41, 0, true},
    {"datetime.datetime", 41122, 48, 51, 2, false},
    {"sqlalchemy.orm.state.InstanceState", 11030, 176, 180, 40, true},
    {"weakref.ReferenceType", 21409, 72, 73, 40, true},
    {"int", 48771, 28, 30, 0, false},
    {"float", 22011, 24, 24, 1, false},
};

static const struct kind_seed hostile_kinds[] = {
    {"\346\274\242\345\255\227.\345\236\213\346\203\205\345\240\261\343\202\257\343\203"
     "\251\343\202\271\343\201\256\351\225\267\343\201\204\345\220\215\345\211\215",
     1200, 64, 80, 3, true},
    {"caf\303\251.Cre\314\200me", 900, 64, 80, 0, true},
    {"evil\033[2J\007.Title\nnew line", 800, 64, 80, 1, true},
    {"bad\377\376utf8", 700, 64, 80, 0, true},
    {"right\342\200\256left", 600, 64, 80, 0, true},
    {"", 500, 64, 80, 0, true},
    {"a.very.long.module.path.that.goes.on.and.on.and.on.and.on.and.never.ends."
     "ClassWithAnEquallyLongNameThatNobodyWouldWriteButGeneratorsDo",
     400, 64, 80, 0, true},
    {"\360\237\220\215.Snake", 300, 64, 80, 0, true},
};

static struct kind_row row_of(const struct kind_seed *seed, int walk)
{
    uint64_t count = seed->count + seed->growth * (uint64_t)walk;

    if (strcmp(seed->name, "tuple") == 0)
        count -= (uint64_t)walk;
    return (struct kind_row){.kind = kind_intern(seed->name, strlen(seed->name)),
                             .count = count,
                             .size_bytes = count * seed->size,
                             .memory_bytes = count * seed->memory,
                             .tracked = seed->is_tracked ? count : 0};
}

static const struct objects_section *make_objects(enum fixture fixture, int walk,
                                                  int64_t mono_ns, int64_t wall_ns)
{
    struct kind_row rows[64 + MORE_KINDS];
    struct objects_section facts = {.unowned_bytes = 93000, .statics_bytes = 4000};
    size_t count = 0;
    bool is_hostile = fixture == FIXTURE_HOSTILE;
    const struct kind_seed *seeds = is_hostile ? hostile_kinds : service_kinds;
    size_t n_seeds = is_hostile ? sizeof(hostile_kinds) / sizeof(hostile_kinds[0])
                                : sizeof(service_kinds) / sizeof(service_kinds[0]);
    char name[64];

    for (size_t i = 0; i < n_seeds; i++)
        rows[count++] = row_of(&seeds[i], walk);
    for (int i = 0; !is_hostile && i < MORE_KINDS; i++) {
        struct kind_seed seed = {name, (uint64_t)(190 - i), 64, 96, 0, i % 3 == 0};

        snprintf(name, sizeof(name), "app.models.Kind%03d", i);
        rows[count++] = row_of(&seed, walk);
    }
    facts.unowned_blocks = facts.statics_blocks = 1000;
    facts.walk = (struct walk_facts){.method = "outside",
                                     .began_mono_ns = mono_ns - 380 * NS_PER_MS,
                                     .ended_mono_ns = mono_ns,
                                     .ended_wall_ns = wall_ns,
                                     .wall_ns = 380 * NS_PER_MS,
                                     .cpu_ns = 350 * NS_PER_MS,
                                     .read_bytes = UINT64_C(221249536),
                                     .complete = fixture != FIXTURE_TORN,
                                     .torn_pools = fixture == FIXTURE_TORN ? 3 : 0};
    return objects_seal(&facts, rows, count);
}

static void fill_process(struct process_section *process, enum fixture fixture, int at)
{
    int64_t res = INT64_C(630000000) + at * 70000 + (at % 13) * 9000;

    if (fixture == FIXTURE_UNKNOWN)
        return;
    process->virt_bytes = reading_exact(INT64_C(2061584302));
    process->res_bytes = reading_exact(res);
    process->anon_bytes = reading_exact(res - 42000000);
    process->file_bytes = reading_exact(38700000);
    process->shmem_bytes = reading_exact(3300000);
    process->swap_bytes = reading_exact(0);
    process->peak_res_bytes = reading_exact(INT64_C(671193497));
    process->shr_bytes = reading_exact(42000000);
    process->pss_bytes = reading_exact(res - 31000000);
    process->uss_bytes = reading_exact(res - 40000000);
    process->pss_age_ns = reading_exact(12 * NS_PER_S);
    process->cpu_milli_percent = reading_exact(12300);
    process->threads = reading_exact(9);
    process->minor_faults = reading_exact(1204331 + at);
    process->major_faults = reading_exact(17);
    process->io_read_bytes = reading_exact(48300000);
    process->io_write_bytes = reading_exact(512);
    process->uptime_ns = reading_exact((6 * 86400 + 4 * 3600 + 2 * at) * NS_PER_S);
}

static void add_class(struct pymalloc_section *pymalloc, uint32_t bytes, uint64_t pools,
                      uint64_t used)
{
    size_t at = pymalloc->n_size_classes++;
    uint64_t blocks = pools * ((16384 - 48) / bytes);

    pymalloc->size_classes[at] = (struct size_class_row){
        bytes / 16 - 1, bytes, pools, used, blocks > used ? blocks - used : 0};
    pymalloc->pools_used += pools;
    pymalloc->blocks_used += used;
    pymalloc->blocks_free += pymalloc->size_classes[at].blocks_free;
    pymalloc->used_bytes += used * bytes;
    pymalloc->free_block_bytes += pymalloc->size_classes[at].blocks_free * bytes;
}

static void fill_pymalloc(struct pymalloc_section *pymalloc, enum fixture fixture, int at)
{
    static const struct {
        uint32_t bytes, pools, used_per_mille;
    } classes[] = {
        {16, 40, 510},    {32, 3008, 710}, {48, 4120, 900},  {64, 9812, 920},
        {80, 1977, 880},  {96, 640, 850},  {112, 511, 800},  {128, 498, 790},
        {144, 402, 930},  {160, 288, 750}, {176, 244, 770},  {208, 214, 940},
        {224, 1004, 980}, {256, 88, 550},  {496, 1204, 970}, {512, 402, 350},
    };

    pymalloc->arena_bytes_each = 1 << 20;
    pymalloc->pool_bytes_each = 16384;
    pymalloc->arenas = 400 + (uint64_t)at / 20;
    pymalloc->arena_bytes = pymalloc->arenas << 20;
    if (fixture != FIXTURE_UNKNOWN)
        pymalloc->arenas_peak = reading_exact(420);
    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
        add_class(pymalloc, classes[i].bytes, classes[i].pools,
                  (uint64_t)classes[i].pools * (16336 / classes[i].bytes) *
                          classes[i].used_per_mille / 1000 +
                      (classes[i].bytes == 224 ? (uint64_t)at : 0));
    pymalloc->pools_free = 676;
    pymalloc->free_pool_bytes = 676 * 16384;
    pymalloc->allocated_blocks = reading_exact((int64_t)pymalloc->blocks_used);
}

#define FIRST_ARENA UINT64_C(0x7f3200000000)
#define POOLS_EACH  64

/* Arenas from full to empty; the emptier ones are usable. */
static uint8_t cell_of(size_t arena, size_t pool, uint64_t n_arenas)
{
    size_t empty = arena * 70 / n_arenas, mixed = arena * 7 + pool * 13;

    if (arena + 1 == n_arenas && pool > 40)
        return POOL_CELL_UNTOUCHED;
    if (arena == 3 && pool == 5)
        return POOL_CELL_TORN;
    if (mixed % 70 < empty)
        return arena % 2 ? POOL_CELL_FREE : pool_cell_of((uint32_t)mixed % 32, 1, 340);
    return pool_cell_of((uint32_t)mixed % 32, 340 - (uint32_t)(mixed % 17 * empty) / 4,
                        340);
}

static void fill_arena(struct arena_picture *arena, uint8_t *cells, size_t at,
                       uint64_t n_arenas)
{
    *arena = (struct arena_picture){.address = FIRST_ARENA + ((uint64_t)at << 20),
                                    .pools = POOLS_EACH};
    for (size_t i = 0; i < POOLS_EACH; i++) {
        cells[i] = cell_of(at, i, n_arenas);
        if (cells[i] == POOL_CELL_FREE) {
            arena->pools_free++;
        } else if (cells[i] == POOL_CELL_UNTOUCHED) {
            arena->pools_untouched++;
        } else if (pool_cell_is_used(cells[i])) {
            uint32_t blocks = (uint32_t)pool_cell_fill(cells[i]) * 56 + 4;

            arena->pools_used++;
            arena->blocks_used += blocks;
            arena->used_bytes += blocks * 48;
        }
    }
}

static void fill_arenas(struct snapshot_builder *builder, uint64_t n_arenas)
{
    struct arena_picture *arenas = calloc(n_arenas, sizeof(*arenas));
    uint8_t *cells = calloc(n_arenas, POOLS_EACH);
    struct arenas_section facts = {.taken_mono_ns = builder->snapshot->mono_ns,
                                   .is_order_exact = true,
                                   .arena_bytes_each = 1 << 20,
                                   .pool_bytes_each = 16384,
                                   .class_bytes = 16,
                                   .n_arenas = n_arenas,
                                   .arenas = arenas,
                                   .pools_each = POOLS_EACH,
                                   .cells = cells};
    const struct arenas_section *section;
    uint32_t order = 0;

    for (size_t i = 0; i < n_arenas; i++) {
        fill_arena(&arenas[i], cells + i * POOLS_EACH, i, n_arenas);
        if (arenas[i].pools_free + arenas[i].pools_untouched)
            arenas[i].order = ++order;
    }
    section = arenas_seal(&facts);
    assert(section);
    builder_arenas(builder, section);
    arenas_unref(section);
    free(arenas);
    free(cells);
}

static struct pin_row pin_row_of(const char *name, uint64_t objects, uint64_t arenas)
{
    return (struct pin_row){.kind = kind_intern(name, strlen(name)),
                            .objects = objects,
                            .parts = objects / 3,
                            .bytes = objects * 48,
                            .cheap = objects / 2,
                            .arenas = arenas,
                            .alone = arenas / 2,
                            .return_bytes = (arenas / 2) << 20,
                            .young = objects / 10,
                            .old = objects / 2,
                            .untracked = objects - objects / 10 - objects / 2};
}

static void fill_pins(struct snapshot_builder *builder)
{
    struct pin_row rows[] = {pin_row_of("app.cache.Entry", 190, 87),
                             pin_row_of("str", 2410, 12),
                             pin_row_of("dict of app.User", 7, 3)};
    struct pins_section facts = {
        .taken_mono_ns = builder->snapshot->mono_ns - INT64_C(41000000000),
        .cpu_ns = 118000000,
        .arena_bytes_each = 1 << 20,
        .arenas = 96,
        .arenas_skipped = 4,
        .return_bytes = UINT64_C(95) << 20,
        .are_generations_known = true,
        .owners = PIN_OWNERS_KNOWN,
        .owners_mono_ns = builder->snapshot->mono_ns - INT64_C(42000000000),
        .objects = 2607,
        .n_steps = 5,
        .cheap = {87, 190, 250, 9120, UINT64_C(86) << 20},
        .n_classes = 1,
        .classes = {{48, 214, 1200, 3400000}},
    };
    const struct pins_section *section;

    snprintf(rows[0].owner, sizeof(rows[0].owner), "list in app.cache.Cache._items");
    rows[0].references = 1 + (rows[0].owner_references = 190);
    for (size_t i = 0; i < facts.n_steps; i++)
        facts.steps[i] = (struct pin_step){1 + i * 20, (i + 1) * (i + 1) * 12, 300, 9000,
                                           (1 + i * 20) << 20};
    section = pins_seal(&facts, rows, sizeof(rows) / sizeof(rows[0]));
    assert(section);
    builder_pins(builder, section);
    pins_unref(section);
}

static void fill_inspected_pool(struct inspection *inspection, size_t at)
{
    static const char *const kinds[] = {"app.cache.Entry", "str", "tuple"};
    struct inspected_pool *pool = &inspection->pools[at];

    pool->address = inspection->arena + at * 16384;
    pool->state = (enum inspected_state)(at % 8 < 4 ? at % 8 : INSPECTED_USED);
    if (pool->state != INSPECTED_USED)
        return;
    pool->block_bytes = 16 * (1 + (uint32_t)at % 32);
    pool->n_blocks = (16384 - 48) / pool->block_bytes;
    pool->blocks = calloc(pool->n_blocks, sizeof(*pool->blocks));
    assert(pool->blocks);
    for (uint32_t i = 0; i < pool->n_blocks; i++) {
        const char *kind = kinds[i % 3];

        if (i > pool->n_blocks * 9 / 10) {
            pool->untouched++;
            continue;
        }
        pool->used++;
        if (i % 5 == 0)
            pool->blocks[i] = inspection_count(
                inspection, kind_intern(kind, strlen(kind)), pool->block_bytes);
        else if (i % 7 == 0)
            pool->blocks[i] = BLOCK_PART;
        else {
            pool->blocks[i] = BLOCK_FREE;
            pool->free++;
            pool->used--;
        }
    }
}

struct inspection *fixture_inspection(uint64_t arena)
{
    struct inspection *inspection = calloc(1, sizeof(*inspection));

    assert(inspection);
    inspection->arena = arena;
    inspection->n_pools = POOLS_EACH;
    for (size_t i = 0; i < POOLS_EACH; i++)
        fill_inspected_pool(inspection, i);
    return inspection;
}

/* In static memory: it outlives every snapshot. */
static void fill_heaps(struct malloc_section *malloc)
{
    static uint8_t cells[320];
    static struct heap_row heaps[5];
    static struct heap_top_row tops[3];

    for (size_t i = 0; i < sizeof(cells); i++)
        cells[i] = (uint8_t)(i % 64 > 57 ? HEAP_CELL_TOP : i * 7 % 64 * 5 / 64);
    for (size_t i = 0; i < 5; i++)
        heaps[i] = (struct heap_row){0x7f1200000000 + (i << 26),
                                     (i + 1) << 24,
                                     i,
                                     (i + 1) << 22,
                                     (i + 1) << 21,
                                     1 << 17,
                                     210 * i + 3,
                                     180 * i + 2,
                                     1 << 20,
                                     (i + 1) << 18,
                                     i * 64,
                                     64};
    for (size_t i = 0; i < 3; i++)
        tops[i] = (struct heap_top_row){
            heaps[0].address, heaps[0].address + 0xf00000 - i * 0x40000, 4096 + i * 512,
            i == 1 ? NULL : kind_intern("bytes", 5), (i + 1) << 18};
    malloc->n_heap_rows = 5;
    malloc->heap_rows = heaps;
    malloc->heap_cells = cells;
    malloc->n_tops = 3;
    malloc->tops = tops;
}

static void fill_malloc(struct malloc_section *malloc, int64_t mono_ns)
{
    fill_heaps(malloc);
    snprintf(malloc->allocator, sizeof(malloc->allocator), "glibc");
    malloc->arenas = reading_exact(4);
    malloc->heaps = reading_exact(5);
    malloc->used_bytes = reading_exact(96200000);
    malloc->used_chunks = reading_exact(18621);
    malloc->free_bytes = reading_exact(21300000);
    malloc->tcache_bytes = reading_exact(52112);
    malloc->fastbin_bytes = reading_exact(0);
    malloc->top_bytes = reading_exact(131072);
    malloc->mmapped_bytes = reading_exact(12582912);
    malloc->mmapped_chunks = reading_exact(3);
    malloc->trim_bytes = reading_exact(14700000);
    malloc->ended_mono_ns = mono_ns;
}

static void fill_account(struct account_section *account, enum fixture fixture, int at,
                         int64_t mono_ns)
{
    static const struct mapping_row mappings[] = {
        {"pymalloc arenas", PART_OBJECTS, 403, 422576128, 421000000, 0},
        {"[heap]", PART_NATIVE, 1, 118000000, 117000000, 0},
        {"/usr/lib/x86_64-linux-gnu/libpython3.11.so.1.0", PART_IMAGE_DATA, 5, 6100000,
         4400000, 0},
        {"anonymous", PART_PRIVATE, 14, 737000000, 2100000, 0},
    };
    static const uint64_t bytes[ACCOUNT_PARTS] = {
        361000000, 47000000, 9800000, 3100000, 0,       71000000, 24000000,
        21200000,  131000,   3200000, 5900000, 2100000, 41900000};
    uint64_t sum = 0;

    for (int i = 0; i < ACCOUNT_PARTS; i++) {
        account->parts[i].resident = bytes[i] + (i ? 0 : (uint64_t)at * 70000);
        sum += account->parts[i].resident;
    }
    account->res_bytes = sum + 900000;
    account_close(account);
    account->trim_bytes = reading_exact(14700000);
    if (fixture == FIXTURE_TORN) {
        account->garbage_why = GARBAGE_WHY_CHANGED;
    } else {
        account->collect_trim_bytes = reading_exact(15100000);
        account->collect_trim_most_bytes = reading_exact(16900000);
        account->garbage_objects = reading_exact(1204);
        account->garbage_bytes = reading_exact(280000);
        account->garbage_mono_ns = mono_ns - 21 * NS_PER_S;
    }
    account_predict_restart(account);
    account->ended_mono_ns = mono_ns;
    account->mappings = mappings;
    account->n_mappings = sizeof(mappings) / sizeof(mappings[0]);
}

static void fill_free_lists(struct free_lists_section *section)
{
    static const struct free_list_row rows[] = {
        {"float", -1, 100, 3200, 0},
        {"tuple", 2, 2000, 128000, 1},
        {"dict keys", -1, 11, 1760, 0},
    };

    *section = (struct free_lists_section){.count = 2111, .bytes = 132960, .arenas = 2};
    section->rows = rows;
    section->n_rows = sizeof(rows) / sizeof(rows[0]);
}

static void fill_gc(struct gc_section *gc, enum fixture fixture, int at, int64_t wall_ns)
{
    static const int64_t thresholds[] = {700, 10, 10}, runs[] = {9000, 820, 31};
    static const int64_t collected[] = {3912004, 192114, 16216};

    gc->n_generations = 3;
    if (fixture == FIXTURE_UNKNOWN)
        return;
    gc->enabled = reading_exact(1);
    gc->frozen = reading_exact(0);
    gc->debug = reading_exact(0);
    for (int i = 0; i < 3; i++) {
        struct generation_row *row = &gc->generations[i];

        row->count = reading_exact(i == 0 ? 250 + at * 2 : 4 + i);
        row->threshold = reading_exact(thresholds[i]);
        row->objects = i == 2 && fixture == FIXTURE_TORN ? reading_unknown()
                                                         : reading_exact(500 * (i + 1));
        row->collections = reading_exact(runs[i] + at / (4 + 40 * i));
        row->collected = reading_exact(collected[i]);
        row->uncollectable = reading_exact(0);
    }
    enum reading_state state =
        fixture == FIXTURE_NO_AGENT ? READING_ESTIMATE : READING_EXACT;
    gc->pauses = (struct gc_pauses){.count = {9979, state},
                                    .total_ns = {41 * NS_PER_S, state},
                                    .last_ns = {41 * NS_PER_MS, state},
                                    .max_ns = {58 * NS_PER_MS, state},
                                    .p50_ns = {310 * NS_PER_US, state},
                                    .p99_ns = {38 * NS_PER_MS, state},
                                    .last_wall_ns = {wall_ns - 130 * NS_PER_S, state},
                                    .last_generation = 2,
                                    .exact = state == READING_EXACT};
}

static void fill_identity(struct snapshot *snapshot, enum fixture fixture)
{
    struct target_facts *target = &snapshot->target;
    struct access_facts *access = &snapshot->access;

    target->pid = 4242;
    snprintf(target->command, sizeof(target->command),
             "gunicorn: worker [api] --bind :8000 app.wsgi");
    if (fixture == FIXTURE_UNKNOWN)
        target->command[0] = '\0';
    else
        snprintf(target->python, sizeof(target->python), "3.11.7");
    if (fixture != FIXTURE_UNKNOWN && fixture != FIXTURE_NO_PYMALLOC)
        snprintf(target->allocator, sizeof(target->allocator), "pymalloc");
    access->agent = AGENT_LOADED;
    access->method = METHOD_OUTSIDE;
    snapshot->cost.target_stopped_ns = 300 * NS_PER_US;
    snapshot->cost.gil_held_ns =
        fixture == FIXTURE_TORN ? reading_exact(31 * NS_PER_US) : reading_unknown();
    snapshot->cost.gil_wait_ns = reading_unknown();
    if (fixture == FIXTURE_NO_AGENT || fixture == FIXTURE_NO_PYMALLOC) {
        access->agent = AGENT_NONE;
        snprintf(access->why, sizeof(access->why),
                 "Yama ptrace_scope is 1 and this is not your child: run as root, or "
                 "setcap cap_sys_ptrace+ep");
    }
    if (fixture == FIXTURE_NO_PYMALLOC)
        access->method = METHOD_PROCESS_ONLY;
}

static void add_events(struct snapshot_builder *builder, enum fixture fixture, int at)
{
    struct event event = {.wall_ns = builder->snapshot->wall_ns};

    if (at == 0) {
        event.type = EVENT_ATTACH;
        snprintf(event.words, sizeof(event.words), "agent loaded, diverted 0.3 ms");
    } else if (at == 90) {
        event.type = EVENT_GC;
        snprintf(event.words, sizeof(event.words),
                 "collection of generation 2: 1,204 collected, 41 ms");
    } else if (at == 150) {
        event.type = EVENT_COLLECT;
        snprintf(event.words, sizeof(event.words),
                 "gc.collect(2): 1,204 unreachable, 0 uncollectable, 41 ms; RES -0.4M");
    } else if (at == SAMPLES - 1 && fixture == FIXTURE_TORN) {
        event.type = EVENT_ERROR;
        snprintf(event.words, sizeof(event.words),
                 "walk: 3 pools changed while they were read and were left out");
    } else if (at == SAMPLES - 1 && fixture == FIXTURE_ENDED) {
        event.type = EVENT_STATE;
        snprintf(event.words, sizeof(event.words), "the process ended");
    } else {
        return;
    }
    builder_events(builder, &event, 1);
}

static const struct snapshot *make_snapshot(enum fixture fixture, int at,
                                            const struct objects_section *objects,
                                            bool has_plugins)
{
    struct snapshot_builder *builder = builder_new((uint64_t)at + 1);
    struct snapshot *snapshot = builder->snapshot;

    snapshot->wall_ns = FIRST_WALL * NS_PER_S + at * INTERVAL_NS;
    snapshot->mono_ns = 1000 * NS_PER_S + at * INTERVAL_NS;
    snapshot->interval_ns = INTERVAL_NS;
    snapshot->is_complete = true;
    fill_identity(snapshot, fixture);
    fill_process(builder_process(builder), fixture, at);
    if (fixture != FIXTURE_NO_PYMALLOC) {
        fill_pymalloc(builder_pymalloc(builder), fixture, at);
        if (at == SAMPLES - 1) {
            fill_arenas(builder, snapshot->pymalloc->arenas);
            fill_pins(builder);
        }
        fill_gc(builder_gc(builder), fixture, at, snapshot->wall_ns);
        builder_objects(builder, objects);
    }
    if (fixture == FIXTURE_SERVICE || fixture == FIXTURE_TORN) {
        int64_t looked_mono_ns =
            snapshot->mono_ns - at % WALK_EVERY * snapshot->interval_ns;

        fill_malloc(builder_malloc(builder), looked_mono_ns);
        fill_account(builder_account(builder), fixture, at, looked_mono_ns);
        fill_free_lists(builder_free_lists(builder));
    }
    if (has_plugins)
        fixture_plugins(builder, snapshot->mono_ns);
    if (fixture == FIXTURE_ENDED && at == SAMPLES - 1) {
        snapshot->target.state = TARGET_ENDED;
        snapshot->target.ended_wall_ns = snapshot->wall_ns;
    }
    add_events(builder, fixture, at);
    return snapshot_seal(builder);
}

struct history *fixture_history(enum fixture fixture)
{
    struct history *history = history_new();
    const struct objects_section *objects = NULL;
    bool has_plugins = fixture == FIXTURE_PLUGINS;

    if (has_plugins)
        fixture = FIXTURE_SERVICE;
    for (int at = 0; fixture != FIXTURE_EMPTY && at < SAMPLES; at++) {
        int64_t mono_ns = 1000 * NS_PER_S + at * INTERVAL_NS;
        int64_t wall_ns = FIRST_WALL * NS_PER_S + at * INTERVAL_NS;

        if (at % WALK_EVERY == 2) {
            objects_unref(objects);
            objects = make_objects(fixture, at / WALK_EVERY, mono_ns, wall_ns);
            assert(objects);
        }
        const struct snapshot *snapshot =
            make_snapshot(fixture, at, objects, has_plugins);

        history_add(history, snapshot);
        snapshot_unref(snapshot);
        if (at == 30 && fixture == FIXTURE_SERVICE)
            history_mark(history, NULL);
    }
    objects_unref(objects);
    return history;
}
