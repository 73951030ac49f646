#include "source/objects_types.h"

#include <string.h>

#include "layout/dict_keys.h"
#include "model/kind.h"
#include "util/bytes.h"
#include "util/utf8.h"

#define MODULE_BYTES     256
#define KEYS_PER_READ    64
#define DICT_ENTRIES_MAX 65536 /* of a class's dict: an enumeration may have many */
#define STRINGS_MAX      8192  /* of them: looked at as strings */
#define KEYS_ENTRY_BYTES 24    /* the longer of the two kinds */
#define KEY_BYTES        64    /* header of a str and "__module__" */
#define STR_READ_BYTES   1024

static const char module_key[] = "__module__";
static const char builtins_prefix[] = "builtins.";

/* One character of a str whose characters are `width` bytes each. */
static uint32_t character_at(const uint8_t *data, size_t index, uint32_t width)
{
    uint32_t character = 0;

    memcpy(&character, data + index * width, width);
    return character;
}

static void characters_to_utf8(const uint8_t *data, size_t count, uint32_t width,
                               char *text, size_t size)
{
    size_t used = 0;

    for (size_t i = 0; i < count; i++) {
        char encoded[4];
        size_t length = utf8_encode(encoded, character_at(data, i, width));

        if (length >= size - used)
            break;
        memcpy(text + used, encoded, length);
        used += length;
    }
    text[used] = '\0';
}

/* Where the characters of a str stand; 0 when it cannot be a str. */
static uint64_t str_data(const struct object_layout *layout, uint64_t address,
                         const uint8_t *header, uint32_t *width)
{
    uint32_t state;

    memcpy(&state, header + layout->str_state, sizeof(state));
    *width = state >> 2 & 7;
    if (*width != 1 && *width != 2 && *width != 4)
        return 0;
    if (!(state >> 5 & 1))
        return u64_at(header, layout->str_data);
    return address +
           (state >> 6 & 1 ? layout->str_ascii_bytes : layout->str_compact_bytes);
}

/* A class may have anything as its __module__. */
static bool is_str(struct reader *reader, const struct object_layout *layout,
                   const uint8_t *header)
{
    uint64_t type = u64_at(header, layout->ob_type), flags;

    return reader_u64(reader, raddr_add(raddr_of(type), layout->tp_flags), &flags) &&
           flags & TYPE_FLAG_STR;
}

bool remote_str(struct reader *reader, const struct object_layout *layout,
                uint64_t address, char *text, size_t size)
{
    uint8_t header[128], data[STR_READ_BYTES];
    uint64_t length, at;
    uint32_t width = 0;
    size_t wanted;

    /* A short ascii str may stand at the end of a mapping; its header never does. */
    memset(header, 0, sizeof(header));
    if (!address ||
        reader_read(reader, raddr_of(address), header, layout->str_ascii_bytes) ||
        !is_str(reader, layout, header))
        return false;
    if (!(header[layout->str_state] >> 6 & 1) &&
        reader_read(reader, raddr_of(address), header, layout->str_data + 8u))
        return false;
    length = u64_at(header, layout->str_length);
    at = str_data(layout, address, header, &width);
    if (!at || !length || length > UINT32_MAX)
        return false;
    wanted = (size_t)length * width;
    if (wanted > sizeof(data))
        wanted = sizeof(data);
    if (reader_read(reader, raddr_of(at), data, wanted))
        return false;
    characters_to_utf8(data, wanted / width, width, text, size);
    return true;
}

static bool is_known_module_key(const struct types *types, uint64_t key)
{
    for (size_t i = 0; i < types->n_module_keys; i++) {
        if (types->module_keys[i] == key)
            return true;
    }
    return false;
}

static void remember_module_key(struct types *types, uint64_t key)
{
    const size_t room = sizeof(types->module_keys) / sizeof(types->module_keys[0]);

    if (types->n_module_keys < room)
        types->module_keys[types->n_module_keys++] = key;
}

static bool is_module_key(const struct object_layout *layout, const uint8_t *str)
{
    return u64_at(str, layout->str_length) == sizeof(module_key) - 1 &&
           (str[layout->str_state] >> 2 & 0x1f) == 0x19 && /* 1 byte, compact, ascii */
           !memcmp(str + layout->str_ascii_bytes, module_key, sizeof(module_key) - 1);
}

/* The entries of a dict's keys table, of which some were read. */
struct keys_view {
    uint8_t bytes[KEYS_PER_READ * KEYS_ENTRY_BYTES];
    struct dict_keys table;
    size_t n_entries;   /* that are looked at */
    size_t from, count; /* which were read */
};

/* An entry that was read: {key, value}. */
static uint64_t entry_word(const struct keys_view *keys, size_t i, size_t word)
{
    uint64_t at = dict_keys_key(&keys->table, i) - keys->table.entries;

    return u64_at(keys->bytes, at + word * 8);
}

static uint64_t entry_key(const struct keys_view *keys, size_t i)
{
    return entry_word(keys, i, 0);
}

static uint64_t entry_value(const struct keys_view *keys, size_t i)
{
    return entry_word(keys, i, 1);
}

static bool keys_open(struct types *types, uint64_t dict, struct keys_view *keys)
{
    const struct object_layout *layout = types->layout;
    uint8_t header[DICT_KEYS_HEADER_MAX];
    uint64_t address;

    if (!dict ||
        !reader_u64(types->reader, raddr_add(raddr_of(dict), layout->dict_keys),
                    &address) ||
        reader_read(types->reader, raddr_of(address), header,
                    layout->keys_header_bytes) ||
        !dict_keys_decode(layout, header, address, &keys->table))
        return false;
    keys->n_entries = keys->table.n_entries < DICT_ENTRIES_MAX
                          ? (size_t)keys->table.n_entries
                          : DICT_ENTRIES_MAX;
    keys->from = keys->count = 0;
    return true;
}

/* Reads the entries from `from` on, as many as there is room for; false behind the last.
 */
static bool keys_read(struct types *types, struct keys_view *keys, size_t from)
{
    size_t left = from < keys->n_entries ? keys->n_entries - from : 0;

    keys->from = from;
    keys->count = left < KEYS_PER_READ ? left : KEYS_PER_READ;
    return keys->count &&
           !reader_read(types->reader,
                        raddr_of(keys->table.entries + from * keys->table.entry_bytes),
                        keys->bytes, keys->count * keys->table.entry_bytes);
}

/* Which of the entries that were read has a known "__module__" for its key; -1: none. */
static int keys_find(const struct types *types, const struct keys_view *keys)
{
    for (size_t i = 0; i < keys->count; i++) {
        if (is_known_module_key(types, entry_key(keys, i)))
            return (int)i;
    }
    return -1;
}

/* The same by looking at the keys as strings. */
static int keys_search(struct types *types, const struct keys_view *keys)
{
    uint8_t strings[KEYS_PER_READ][KEY_BYTES];
    struct piece pieces[KEYS_PER_READ];
    size_t length = types->layout->str_ascii_bytes + sizeof(module_key);

    for (size_t i = 0; i < keys->count; i++)
        pieces[i] =
            (struct piece){raddr_of(entry_key(keys, i)), strings[i], length, false};
    reader_readv(types->reader, pieces, keys->count);
    for (size_t i = 0; i < keys->count; i++) {
        if (!pieces[i].done || !is_module_key(types->layout, strings[i]))
            continue;
        remember_module_key(types, entry_key(keys, i));
        return (int)i;
    }
    return -1;
}

/* The value of "__module__" in the dict of a class; 0 when there is none. */
static uint64_t class_module(struct types *types, uint64_t dict)
{
    struct keys_view keys;
    int found = -1;

    if (!keys_open(types, dict, &keys))
        return 0;
    for (size_t from = 0; found < 0 && keys_read(types, &keys, from); from += keys.count)
        found = keys_find(types, &keys);
    for (size_t from = 0;
         found < 0 && from < STRINGS_MAX && keys_read(types, &keys, from);
         from += keys.count)
        found = keys_search(types, &keys);
    return found < 0 ? 0 : entry_value(&keys, (size_t)found);
}

static const struct kind *intern_without_builtins(const char *name)
{
    size_t prefix = sizeof(builtins_prefix) - 1;

    if (!strncmp(name, builtins_prefix, prefix) && name[prefix])
        name += prefix;
    return kind_intern(name, strlen(name));
}

/* typeobject.c type_module, type_qualname: a class is named by `__module__` of its
 * dict and ht_qualname, a static type by tp_name alone. */
const struct kind *type_kind(struct types *types, const uint8_t *bytes, bool is_heap,
                             const char *tp_name)
{
    const struct object_layout *layout = types->layout;
    char name[MODULE_BYTES + KIND_NAME_BYTES];
    uint64_t module;
    size_t used;

    if (!is_heap)
        return intern_without_builtins(tp_name);
    module = class_module(types, u64_at(bytes, layout->tp_dict));
    if (!remote_str(types->reader, layout, module, name, MODULE_BYTES))
        return intern_without_builtins(tp_name);
    used = strlen(name);
    name[used++] = '.';
    if (!remote_str(types->reader, layout, u64_at(bytes, layout->ht_qualname),
                    name + used, sizeof(name) - used)) {
        size_t length = strlen(tp_name);

        if (length >= sizeof(name) - used)
            length = sizeof(name) - used - 1;
        memcpy(name + used, tp_name, length);
        name[used + length] = '\0';
    }
    return intern_without_builtins(name);
}
