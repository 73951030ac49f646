#include "model/kind.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "util/strbuf.h"
#include "util/utf8.h"
#include "util/xalloc.h"

/*
 * One table for the whole run: the names that every snapshot, mark and
 * recording shares. Open addressing; entries are never removed.
 */
#define KIND_SLOTS_FIRST 1024 /* at most half of the slots are taken */

static struct {
    pthread_mutex_t lock;
    struct kind **slots;
    uint32_t n_slots, count;
} kinds = {PTHREAD_MUTEX_INITIALIZER, NULL, 0, 0};

static uint32_t kind_hash(const char *name)
{
    uint32_t hash = 2166136261u;

    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * 16777619u;
    return hash;
}

/* The slot that holds the name, or the empty one where it belongs. */
static struct kind **kind_slot(const char *name)
{
    uint32_t at = kind_hash(name) % kinds.n_slots;

    while (kinds.slots[at] && strcmp(kinds.slots[at]->name, name))
        at = (at + 1) % kinds.n_slots;
    return &kinds.slots[at];
}

/* Makes room for one more. */
static void kinds_grow(void)
{
    struct kind **old = kinds.slots;
    uint32_t n_old = kinds.n_slots;

    if (kinds.count < n_old / 2 || n_old > KINDS_MAX)
        return;
    kinds.n_slots = n_old ? 2 * n_old : KIND_SLOTS_FIRST;
    kinds.slots = xcalloc(kinds.n_slots, sizeof(*kinds.slots));
    for (uint32_t i = 0; i < n_old; i++)
        if (old[i])
            *kind_slot(old[i]->name) = old[i];
    free(old);
}

static struct kind *kind_new(const char *name)
{
    struct kind *kind = xcalloc(1, sizeof(*kind));

    kind->id = kinds.count++;
    kind->name = xstrdup(name);
    return kind;
}

static const struct kind *kind_of_clean_name(const char *name)
{
    struct kind **slot;

    kinds_grow();
    slot = kind_slot(name);
    if (!*slot && kinds.count >= KINDS_MAX)
        slot = kind_slot("(other kinds)");
    if (!*slot)
        *slot = kind_new(kinds.count >= KINDS_MAX ? "(other kinds)" : name);
    return *slot;
}

const struct kind *kind_intern(const char *raw_name, size_t length)
{
    struct strbuf clean = STRBUF_INIT;
    const struct kind *kind;

    utf8_clean(&clean, raw_name, length < KIND_NAME_BYTES ? length : KIND_NAME_BYTES);
    if (!clean.length)
        strbuf_add_text(&clean, "(no name)");
    pthread_mutex_lock(&kinds.lock);
    kind = kind_of_clean_name(strbuf_text(&clean));
    pthread_mutex_unlock(&kinds.lock);
    strbuf_release(&clean);
    return kind;
}
