#include "recording/shape.h"

#include "heaptop/snapshot.h"

/* A field's type follows from the member's. */
#define TYPE_OF(row, member) \
    _Generic(((row *)0)->member,               \
        struct reading: FIELD_READING,         \
        char *: FIELD_TEXT,                    \
        const char *: FIELD_NAME,              \
        const struct kind *: FIELD_KIND,       \
        bool: FIELD_CHOICE,                    \
        int: FIELD_SIGNED,                     \
        int64_t: FIELD_SIGNED,                 \
        default: FIELD_UNSIGNED)
#define BYTES_OF(row, member) sizeof(((row *)0)->member)
#define FIELD(row, member)                                                             \
    {                                                                                  \
#member, TYPE_OF(row, member), offsetof(row, member), BYTES_OF(row, member), 1 \
    }
/* An enum; `last` is its greatest value. */
#define CHOICE(row, member, last)                                                 \
    {                                                                             \
#member, FIELD_CHOICE, offsetof(row, member), BYTES_OF(row, member), last \
    }

#define S(member) FIELD(struct snapshot, member)
static const struct field sample_fields[] = {
    S(seq),
    S(wall_ns),
    S(mono_ns),
    S(interval_ns),
    S(is_complete),
    S(target.pid),
    S(target.start_wall_ns),
    S(target.command),
    S(target.exe),
    S(target.user),
    S(target.python),
    S(target.allocator),
    CHOICE(struct snapshot, target.state, TARGET_ENDED),
    S(target.ended_wall_ns),
    CHOICE(struct snapshot, access.agent, AGENT_LOST),
    CHOICE(struct snapshot, access.method, METHOD_AGENT),
    S(access.why),
    S(cost.cpu_ns),
    S(cost.sample_ns),
    S(cost.walk_cpu_ns),
    S(cost.walk_period_ns),
    S(cost.target_stopped_ns),
    S(cost.gil_held_ns),
    S(cost.gil_wait_ns),
};
#undef S

#define P(member) FIELD(struct process_section, member)
static const struct field process_fields[] = {
    P(virt_bytes),     P(res_bytes),    P(shr_bytes),      P(anon_bytes),
    P(file_bytes),     P(shmem_bytes),  P(swap_bytes),     P(pss_bytes),
    P(uss_bytes),      P(pss_age_ns),   P(peak_res_bytes), P(cpu_milli_percent),
    P(threads),        P(minor_faults), P(major_faults),   P(io_read_bytes),
    P(io_write_bytes), P(uptime_ns),    P(cpu_ns),
};
#undef P

#define P(member) FIELD(struct pymalloc_section, member)
static const struct field pymalloc_fields[] = {
    P(arena_bytes_each), P(pool_bytes_each), P(arenas),           P(arenas_peak),
    P(arena_bytes),      P(pools_used),      P(pools_free),       P(pools_untouched),
    P(blocks_used),      P(blocks_free),     P(used_bytes),       P(free_block_bytes),
    P(free_pool_bytes),  P(header_bytes),    P(allocated_blocks), P(torn_pools),
};
#undef P

#define C(member) FIELD(struct size_class_row, member)
static const struct field size_class_fields[] = {
    C(index), C(block_bytes), C(pools), C(blocks_used), C(blocks_free),
};
#undef C

#define G(member) FIELD(struct gc_section, member)
static const struct field gc_fields[] = {
    G(enabled),
    G(frozen),
    G(debug),
    G(pauses.count),
    G(pauses.total_ns),
    G(pauses.last_ns),
    G(pauses.max_ns),
    G(pauses.p50_ns),
    G(pauses.p99_ns),
    G(pauses.last_wall_ns),
    G(pauses.last_generation),
    G(pauses.exact),
};
#undef G

#define G(member) FIELD(struct generation_row, member)
static const struct field generation_fields[] = {
    G(count), G(threshold), G(objects), G(collections), G(collected), G(uncollectable),
};
#undef G

#define O(member) FIELD(struct objects_section, member)
static const struct field objects_fields[] = {
    O(count),
    O(size_bytes),
    O(memory_bytes),
    O(tracked),
    O(parts_bytes),
    O(malloc_bytes),
    O(immortal),
    O(interned),
    O(unowned_blocks),
    O(unowned_bytes),
    O(statics_blocks),
    O(statics_bytes),
    O(freelist_objects),
    O(freelist_bytes),
    O(walk.method),
    O(walk.began_mono_ns),
    O(walk.ended_mono_ns),
    O(walk.ended_wall_ns),
    O(walk.wall_ns),
    O(walk.cpu_ns),
    O(walk.read_bytes),
    O(walk.pools),
    O(walk.arenas),
    O(walk.kept_arenas),
    O(walk.kept_heap_bytes),
    O(walk.oldest_mono_ns),
    O(walk.torn_pools),
    O(walk.healed_pools),
    O(walk.absent_bytes),
    O(walk.absent_pools),
    O(walk.absent_chunks),
    O(walk.open_links),
    O(walk.stopped_ns),
    O(walk.is_cut_short),
    O(walk.tracked_only),
    O(walk.is_exact),
    O(walk.complete),
};
#undef O

#define K(member) FIELD(struct kind_row, member)
static const struct field kind_fields[] = {
    K(kind),    K(count),       K(size_bytes),   K(memory_bytes),
    K(tracked), K(parts_bytes), K(malloc_bytes), K(immortal),
};
#undef K

#define A(member) FIELD(struct arenas_section, member)
static const struct field arenas_fields[] = {
    A(taken_mono_ns),   A(is_order_exact), A(arena_bytes_each),
    A(pool_bytes_each), A(class_bytes),    A(pools_each),
};
#undef A

#define A(member) FIELD(struct recorded_arena, arena.member)
#define W(at)     FIELD(struct recorded_arena, cells[at])
#define W4(at)    W(at), W((at) + 1), W((at) + 2), W((at) + 3)
#define W16(at)   W4(at), W4((at) + 4), W4((at) + 8), W4((at) + 12)
static const struct field arena_fields[] = {
    A(address),    A(order),      A(blocks_used),     A(used_bytes), A(pools),
    A(pools_used), A(pools_free), A(pools_untouched), W16(0),        W16(16),
};
#undef A

#define M(member) FIELD(struct malloc_section, member)
static const struct field malloc_fields[] = {
    M(allocator),
    M(arenas),
    M(heaps),
    M(used_bytes),
    M(used_chunks),
    M(free_bytes),
    M(tcache_bytes),
    M(fastbin_bytes),
    M(top_bytes),
    M(mmapped_bytes),
    M(mmapped_chunks),
    M(trim_bytes),
    M(lost_bytes),
    M(ended_mono_ns),
    M(mmap_threshold_bytes),
    M(threshold_free_bytes),
};
#undef M

#define M(member) FIELD(struct malloc_arena_row, member)
static const struct field malloc_arena_fields[] = {
    M(address),    M(heaps),        M(heap_bytes), M(used_bytes),
    M(free_bytes), M(cached_bytes), M(top_bytes),  M(trim_bytes),
};
#undef M

#define A(member) FIELD(struct account_section, member)
static const struct field account_fields[] = {
    A(res_bytes),
    A(unexplained_bytes),
    A(trim_bytes),
    A(collect_trim_bytes),
    A(collect_trim_most_bytes),
    A(restart_bytes),
    A(garbage_objects),
    A(garbage_bytes),
    A(garbage_mono_ns),
    CHOICE(struct account_section, garbage_why, GARBAGE_WHYS - 1),
    A(ended_mono_ns),
    A(wall_ns),
    A(cpu_ns),
};
#undef A

static const struct field part_fields[] = {
    FIELD(struct account_bytes, resident),
    FIELD(struct account_bytes, swapped),
};

#define M(member) FIELD(struct mapping_row, member)
static const struct field mapping_fields[] = {
    M(name),      CHOICE(struct mapping_row, part, ACCOUNT_PARTS - 1),
    M(mappings),  M(virt_bytes),
    M(res_bytes), M(swap_bytes),
};
#undef M

#define F(member) FIELD(struct free_lists_section, member)
static const struct field free_lists_fields[] = {
    F(count),
    F(bytes),
    F(arenas),
    F(ended_mono_ns),
};
#undef F

#define F(member) FIELD(struct free_list_row, member)
static const struct field free_list_fields[] = {
    F(type), F(length), F(count), F(bytes), F(arenas),
};
#undef F

#define P(member) FIELD(struct pins_section, member)
static const struct field pins_fields[] = {
    P(taken_mono_ns),
    P(cpu_ns),
    P(read_bytes),
    P(arena_bytes_each),
    P(arenas),
    P(arenas_skipped),
    P(arenas_torn),
    P(resident_bytes),
    P(return_bytes),
    P(objects),
    P(object_bytes),
    P(parts),
    P(part_bytes),
    P(are_generations_known),
    CHOICE(struct pins_section, owners, PIN_OWNERS_TOO_DEAR),
    P(owners_mono_ns),
    P(owners_cpu_ns),
    P(cheap.arenas),
    P(cheap.objects),
    P(cheap.blocks),
    P(cheap.bytes),
    P(cheap.return_bytes),
};
#undef P

#define P(member) FIELD(struct pin_row, member)
static const struct field pin_fields[] = {
    P(kind),       P(objects),          P(parts), P(bytes), P(cheap),     P(arenas),
    P(alone),      P(return_bytes),     P(young), P(old),   P(untracked), P(looked_up),
    P(references), P(owner_references), P(owner),
};
#undef P

#define P(member) FIELD(struct pin_step, member)
static const struct field pin_step_fields[] = {
    P(arenas), P(objects), P(blocks), P(bytes), P(return_bytes),
};
#undef P

#define P(member) FIELD(struct pin_class, member)
static const struct field pin_class_fields[] = {
    P(block_bytes),
    P(pools),
    P(blocks),
    P(free_bytes),
};
#undef P

#define H(member) FIELD(struct heap_row, member)
static const struct field heap_fields[] = {
    H(address),    H(bytes),     H(arena),     H(used_bytes),         H(free_bytes),
    H(top_bytes),  H(used_runs), H(free_runs), H(largest_free_bytes), H(cell_bytes),
    H(first_cell), H(n_cells),
};
#undef H

#undef W
#define W(at) FIELD(struct recorded_cells, words[at])
static const struct field heap_cell_fields[] = {W4(0), W4(4)};
#undef W

#define T(member) FIELD(struct heap_top_row, member)
static const struct field top_fields[] = {
    T(heap), T(address), T(bytes), T(kind), T(return_bytes),
};
#undef T

#define P(member) FIELD(struct plugin_view, member)
static const struct field plugin_fields[] = {
    P(name),
    P(version),
    P(license),
    P(summary),
    CHOICE(struct plugin_view, state, PLUGIN_FAILED),
    P(why),
    P(answered_mono_ns),
    P(took_wall_ns),
    P(is_source),
    P(is_sink),
    P(n_received),
    P(n_skipped),
};
#undef P

#define P(member) FIELD(struct recorded_plugin_column, member)
static const struct field plugin_column_fields[] = {
    P(plugin),
    P(column.name),
    P(column.help),
    CHOICE(struct recorded_plugin_column, column.unit, HEAPTOP_NANOSECONDS),
};
#undef P

#define P(member) FIELD(struct recorded_plugin_row, member)
#define C(at)     P(cells[at].number), P(cells[at].text)
#define C4(at)    C(at), C((at) + 1), C((at) + 2), C((at) + 3)
static const struct field plugin_row_fields[] = {
    P(plugin), P(depth), C4(0), C4(4), C4(8), C4(12),
};
#undef C
#undef P

#undef W
#define P(member) FIELD(struct recorded_plugin_text, member)
#define W(at)     P(words[at])
static const struct field plugin_text_fields[] = {
    P(plugin), P(what), W16(0), W4(16), W4(20), W4(24), W(28), W(29),
};
#undef P

#define SHEET(name, row, fields)                                        \
    {                                                                   \
        name, sizeof(row), fields, sizeof(fields) / sizeof((fields)[0]) \
    }

const struct sheet_shape sheet_shapes[SHEETS] = {
    [SHEET_SAMPLE] = SHEET("sample", struct snapshot, sample_fields),
    [SHEET_PROCESS] = SHEET("process", struct process_section, process_fields),
    [SHEET_PYMALLOC] = SHEET("pymalloc", struct pymalloc_section, pymalloc_fields),
    [SHEET_SIZE_CLASSES] =
        SHEET("size_classes", struct size_class_row, size_class_fields),
    [SHEET_GC] = SHEET("gc", struct gc_section, gc_fields),
    [SHEET_GENERATIONS] = SHEET("generations", struct generation_row, generation_fields),
    [SHEET_OBJECTS] = SHEET("objects", struct objects_section, objects_fields),
    [SHEET_KINDS] = SHEET("kinds", struct kind_row, kind_fields),
    [SHEET_ARENAS] = SHEET("arenas", struct arenas_section, arenas_fields),
    [SHEET_ARENA_ROWS] = SHEET("arena_rows", struct recorded_arena, arena_fields),
    [SHEET_MALLOC] = SHEET("malloc", struct malloc_section, malloc_fields),
    [SHEET_MALLOC_ROWS] =
        SHEET("malloc_rows", struct malloc_arena_row, malloc_arena_fields),
    [SHEET_ACCOUNT] = SHEET("account", struct account_section, account_fields),
    [SHEET_PARTS] = SHEET("parts", struct account_bytes, part_fields),
    [SHEET_MAPPINGS] = SHEET("mappings", struct mapping_row, mapping_fields),
    [SHEET_FREE_LISTS] =
        SHEET("free_lists", struct free_lists_section, free_lists_fields),
    [SHEET_FREE_LIST_ROWS] =
        SHEET("free_list_rows", struct free_list_row, free_list_fields),
    [SHEET_PINS] = SHEET("pins", struct pins_section, pins_fields),
    [SHEET_PIN_ROWS] = SHEET("pin_rows", struct pin_row, pin_fields),
    [SHEET_PIN_STEPS] = SHEET("pin_steps", struct pin_step, pin_step_fields),
    [SHEET_PIN_CLASSES] = SHEET("pin_classes", struct pin_class, pin_class_fields),
    [SHEET_HEAPS] = SHEET("heaps", struct heap_row, heap_fields),
    [SHEET_HEAP_CELLS] = SHEET("heap_cells", struct recorded_cells, heap_cell_fields),
    [SHEET_TOPS] = SHEET("tops", struct heap_top_row, top_fields),
    [SHEET_PLUGINS] = SHEET("plugins", struct plugin_view, plugin_fields),
    [SHEET_PLUGIN_COLUMNS] =
        SHEET("plugin_columns", struct recorded_plugin_column, plugin_column_fields),
    [SHEET_PLUGIN_ROWS] =
        SHEET("plugin_rows", struct recorded_plugin_row, plugin_row_fields),
    [SHEET_PLUGIN_TEXTS] =
        SHEET("plugin_texts", struct recorded_plugin_text, plugin_text_fields),
};

const char *field_type_name(enum field_type type)
{
    static const char *const names[] = {"signed", "unsigned", "choice", "reading",
                                        "text",   "name",     "kind"};

    return names[type];
}

size_t sheet_values(const struct sheet_shape *shape)
{
    size_t count = 1;

    for (size_t i = 0; i < shape->n_fields; i++)
        count += field_values(&shape->fields[i]);
    return count;
}
