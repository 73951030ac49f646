/*
 * Looking symbols up in an image of the target: through its hash table, by a
 * few small reads a name, or one after another. Formats: the System V ABI and
 * its GNU extension (DT_GNU_HASH). Every address that comes out of a table is
 * checked against the image before it is read.
 */
#include "target/image.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#define CHAIN_MAX      65536   /* symbols looked at for one name */
#define CHAIN_CHUNK    16      /* chain words read at once */
#define SYMBOLS_MAX    1048576 /* symbols visited by image_each_symbol() */
#define SYMBOLS_CHUNK  128
#define STRINGS_MAX    (32u << 20)
#define NAME_MAX_BYTES 256
#define VERSYM_HIDDEN  0x8000 /* not the default version */

struct look_up {
    const struct image *image;
    struct reader *reader;
    const char *name;
    size_t name_bytes; /* with its NUL */
    Elf64_Sym found;
    bool has_found;
};

static bool read_inside(const struct image *image, struct reader *reader,
                        uint64_t address, void *buffer, size_t length)
{
    return image_contains(image, raddr_of(address)) &&
           !reader_read(reader, raddr_of(address), buffer, length);
}

static bool is_defined(const struct image *image, const Elf64_Sym *symbol)
{
    unsigned type = ELF64_ST_TYPE(symbol->st_info);

    if (symbol->st_shndx == SHN_UNDEF || symbol->st_shndx == SHN_ABS)
        return false;
    if (type != STT_NOTYPE && type != STT_OBJECT && type != STT_FUNC &&
        type != STT_GNU_IFUNC)
        return false;
    return image_contains(image, raddr_of(image->bias + symbol->st_value));
}

static bool read_symbol(const struct look_up *look_up, uint64_t index, Elf64_Sym *symbol)
{
    return read_inside(look_up->image, look_up->reader,
                       look_up->image->symtab + index * sizeof(*symbol), symbol,
                       sizeof(*symbol));
}

static bool has_name(const struct look_up *look_up, const Elf64_Sym *symbol)
{
    const struct image *image = look_up->image;
    char name[NAME_MAX_BYTES];

    if (symbol->st_name >= image->strtab_bytes ||
        look_up->name_bytes > image->strtab_bytes - symbol->st_name)
        return false;
    return read_inside(image, look_up->reader, image->strtab + symbol->st_name, name,
                       look_up->name_bytes) &&
           !memcmp(name, look_up->name, look_up->name_bytes);
}

static bool is_default_version(const struct look_up *look_up, uint64_t index)
{
    uint16_t version;

    if (!look_up->image->versym)
        return true;
    if (!read_inside(look_up->image, look_up->reader, look_up->image->versym + index * 2,
                     &version, sizeof(version)))
        return true;
    return !(version & VERSYM_HIDDEN);
}

/* Looks at one symbol; true when the search is over. */
static bool consider(struct look_up *look_up, uint64_t index)
{
    Elf64_Sym symbol;

    if (!read_symbol(look_up, index, &symbol) || !is_defined(look_up->image, &symbol) ||
        !has_name(look_up, &symbol))
        return false;
    if (is_default_version(look_up, index)) {
        look_up->found = symbol;
        look_up->has_found = true;
        return true;
    }
    if (!look_up->has_found) {
        look_up->found = symbol;
        look_up->has_found = true;
    }
    return false;
}

/* DT_GNU_HASH: this header, then bloom words of 64 bits, then the index of the
 * first symbol of each chain, then one word a symbol: its hash without the last
 * bit, which says that the chain ends. */
struct gnu_hash {
    uint32_t n_chains, first_symbol, n_bloom, bloom_shift;
};

static uint32_t gnu_hash_of(const char *name)
{
    uint32_t hash = 5381;

    for (; *name; name++)
        hash = hash * 33 + (unsigned char)*name;
    return hash;
}

static bool bloom_may_have(const struct look_up *look_up, const struct gnu_hash *table,
                           uint32_t hash)
{
    uint64_t at = look_up->image->gnu_hash + sizeof(*table) +
                  (uint64_t)(hash / 64 % table->n_bloom) * 8;
    uint64_t word;

    if (!read_inside(look_up->image, look_up->reader, at, &word, sizeof(word)))
        return false;
    return word >> (hash % 64) & word >> ((hash >> (table->bloom_shift & 31)) % 64) & 1;
}

static void walk_gnu_chain(struct look_up *look_up, const struct gnu_hash *table,
                           uint64_t words_at, uint32_t index, uint32_t hash)
{
    uint32_t words[CHAIN_CHUNK];
    size_t ready = 0, next = 0;

    for (uint32_t steps = 0; steps < CHAIN_MAX; steps++, index++) {
        if (next == ready) {
            uint64_t at = words_at + (uint64_t)(index - table->first_symbol) * 4;

            next = 0;
            ready = CHAIN_CHUNK;
            if (!read_inside(look_up->image, look_up->reader, at, words, sizeof(words))) {
                ready = 1; /* near the end of the segment */
                if (!read_inside(look_up->image, look_up->reader, at, words, 4))
                    return;
            }
        }
        if ((words[next] | 1) == (hash | 1) && consider(look_up, index))
            return;
        if (words[next++] & 1)
            return;
    }
}

static void search_gnu_hash(struct look_up *look_up)
{
    uint64_t base = look_up->image->gnu_hash, firsts;
    uint32_t hash = gnu_hash_of(look_up->name), index;
    struct gnu_hash table;

    if (!read_inside(look_up->image, look_up->reader, base, &table, sizeof(table)) ||
        !table.n_chains || !table.n_bloom || !bloom_may_have(look_up, &table, hash))
        return;
    firsts = base + sizeof(table) + (uint64_t)table.n_bloom * 8;
    if (!read_inside(look_up->image, look_up->reader,
                     firsts + (uint64_t)(hash % table.n_chains) * 4, &index,
                     sizeof(index)) ||
        index < table.first_symbol)
        return;
    walk_gnu_chain(look_up, &table, firsts + (uint64_t)table.n_chains * 4, index, hash);
}

static uint32_t sysv_hash_of(const char *name)
{
    uint32_t hash = 0;

    for (; *name; name++) {
        hash = (hash << 4) + (unsigned char)*name;
        hash ^= hash >> 24 & 0xf0;
        hash &= 0x0fffffff;
    }
    return hash;
}

/* DT_HASH: the numbers of chains and of symbols, the first symbol of each chain,
 * then for each symbol the next one of its chain (0 ends it). */
static void search_sysv_hash(struct look_up *look_up)
{
    uint64_t base = look_up->image->sysv_hash;
    uint32_t counts[2], index;

    if (!read_inside(look_up->image, look_up->reader, base, counts, sizeof(counts)) ||
        !counts[0])
        return;
    base += sizeof(counts);
    if (!read_inside(look_up->image, look_up->reader,
                     base + (uint64_t)(sysv_hash_of(look_up->name) % counts[0]) * 4,
                     &index, sizeof(index)))
        return;
    base += (uint64_t)counts[0] * 4;
    for (uint32_t steps = 0; index && index < counts[1] && steps < CHAIN_MAX; steps++) {
        if (consider(look_up, index))
            return;
        if (!read_inside(look_up->image, look_up->reader, base + (uint64_t)index * 4,
                         &index, sizeof(index)))
            return;
    }
}

static void fill_symbol(const struct image *image, const Elf64_Sym *from,
                        struct image_symbol *symbol)
{
    symbol->address = raddr_of(image->bias + from->st_value);
    symbol->size_bytes = from->st_size;
    symbol->is_function = ELF64_ST_TYPE(from->st_info) == STT_FUNC;
}

bool image_symbol(const struct image *image, struct reader *reader, const char *name,
                  struct image_symbol *symbol)
{
    struct look_up look_up = {image, reader, name, strlen(name) + 1, {0}, false};

    if (!image->symtab || !image->strtab || look_up.name_bytes > NAME_MAX_BYTES)
        return false;
    if (image->gnu_hash)
        search_gnu_hash(&look_up);
    else if (image->sysv_hash)
        search_sysv_hash(&look_up);
    if (look_up.has_found)
        fill_symbol(image, &look_up.found, symbol);
    return look_up.has_found;
}

/* DT_GNU_HASH does not say how many symbols there are: the last chain does. */
static uint64_t count_by_gnu_hash(const struct image *image, struct reader *reader)
{
    uint64_t firsts, words_at;
    struct gnu_hash table;
    uint32_t *indices, last = 0, word = 0;

    if (!read_inside(image, reader, image->gnu_hash, &table, sizeof(table)) ||
        !table.n_chains || table.n_chains > SYMBOLS_MAX)
        return 0;
    firsts = image->gnu_hash + sizeof(table) + (uint64_t)table.n_bloom * 8;
    words_at = firsts + (uint64_t)table.n_chains * 4;
    indices = calloc(table.n_chains, sizeof(*indices));
    if (indices &&
        read_inside(image, reader, firsts, indices, table.n_chains * sizeof(*indices)))
        for (uint32_t i = 0; i < table.n_chains; i++)
            if (indices[i] > last)
                last = indices[i];
    free(indices);
    if (last < table.first_symbol)
        return table.first_symbol;
    for (uint32_t steps = 0; steps < CHAIN_MAX && !(word & 1); steps++, last++)
        if (!read_inside(image, reader,
                         words_at + (uint64_t)(last - table.first_symbol) * 4, &word,
                         sizeof(word)))
            break;
    return last;
}

static uint64_t count_symbols(const struct image *image, struct reader *reader)
{
    uint32_t counts[2];
    uint64_t count = 0;

    if (image->sysv_hash &&
        read_inside(image, reader, image->sysv_hash, counts, sizeof(counts)))
        count = counts[1];
    else if (image->gnu_hash)
        count = count_by_gnu_hash(image, reader);
    return count < SYMBOLS_MAX ? count : SYMBOLS_MAX;
}

/* Whose turn it is, and where the local copy of the strings is. */
struct visit {
    const struct image *image;
    const char *strings; /* NULL: no names are wanted */
    size_t strings_bytes;
    bool (*named)(void *context, const char *name, const struct image_symbol *symbol);
    bool (*nameless)(void *context, const struct image_symbol *symbol);
    void *context;
};

static bool visit_one(const struct visit *visit, const Elf64_Sym *from)
{
    struct image_symbol symbol;

    if (!is_defined(visit->image, from))
        return true;
    fill_symbol(visit->image, from, &symbol);
    if (!visit->strings)
        return visit->nameless(visit->context, &symbol);
    if (from->st_name >= visit->strings_bytes ||
        !memchr(visit->strings + from->st_name, '\0',
                visit->strings_bytes - from->st_name))
        return true;
    return visit->named(visit->context, visit->strings + from->st_name, &symbol);
}

static void visit_all(const struct visit *visit, struct reader *reader, uint64_t left)
{
    uint64_t at = visit->image->symtab;
    Elf64_Sym symbols[SYMBOLS_CHUNK];
    bool goes_on = true;

    while (goes_on && left) {
        size_t n = left < SYMBOLS_CHUNK ? (size_t)left : SYMBOLS_CHUNK;

        if (!read_inside(visit->image, reader, at, symbols, n * sizeof(symbols[0])))
            break;
        for (size_t i = 0; i < n && goes_on; i++)
            goes_on = visit_one(visit, &symbols[i]);
        at += n * sizeof(symbols[0]);
        left -= n;
    }
}

void image_each_symbol(const struct image *image, struct reader *reader,
                       bool (*visit)(void *context, const char *name,
                                     const struct image_symbol *symbol),
                       void *context)
{
    size_t bytes =
        image->strtab_bytes < STRINGS_MAX ? (size_t)image->strtab_bytes : STRINGS_MAX;
    uint64_t count = image->symtab && image->strtab ? count_symbols(image, reader) : 0;
    char *strings = count && bytes ? malloc(bytes) : NULL;
    const struct visit each = {image, strings, bytes, visit, NULL, context};

    if (strings && read_inside(image, reader, image->strtab, strings, bytes))
        visit_all(&each, reader, count);
    free(strings);
}

void image_each_place(const struct image *image, struct reader *reader,
                      bool (*visit)(void *context, const struct image_symbol *symbol),
                      void *context)
{
    const struct visit each = {image, NULL, 0, NULL, visit, context};

    if (image->symtab)
        visit_all(&each, reader, count_symbols(image, reader));
}
