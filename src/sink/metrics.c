#include "sink/metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "model/account.h"
#include "model/verdict.h"
#include "sink/columns.h"

/* The other kinds; no class of Python's is written with such a name. */
#define OTHER_KINDS "(other)"

int metrics_parse(const char *text, unsigned *sets, struct err *err)
{
    static const struct {
        const char *name;
        unsigned set;
    } names[] = {{"basic", 0},
                 {"kinds", METRIC_SET_KINDS},
                 {"classes", METRIC_SET_CLASSES},
                 {"all", METRIC_SET_ALL}};

    *sets = 0;
    for (size_t length; *text; text += length + (text[length] == ',')) {
        size_t i = 0;

        length = strcspn(text, ",");
        while (i < 4 && (strlen(names[i].name) != length ||
                         strncmp(names[i].name, text, length) != 0))
            i++;
        if (i == 4) {
            err_set(err, ERR_USAGE, "there are no metrics \"%.*s\"",
                    (int)(length < 40 ? length : 40), text);
            return err_remedy(err, "--metrics takes kinds, classes, all or basic");
        }
        *sets |= names[i].set;
    }
    return 0;
}

int metrics_options_from(const struct sink_options *options,
                         struct metrics_options *metrics, struct err *err)
{
    *metrics = (struct metrics_options){
        .target = options->target,
        .sets = options->metric_sets,
        .label_pid = options->label_pid,
        .kinds = options->rows,
        .partition = {.filter = options->filter},
    };
    return columns_sort(options->sort, &metrics->partition, err);
}

static struct reading count_of(uint64_t number)
{
    return reading_exact((int64_t)(number < INT64_MAX ? number : INT64_MAX));
}

static struct reading percent_of(struct reading milli)
{
    milli.value = (milli.value + 500) / 1000;
    return milli;
}

static struct reading time_of(int64_t wall_ns)
{
    return wall_ns ? reading_exact(wall_ns) : reading_unknown();
}

/* The PID is in this one, and in all others only when it was asked for. */
static void add_info(struct exposition *out, const struct target_facts *facts,
                     bool label_pid)
{
    snprintf(out->pid, sizeof(out->pid), "%d", (int)facts->pid);
    exposition_add(out, METRIC_TARGET, reading_exact(1), "python", facts->python,
                   "allocator", facts->allocator, "exe", facts->exe, NULL);
    if (!label_pid)
        out->pid[0] = '\0';
}

static void add_target(struct exposition *out, const struct snapshot *snapshot)
{
    const struct target_facts *facts = &snapshot->target;

    exposition_add(out, METRIC_UP, reading_exact(facts->state != TARGET_ENDED), NULL);
    exposition_add(out, METRIC_SAMPLE_TIME, time_of(snapshot->wall_ns), NULL);
    exposition_add(out, METRIC_SAMPLE_COST, reading_exact(snapshot->cost.sample_ns),
                   NULL);
    if (!*out->process)
        exposition_add(out, METRIC_OWN_CPU, reading_exact(snapshot->cost.cpu_ns), NULL);
}

static void add_process(struct exposition *out, const struct snapshot *snapshot)
{
    const struct process_section *process = snapshot->process;

    exposition_add(out, METRIC_START_TIME, time_of(snapshot->target.start_wall_ns), NULL);
    if (!process)
        return;
    exposition_add(out, METRIC_VIRTUAL, process->virt_bytes, NULL);
    exposition_add(out, METRIC_RESIDENT, process->res_bytes, NULL);
    exposition_add(out, METRIC_SHARED, process->shr_bytes, NULL);
    exposition_add(out, METRIC_SWAP, process->swap_bytes, NULL);
    exposition_add(out, METRIC_PSS, process->pss_bytes, NULL);
    exposition_add(out, METRIC_USS, process->uss_bytes, NULL);
    exposition_add(out, METRIC_FAULTS, process->minor_faults, "kind", "minor", NULL);
    exposition_add(out, METRIC_FAULTS, process->major_faults, "kind", "major", NULL);
    exposition_add(out, METRIC_CPU_TIME, process->cpu_ns, NULL);
    exposition_add(out, METRIC_CPU, percent_of(process->cpu_milli_percent), NULL);
    exposition_add(out, METRIC_THREADS, process->threads, NULL);
}

static void add_account(struct exposition *out, const struct account_section *account)
{
    if (!account)
        return;
    for (int i = 0; i < ACCOUNT_PARTS; i++)
        exposition_add(out, METRIC_ACCOUNT, count_of(account->parts[i].resident), "part",
                       account_part_name((enum account_part)i), NULL);
    exposition_add(out, METRIC_ACCOUNT, reading_exact(account->unexplained_bytes), "part",
                   "unexplained", NULL);
    exposition_add(out, METRIC_TRIM, account->trim_bytes, NULL);
    exposition_add(out, METRIC_COLLECT_TRIM, account->collect_trim_bytes, NULL);
    exposition_add(out, METRIC_GARBAGE, account->garbage_bytes, NULL);
}

static void add_size_classes(struct exposition *out,
                             const struct pymalloc_section *pymalloc)
{
    for (size_t i = 0; i < pymalloc->n_size_classes && i < SIZE_CLASSES_MAX; i++) {
        const struct size_class_row *row = &pymalloc->size_classes[i];
        char bytes[16];

        snprintf(bytes, sizeof(bytes), "%" PRIu32, row->block_bytes);
        exposition_add(out, METRIC_POOLS, count_of(row->blocks_used * row->block_bytes),
                       "size_class", bytes, "state", "used", NULL);
        exposition_add(out, METRIC_POOLS, count_of(row->blocks_free * row->block_bytes),
                       "size_class", bytes, "state", "free", NULL);
    }
}

static void add_pymalloc(struct exposition *out, const struct pymalloc_section *pymalloc,
                         bool has_classes)
{
    if (!pymalloc)
        return;
    exposition_add(out, METRIC_ARENAS, count_of(pymalloc->arenas), NULL);
    exposition_add(out, METRIC_BLOCKS, pymalloc->allocated_blocks, NULL);
    if (has_classes)
        add_size_classes(out, pymalloc);
}

static void add_gc(struct exposition *out, const struct gc_section *gc)
{
    if (!gc)
        return;
    exposition_add(out, METRIC_GC_ENABLED, gc->enabled, NULL);
    for (size_t i = 0; i < gc->n_generations && i < GENERATIONS_MAX; i++) {
        const struct generation_row *row = &gc->generations[i];
        const char generation[] = {(char)('0' + i), '\0'};

        exposition_add(out, METRIC_GC_COLLECTIONS, row->collections, "generation",
                       generation, NULL);
        exposition_add(out, METRIC_GC_COLLECTED, row->collected, "generation", generation,
                       NULL);
        exposition_add(out, METRIC_GC_UNCOLLECTABLE, row->uncollectable, "generation",
                       generation, NULL);
    }
    exposition_add(out, METRIC_GC_PAUSES, gc->pauses.count, NULL);
    exposition_add(out, METRIC_GC_PAUSE_TIME, gc->pauses.total_ns, NULL);
}

static void add_kind(struct exposition *out, const char *kind, uint64_t objects,
                     uint64_t memory_bytes)
{
    exposition_add(out, METRIC_KIND_OBJECTS, count_of(objects), "kind", kind, NULL);
    exposition_add(out, METRIC_KIND_MEMORY, count_of(memory_bytes), "kind", kind, NULL);
}

/* The first so many, in the order of --sort, and all others as one. */
static void add_kinds(struct exposition *out, const struct objects_section *objects,
                      const struct metrics_options *options)
{
    size_t most = options->kinds > 0 ? (size_t)options->kinds : METRIC_KINDS;
    uint64_t rest_objects = 0, rest_bytes = 0;
    struct partition partition;

    if (partition_make(&partition, objects, NULL, &options->partition))
        return;
    for (size_t i = 0; i < partition.count; i++) {
        const struct kind_row *row = &partition.rows[i].now;

        if (i < most) {
            add_kind(out, row->kind->name, row->count, row->memory_bytes);
        } else {
            rest_objects += row->count;
            rest_bytes += row->memory_bytes;
        }
    }
    if (partition.count > most)
        add_kind(out, OTHER_KINDS, rest_objects, rest_bytes);
    partition_release(&partition);
}

static void add_objects(struct exposition *out, const struct objects_section *objects,
                        const struct metrics_options *options)
{
    if (!objects)
        return;
    exposition_add(out, METRIC_OBJECTS, count_of(objects->count), NULL);
    exposition_add(out, METRIC_OBJECT_MEMORY, count_of(objects->memory_bytes), NULL);
    exposition_add(out, METRIC_WALK_TIME, time_of(objects->walk.ended_wall_ns), NULL);
    if (options->sets & METRIC_SET_KINDS)
        add_kinds(out, objects, options);
}

static void add_verdict(struct exposition *out, const struct verdict *verdict)
{
    const char *name = verdict_rule_name(verdict->rule);

    exposition_add(out, METRIC_VERDICT, reading_exact(1), "rule", verdict->rule, "name",
                   name, NULL);
    exposition_add(out, METRIC_VERDICT_BYTES, verdict->bytes, "rule", verdict->rule,
                   "name", name, NULL);
}

/* A rule that holds no more has no sample. One rule is named once: the first has more. */
static void add_verdicts(struct exposition *out, const struct history *history)
{
    struct verdicts verdicts;

    if (!history || !verdict_judge(history, &verdicts))
        return;
    for (size_t i = 0; i < verdicts.count; i++) {
        const struct verdict *verdict = &verdicts.items[i];
        bool is_again = false;

        for (size_t k = 0; k < i; k++)
            is_again |= !strcmp(verdicts.items[k].rule, verdict->rule);
        if (!is_again && !verdict_is_calm(verdict))
            add_verdict(out, verdict);
    }
}

void metrics_add(struct exposition *exposition, const struct snapshot *snapshot,
                 const struct history *history, const struct metrics_options *options)
{
    if (options->target)
        snprintf(exposition->target, sizeof(exposition->target), "%s", options->target);
    else
        target_name(snapshot->target.command, exposition->target);
    add_info(exposition, &snapshot->target, options->label_pid);
    add_target(exposition, snapshot);
    if (snapshot->target.state == TARGET_ENDED)
        return;
    add_process(exposition, snapshot);
    add_account(exposition, snapshot->account);
    add_pymalloc(exposition, snapshot->pymalloc, options->sets & METRIC_SET_CLASSES);
    add_gc(exposition, snapshot->gc);
    add_objects(exposition, snapshot->objects, options);
    add_verdicts(exposition, history);
}
