#include "plugins/tracemalloc/traces.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "plugins/tracemalloc/memory.h"

#define WORD           8
#define CHAINS_LEAST   16
#define CHAINS_MOST    (UINT64_C(1) << 28)
#define CHAIN_MOST     1000
#define NAME_MOST      4096
#define BYTES_MOST     (UINT64_C(1) << 46)
#define PROVEN_ENTRIES 16
#define BARE_LEAST     3
#define LOOK_EVERY     2048 /* traces between two looks at the clock */
#define IMAGE_MOST     (UINT64_C(32) << 20)
#define ROOM_AT_ONCE   4096 /* words */

/* Python/hashtable.c, Include/internal/pycore_hashtable.h.
 * 3.9 and later: _Py_hashtable_t {entries, chains, their array, functions ...},
 * an entry {next, key_hash, key, value}.
 * 3.8, Modules/hashtable.h: {chains, entries, their array, key_size, data_size, ...}, an
 * entry {next, key_hash, key bytes, data bytes}. */
#define TABLE_WORDS 5
#define ENTRY_VALUE 24
#define ENTRY_KEY   16
/* Modules/_tracemalloc.c (3.13: Python/tracemalloc.c): trace_t {size, traceback},
 * traceback_t {hash, nframe (16 bits of it since 3.9), frames}, frame_t packed {filename,
 * lineno}. The first frame is the one that asked for the memory. A filename is a str,
 * since 3.15 the bytes of a text. */
#define TRACEBACK_NFRAME 8
#define TRACEBACK_FRAME  12

struct table {
    uint64_t entries, chains, array;
    uint64_t value_at; /* in an entry: the trace, or its address */
    bool is_of_3_8;
};

int64_t traces_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static bool is_pointer(uint64_t word)
{
    return word % WORD == 0 && word > 65536 && word < UINT64_C(1) << 47;
}

static bool makes_sense(const struct table *table)
{
    return table->chains >= CHAINS_LEAST && table->chains <= CHAINS_MOST &&
           (table->chains & (table->chains - 1)) == 0 && table->entries &&
           table->entries <= table->chains * 4 && is_pointer(table->array);
}

static bool read_table(uint64_t address, struct table *table)
{
    uint64_t words[TABLE_WORDS];

    if (!is_pointer(address) || !memory_read(address, words, sizeof(words)))
        return false;
    *table = (struct table){words[0], words[1], words[2], ENTRY_VALUE, false};
    if (is_pointer(words[3]) || words[3] % WORD)
        if (makes_sense(table))
            return true;
    /* key_size is that of a pointer, or of a pointer and a number */
    *table = (struct table){words[1], words[0], words[2], ENTRY_KEY + words[3], true};
    return words[3] >= 8 && words[3] <= 16 && words[4] == 16 && makes_sense(table);
}

static bool read_trace(const struct table *table, uint64_t entry, uint64_t trace[2])
{
    uint64_t value;

    if (table->is_of_3_8)
        return memory_read(entry + table->value_at, trace, 2 * WORD);
    return memory_word(entry + table->value_at, &value) && is_pointer(value) &&
           memory_read(value, trace, 2 * WORD);
}

/* What this entry traces; false when it makes no sense. */
static bool read_entry(const struct table *table, uint64_t entry, uint64_t *bytes,
                       uint64_t *file, uint32_t *line)
{
    uint64_t trace[2];
    unsigned char frame[WORD + 4];
    uint16_t frames;

    if (!read_trace(table, entry, trace) || !is_pointer(trace[1]) ||
        trace[0] > BYTES_MOST)
        return false;
    if (!memory_read(trace[1] + TRACEBACK_NFRAME, &frames, sizeof(frames)) || !frames ||
        !memory_read(trace[1] + TRACEBACK_FRAME, frame, sizeof(frame)))
        return false;
    *bytes = trace[0];
    memcpy(file, frame, WORD);
    memcpy(line, frame + WORD, sizeof(*line));
    return is_pointer(*file);
}

/* Unicode objects, unicodeobject.h: the length behind the object's head, then hash and
 * state; the text of an ASCII string behind those, or (until 3.11) behind a pointer that
 * is NULL. The head is larger in a free-threaded build. */
static bool read_unicode(uint64_t file, char *name, size_t size)
{
    static const uint64_t heads[] = {16, 32};

    for (size_t i = 0; i < 2; i++) {
        uint64_t length;

        if (!memory_word(file + heads[i], &length) || !length || length > NAME_MOST ||
            length >= size)
            continue;
        for (uint64_t at = heads[i] + 24; at <= heads[i] + 32; at += 8)
            if (memory_read(file + at, name, length + 1) && !name[length] &&
                !memchr(name, '\0', length))
                return true;
    }
    return false;
}

/* A text that ends with a zero, as 3.15 keeps names. What is shorter may be the count of
 * references that an object begins with. */
static bool read_bare(uint64_t file, char *name, size_t size)
{
    size_t length = 0;

    while (length < size && length <= NAME_MOST &&
           memory_read(file + length, name + length, 1) && name[length]) {
        if ((unsigned char)name[length] < ' ' || name[length] == 127)
            return false;
        length++;
    }
    return length >= BARE_LEAST && length < size && length <= NAME_MOST && !name[length];
}

bool traces_file(const struct traces *traces, uint64_t file, char *name, size_t size)
{
    return traces->has_bare_names ? read_bare(file, name, size)
                                  : read_unicode(file, name, size);
}

/* Are the first entries traces of files, most of which have names? */
static bool prove(const struct table *table, const struct traces *traces)
{
    uint64_t seen = 0, named = 0;
    char name[NAME_MOST + 1];

    for (uint64_t i = 0; i < table->chains && seen < PROVEN_ENTRIES; i++) {
        uint64_t entry, bytes, file;
        uint32_t line;

        if (!memory_word(table->array + i * WORD, &entry))
            return false;
        if (!entry)
            continue;
        if (!is_pointer(entry) || !read_entry(table, entry, &bytes, &file, &line))
            return false;
        seen++;
        named += traces_file(traces, file, name, sizeof(name));
    }
    return named && named * 2 >= seen;
}

static bool try_slot(uint64_t slot, uint64_t address, struct traces *traces)
{
    struct table table;

    if (!read_table(address, &table))
        return false;
    for (int is_bare = 0; is_bare < 2; is_bare++) {
        struct traces found = {slot, table.is_of_3_8, is_bare, table.entries};

        if (!prove(&table, &found))
            continue;
        *traces = found;
        return true;
    }
    return false;
}

static bool search(const struct heaptop_host *host, uint64_t begin, uint64_t end,
                   struct traces *traces)
{
    uint64_t words[ROOM_AT_ONCE];

    if (end - begin > IMAGE_MOST)
        end = begin + IMAGE_MOST;
    while (begin < end) {
        uint64_t bytes = end - begin < sizeof(words) ? end - begin : sizeof(words);

        if (host->read(host, begin, words, bytes))
            return false;
        for (uint64_t i = 0; i < bytes / WORD; i++)
            if (is_pointer(words[i]) && try_slot(begin + i * WORD, words[i], traces))
                return true;
        begin += bytes;
    }
    return false;
}

static bool is_python(const char *path)
{
    const char *base = strrchr(path, '/');

    return base && (!strncmp(base, "/python", 7) || !strncmp(base, "/libpython", 10));
}

/* The image's data, and the memory without a file that follows it. */
bool traces_find(const struct heaptop_host *host, struct traces *traces)
{
    struct heaptop_mapping mapping;
    uint64_t image_end = 0;

    for (size_t i = 0; host->mapping(host, i, &mapping) == 0; i++) {
        bool is_data =
            is_python(mapping.path) || (!*mapping.path && mapping.begin == image_end);

        if (!is_data)
            continue;
        image_end = mapping.end;
        if ((mapping.access & HEAPTOP_WRITABLE) &&
            search(host, mapping.begin, mapping.end, traces))
            return true;
    }
    traces->slot = 0;
    return false;
}

bool traces_look(struct traces *traces)
{
    struct table table;
    uint64_t address;

    return traces->slot && memory_word(traces->slot, &address) &&
           try_slot(traces->slot, address, traces) && read_table(address, &table);
}

/* The entries of a chain; what changes while it is read ends the chain. */
static uint64_t visit_chain(const struct table *table, uint64_t entry,
                            traces_visit *visit, void *context)
{
    uint64_t count = 0;

    for (int i = 0; i < CHAIN_MOST && entry && is_pointer(entry); i++) {
        uint64_t bytes, file;
        uint32_t line;

        if (!read_entry(table, entry, &bytes, &file, &line))
            return count;
        visit(context, bytes, file, line);
        count++;
        if (!memory_word(entry, &entry))
            return count;
    }
    return count;
}

uint64_t traces_visit_all(const struct traces *traces, int64_t until_ns,
                          traces_visit *visit, void *context)
{
    uint64_t address, count = 0, looked = 0;
    struct table table;

    if (!memory_word(traces->slot, &address) || !read_table(address, &table))
        return 0;
    for (uint64_t i = 0; i < table.chains; i++) {
        uint64_t entry;

        if (!memory_word(table.array + i * WORD, &entry))
            break;
        count += visit_chain(&table, entry, visit, context);
        if (count - looked < LOOK_EVERY)
            continue;
        looked = count;
        if (traces_now_ns() > until_ns)
            break;
    }
    return count;
}
