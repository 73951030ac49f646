/*
 * The rules: what the system does first, then Python's objects, then the allocators, then
 * what is left. A rule that says more exactly what another one says stands before it.
 */
#include <string.h>

#include "model/verdict_private.h"

const struct rule verdict_rules[] = {
    {"R13", "swap", "count RES and swap together; give the process more memory", NULL,
     judge_swap},
    {"R10", "USS", "gc.freeze() before the fork keeps such pages shared", NULL,
     judge_unsharing},
    {"R8", "file and shared memory",
     "files: the kernel takes their pages back when it needs them", NULL, judge_files},
    {"R3b", "garbage and native memory", "gc.collect() frees both", "R6",
     judge_native_of_garbage},
    {"R3", "garbage", "gc.collect() frees it", NULL, judge_garbage},
    {"R11", "objects", "make classes once; their base's list of subclasses keeps them",
     "R2", judge_classes},
    {"R12", "objects", "let them finish, or cancel() them; who starts one awaits it",
     "R2", judge_tasks},
    {"R7", "objects",
     "find who holds them: Types, H (a cache that still fills ends by itself)", NULL,
     judge_large},
    {"R2", "objects",
     "find who holds them: Types, H (a cache that still fills ends by itself)", NULL,
     judge_objects},
    {"R4b", "malloc", "MALLOC_ARENA_MAX=2 in the environment bounds them", "R4",
     judge_malloc_arenas},
    {"R4c", "malloc's mmap threshold",
     "MALLOC_MMAP_THRESHOLD_=131072 in the environment gives them back when freed", "R4",
     judge_threshold},
    {"R4", "account", "malloc_trim(0) returns it", NULL, judge_malloc_free},
    {"R9", "free lists", "gc.collect() empties them", "R5", judge_free_lists},
    {"R5", "arenas", "free what is left in them (Arenas, v), or restart", NULL,
     judge_fragmentation},
    {"R5b", "size classes", "it is used again by objects of this size only", NULL,
     judge_hoard},
    {"R6", "account and objects",
     "look for the C extension that keeps it (plugin native-stacks: who is at work)",
     NULL, judge_native},
    {"R14", "RES", "nothing to do: it is scratch memory, used again", NULL,
     judge_saw_tooth},
};

const size_t n_verdict_rules = sizeof(verdict_rules) / sizeof(verdict_rules[0]);

/* Those first that no rule of the table says. The word is for a narrow column. */
static const struct {
    const char *id, *name, *word;
} names[] = {
    {"R0", "too early to say", "early"},
    {"R1", "steady", "steady"},
    {"-", "several causes", "several"},
    {"R2", "Python objects grow", "objects"},
    {"R3", "garbage waits", "garbage"},
    {"R3b", "garbage keeps native memory", "garbage"},
    {"R4", "malloc keeps free memory", "malloc"},
    {"R4b", "malloc's arenas multiply", "malloc"},
    {"R4c", "mmap threshold", "malloc"},
    {"R5", "pymalloc is fragmented", "fragments"},
    {"R5b", "one size class hoards", "fragments"},
    {"R6", "native memory grows", "native"},
    {"R7", "large Python objects grow", "large"},
    {"R8", "files or shared memory", "files"},
    {"R9", "free lists", "free list"},
    {"R10", "copy on write", "unshares"},
    {"R11", "classes and code grow", "classes"},
    {"R12", "tasks or threads pile up", "tasks"},
    {"R13", "swap", "swap"},
    {"R14", "saw-tooth", "saw-tooth"},
};

#define N_NAMES (sizeof(names) / sizeof(names[0]))

const char *verdict_rule_name(const char *rule)
{
    for (size_t i = 0; i < N_NAMES; i++)
        if (!strcmp(names[i].id, rule))
            return names[i].name;
    return "";
}

const char *verdict_rule_word(const char *rule)
{
    for (size_t i = 0; i < N_NAMES; i++)
        if (!strcmp(names[i].id, rule))
            return names[i].word;
    return "";
}
