#include "tui/keys.h"

#include <stdio.h>
#include <string.h>

#include "util/strbuf.h"
#include "util/utf8.h"

#define ESCAPE         0x1b
#define SEQUENCE_BYTES 64 /* no key or mouse report is longer */
#define PARAMETERS_MAX 3

/* A sequence comes in one piece, also over ssh; a paste comes in many. */
#define SEQUENCE_WAIT_MS 40
#define PASTE_WAIT_MS    1000

struct sequence {
    int parameters[PARAMETERS_MAX];
    size_t n_parameters;
    char prefix; /* '<' of a mouse report, or 0 */
    char final;
};

size_t keys_put(struct keys *keys, const void *bytes, size_t length)
{
    size_t room = sizeof(keys->bytes) - keys->length;

    if (length > room)
        length = room;
    memcpy(keys->bytes + keys->length, bytes, length);
    keys->length += length;
    if (length > 0)
        keys->is_final = false;
    return length;
}

int keys_wait_ms(const struct keys *keys)
{
    if (keys->is_pasting)
        return PASTE_WAIT_MS;
    return keys->length > 0 ? SEQUENCE_WAIT_MS : -1;
}

void keys_flush(struct keys *keys)
{
    keys->is_final = true;
    keys->is_pasting = false;
}

static void set_name(struct key *key, const char *name)
{
    snprintf(key->name, sizeof(key->name), "%s", name);
}

/* The keys that end in a letter, after ESC [ or ESC O (xterm's ctlseqs, VT220). */
static const char *name_of_letter(char letter)
{
    switch (letter) {
    case 'A':
        return "Up";
    case 'B':
        return "Down";
    case 'C':
        return "Right";
    case 'D':
        return "Left";
    case 'F':
        return "End";
    case 'H':
        return "Home";
    case 'M':
        return "Enter"; /* of the keypad */
    case 'P':
        return "F1";
    case 'Q':
        return "F2";
    case 'R':
        return "F3";
    case 'S':
        return "F4";
    case 'Z':
        return "BackTab";
    default:
        return "";
    }
}

/* The keys ESC [ number ~; 7 and 8 are rxvt's, 11 to 15 also those of old xterms. */
static const char *name_of_number(int number)
{
    static const char *const names[] = {
        [1] = "Home", [2] = "Insert", [3] = "Delete", [4] = "End",  [5] = "PgUp",
        [6] = "PgDn", [7] = "Home",   [8] = "End",    [11] = "F1",  [12] = "F2",
        [13] = "F3",  [14] = "F4",    [15] = "F5",    [17] = "F6",  [18] = "F7",
        [19] = "F8",  [20] = "F9",    [21] = "F10",   [23] = "F11", [24] = "F12",
    };

    if (number < 0 || (size_t)number >= sizeof(names) / sizeof(names[0]) ||
        !names[number])
        return "";
    return names[number];
}

static void set_mouse(struct key *key, int button, bool is_pressed, int x, int y)
{
    const int wheel = 64, motion = 32;

    if (!is_pressed || x < 1 || y < 1 || (button & motion))
        return;
    if (button & wheel) {
        int direction = button & 3;

        if (direction > 1) /* sideways */
            return;
        key->mouse = direction == 0 ? KEY_MOUSE_WHEEL_UP : KEY_MOUSE_WHEEL_DOWN;
    } else if ((button & 3) == 0) {
        key->mouse = KEY_MOUSE_LEFT;
    }
    key->y = y - 1;
    key->x = x - 1;
}

/* Numbers above 9999 mean nothing here and stop growing, so nothing overflows. */
static void read_parameters(struct sequence *sequence, const unsigned char *bytes,
                            size_t length)
{
    for (size_t i = 0; i < length; i++) {
        int *parameter = &sequence->parameters[sequence->n_parameters];

        if (bytes[i] >= '0' && bytes[i] <= '9' && *parameter < 1000)
            *parameter = *parameter * 10 + (bytes[i] - '0');
        else if (bytes[i] == ';' && sequence->n_parameters + 1 < PARAMETERS_MAX)
            sequence->n_parameters++;
        else if (bytes[i] == ';')
            return;
    }
}

static void set_sequence(struct keys *keys, struct key *key,
                         const struct sequence *sequence)
{
    const int *parameters = sequence->parameters;

    if (sequence->prefix == '<') {
        if (sequence->final == 'M')
            set_mouse(key, parameters[0], true, parameters[1], parameters[2]);
    } else if (sequence->prefix) {
        return;
    } else if (sequence->final == '~' && parameters[0] == 200) {
        keys->is_pasting = true;
    } else if (sequence->final == '~' && parameters[0] == 201) {
        keys->is_pasting = false;
    } else if (sequence->final == '~') {
        set_name(key, name_of_number(parameters[0]));
    } else {
        set_name(key, name_of_letter(sequence->final));
    }
}

/* An old mouse report: ESC [ M and three bytes that are 32 too large. */
static size_t decode_old_mouse(const unsigned char *bytes, size_t length, struct key *key)
{
    if (length < 6)
        return 0;
    if (bytes[3] >= 32)
        set_mouse(key, bytes[3] - 32, true, bytes[4] - 32, bytes[5] - 32);
    return 6;
}

/* After ESC [. Returns the bytes used, 0 = more must come. */
static size_t decode_control_sequence(struct keys *keys, struct key *key)
{
    const unsigned char *bytes = keys->bytes;
    struct sequence sequence = {{0}, 0, 0, 0};
    size_t at = 2;

    if (keys->length > 2 && bytes[2] == 'M')
        return decode_old_mouse(bytes, keys->length, key);
    if (keys->length > 2 && bytes[2] == '[') { /* the Linux console's F1 to F5 */
        if (keys->length > 3 && bytes[3] >= 'A' && bytes[3] <= 'E')
            snprintf(key->name, sizeof(key->name), "F%d", bytes[3] - 'A' + 1);
        return keys->length > 3 ? 4 : 0;
    }
    if (keys->length > 2 && bytes[2] >= '<' && bytes[2] <= '?')
        sequence.prefix = (char)bytes[at++];

    size_t first = at;
    while (at < keys->length && bytes[at] >= 0x20 && bytes[at] <= 0x3f)
        at++;
    if (at >= SEQUENCE_BYTES)
        return at; /* no key: dropped */
    if (at == keys->length)
        return 0;
    if (bytes[at] < 0x40 || bytes[at] > 0x7e)
        return at; /* broken off by something else, which is read next */
    sequence.final = (char)bytes[at];
    read_parameters(&sequence, bytes + first, at - first);
    set_sequence(keys, key, &sequence);
    return at + 1;
}

static size_t decode_escape(struct keys *keys, struct key *key)
{
    const unsigned char *bytes = keys->bytes;
    size_t used = 0;

    if (keys->length > 1 && bytes[1] == '[') {
        used = decode_control_sequence(keys, key);
    } else if (keys->length > 1 && bytes[1] == 'O') {
        if (keys->length > 2) {
            set_name(key, name_of_letter((char)bytes[2]));
            used = 3;
        }
    } else if (keys->length > 1 || keys->is_final) {
        set_name(key, "Esc");
        used = 1;
    }
    /* Half a sequence of which nothing more comes is no key. */
    if (used == 0 && keys->is_final)
        return keys->length;
    return used;
}

static size_t decode_control(unsigned char byte, struct key *key)
{
    if (byte == '\t')
        set_name(key, "Tab");
    else if (byte == '\r' || byte == '\n')
        set_name(key, "Enter");
    else if (byte == 0x08 || byte == 0x7f)
        set_name(key, "Backspace");
    else
        snprintf(key->name, sizeof(key->name), "^%c", byte + '@');
    return 1;
}

/* Would more bytes make it a character? */
static bool is_half_character(const unsigned char *bytes, size_t length)
{
    size_t announced = bytes[0] >= 0xf0 ? 4 : bytes[0] >= 0xe0 ? 3 : 2;

    if (bytes[0] < 0xc2 || bytes[0] > 0xf4 || length >= announced)
        return false;
    for (size_t i = 1; i < length; i++)
        if ((bytes[i] & 0xc0) != 0x80)
            return false;
    return true;
}

static size_t decode_character(const struct keys *keys, struct key *key)
{
    const char *bytes = (const char *)keys->bytes;
    struct strbuf clean = STRBUF_INIT;
    size_t used;

    if (utf8_decode(bytes, keys->length, &used) == UTF8_INVALID)
        return !keys->is_final && is_half_character(keys->bytes, keys->length) ? 0 : 1;
    utf8_clean(&clean, bytes, used);
    /* What has to be escaped cannot be typed. */
    if (clean.length == used && memcmp(strbuf_text(&clean), bytes, used) == 0) {
        memcpy(key->text, bytes, used);
        set_name(key, *bytes == ' ' ? "Space" : key->text);
    }
    strbuf_release(&clean);
    return used;
}

static size_t decode(struct keys *keys, struct key *key)
{
    unsigned char first = keys->bytes[0];

    memset(key, 0, sizeof(*key));
    key->is_pasted = keys->is_pasting;
    if (first == ESCAPE)
        return decode_escape(keys, key);
    if (first < 0x20 || first == 0x7f)
        return decode_control(first, key);
    return decode_character(keys, key);
}

bool keys_next(struct keys *keys, struct key *key)
{
    while (keys->length > 0) {
        size_t used = decode(keys, key);

        if (used == 0)
            return false;
        keys->length -= used;
        memmove(keys->bytes, keys->bytes + used, keys->length);
        if (key->name[0] != '\0' || key->mouse != KEY_MOUSE_NONE)
            return true;
    }
    return false;
}
