#include "source/object_value.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "util/bytes.h"
#include "util/strbuf.h"
#include "util/utf8.h"

#define INT_DIGIT_BITS 30
#define PREVIEW_BYTES  256 /* of the contents */
#define HASH_READ      65536

static bool is_builtin(const struct type_entry *entry, const char *name)
{
    return !entry->is_heap && !strcmp(entry->kind->name, name);
}

/* unicodeobject.h: state has the kind in bits 2-4, then compact, then ascii. */
static struct object_value value_of_str(const struct object_layout *layout,
                                        const struct object_view *view)
{
    struct object_value value = {.type = VALUE_IS_STR};
    uint32_t state = (uint32_t)u64_at(view->bytes, layout->str_state);
    uint64_t length = u64_at(view->bytes, layout->str_length);

    value.width = state >> 2 & 7;
    if ((value.width != 1 && value.width != 2 && value.width != 4) ||
        length > VALUE_BYTES_MAX)
        return (struct object_value){0};
    value.bytes = length * value.width;
    value.address = view->address + (state >> 6 & 1 ? layout->str_ascii_bytes
                                                    : layout->str_compact_bytes);
    if (!(state >> 5 & 1))
        value.address = u64_at(view->bytes, layout->str_data);
    return value;
}

/* longintrepr.h: digits of 30 bits; the sign is in ob_size, or in lv_tag's low bits. */
static struct object_value value_of_int(const struct object_layout *layout,
                                        const struct object_view *view)
{
    struct object_value value = {.type = VALUE_IS_INT, .width = 4};
    uint64_t word = u64_at(view->bytes, layout->ob_size);
    uint64_t digits = word >> 3;

    value.is_negative = (word & 3) == 2;
    if (!layout->int_is_tagged) {
        value.is_negative = word >> 63;
        digits = value.is_negative ? -word : word;
    }
    if (digits > VALUE_BYTES_MAX / 4)
        return (struct object_value){0};
    value.bytes = digits * 4;
    value.address = view->address + layout->int_digits_bytes;
    return value;
}

/* bytesobject.h: ob_sval is the last member, of one byte. */
static struct object_value value_of_bytes(const struct object_layout *layout,
                                          const struct object_view *view)
{
    uint64_t length = u64_at(view->bytes, layout->ob_size);

    if (length > VALUE_BYTES_MAX)
        return (struct object_value){0};
    return (struct object_value){VALUE_IS_BYTES, view->address + BYTES_BYTES - 1, length,
                                 1, false};
}

struct object_value value_of(const struct object_layout *layout,
                             const struct met_object *met)
{
    struct object_value value = {0};

    if (met->view.length < layout->int_digits_bytes)
        return value;
    if (is_builtin(met->entry, "int"))
        value = value_of_int(layout, &met->view);
    else if (is_builtin(met->entry, "bytes"))
        value = value_of_bytes(layout, &met->view);
    else if (is_builtin(met->entry, "str") && met->view.length >= layout->str_ascii_bytes)
        value = value_of_str(layout, &met->view);
    /* What is said to be longer than its block is not believed. */
    if (value.address - met->view.address < met->block_bytes &&
        value.bytes > met->block_bytes)
        value.type = VALUE_IS_NONE;
    return value;
}

int value_read(struct measure *measure, uint64_t address,
               uint8_t bytes[VALUE_HEADER_BYTES], struct met_object *met)
{
    struct walk *walk = measure->walk;

    if (measure_read(measure, address, bytes, VALUE_HEADER_BYTES) ||
        !walk_is_alive(walk, u64_at(bytes, walk->layout.object.ob_refcnt)))
        return -1;
    met->view = (struct object_view){bytes, VALUE_HEADER_BYTES, address};
    met->entry = types_get(&walk->types, u64_at(bytes, walk->layout.object.ob_type));
    return met->entry ? 0 : -1;
}

/* ---- previews ---- */

static void preview_str(struct strbuf *out, const uint8_t *data, size_t bytes,
                        uint32_t width)
{
    for (size_t at = 0; at + width <= bytes; at += width) {
        uint32_t character = 0;
        char encoded[4];

        memcpy(&character, data + at, width);
        utf8_clean(out, encoded, utf8_encode(encoded, character));
    }
}

static void preview_bytes(struct strbuf *out, const uint8_t *data, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        if (data[i] >= ' ' && data[i] < 127)
            strbuf_add_char(out, (char)data[i]);
        else
            strbuf_addf(out, "\\x%02x", data[i]);
}

/* Two digits fit 64 bits; more are told by their length. */
static void preview_int(struct strbuf *out, const struct object_value *value,
                        const uint8_t *data)
{
    uint64_t number = 0;
    uint32_t digit;

    if (value->bytes > 8) {
        strbuf_addf(out, "an int of %" PRIu64 " bits", value->bytes / 4 * INT_DIGIT_BITS);
        return;
    }
    for (size_t i = (size_t)value->bytes / 4; i-- > 0;) {
        memcpy(&digit, data + i * 4, sizeof(digit));
        number = number << INT_DIGIT_BITS | (digit & ((1u << INT_DIGIT_BITS) - 1));
    }
    strbuf_addf(out, "%s%" PRIu64, value->is_negative ? "-" : "", number);
}

/* Cuts in front of what does not fit, whole characters, and says so. */
static void copy_cut(char *text, size_t size, const struct strbuf *from, bool is_longer)
{
    const char *whole = strbuf_text(from);
    size_t length = strlen(whole), room = size - sizeof("...");

    if (length < size && !is_longer) {
        memcpy(text, whole, length + 1);
        return;
    }
    if (length > room)
        length = room;
    while (length && ((unsigned char)whole[length] & 0xc0) == 0x80)
        length--;
    snprintf(text, size, "%.*s...", (int)length, whole);
}

void value_preview(struct measure *measure, const struct object_value *value, char *text,
                   size_t size)
{
    uint8_t data[PREVIEW_BYTES];
    size_t bytes =
        value->bytes < PREVIEW_BYTES ? (size_t)value->bytes : (size_t)PREVIEW_BYTES;
    struct strbuf out = STRBUF_INIT;

    text[0] = '\0';
    if (value->type == VALUE_IS_NONE ||
        (bytes && measure_read(measure, value->address, data, bytes)))
        return;
    if (value->type == VALUE_IS_INT) {
        preview_int(&out, value, data);
    } else {
        strbuf_add_text(&out, value->type == VALUE_IS_STR ? "'" : "b'");
        if (value->type == VALUE_IS_STR)
            preview_str(&out, data, bytes, value->width);
        else
            preview_bytes(&out, data, bytes);
        if (bytes == value->bytes)
            strbuf_add_char(&out, '\'');
    }
    copy_cut(text, size, &out, value->type != VALUE_IS_INT && bytes < value->bytes);
    strbuf_release(&out);
}

/* ---- hashes ---- */

/* Both halves of a product, folded: each bit of either factor reaches the result. */
static uint64_t mix(uint64_t a, uint64_t b)
{
    __extension__ unsigned __int128 product = (unsigned __int128)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t hash_bytes(uint64_t hash, const uint8_t *data, size_t bytes)
{
    uint64_t word;

    for (; bytes >= 8; data += 8, bytes -= 8) {
        memcpy(&word, data, 8);
        hash = mix(hash ^ word, UINT64_C(0x9fb21c651e98df25));
    }
    word = 0;
    memcpy(&word, data, bytes);
    return mix(hash ^ word, UINT64_C(0xd6e8feb86659fd93));
}

uint64_t value_hash(struct measure *measure, const struct object_value *value,
                    uint64_t seed)
{
    uint8_t data[HASH_READ];
    uint64_t head[3] = {value->type, value->bytes,
                        value->width | (uint64_t)value->is_negative << 8};
    uint64_t hash = hash_bytes(seed, (const uint8_t *)head, sizeof(head));

    if (value->type == VALUE_IS_NONE || value->bytes > VALUE_BYTES_MAX)
        return 0;
    for (uint64_t done = 0; done < value->bytes;) {
        size_t some = value->bytes - done < HASH_READ ? (size_t)(value->bytes - done)
                                                      : (size_t)HASH_READ;

        if (measure_read(measure, value->address + done, data, some))
            return 0;
        hash = hash_bytes(hash, data, some);
        done += some;
    }
    return hash ? hash : 1;
}
