/* Any bytes typed, in pieces: the decoder takes all of them, and the prompt that gets
 * its keys stays whole characters of clean text. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "tui/keys.h"
#include "tui/prompt.h"
#include "util/utf8.h"

static void demand(bool condition)
{
    if (!condition)
        abort();
}

static void check_prompt(const struct prompt *prompt)
{
    struct strbuf clean = STRBUF_INIT;
    size_t length = strlen(prompt->text);

    demand(length < sizeof(prompt->text) && prompt->cursor <= length);
    demand(((unsigned char)prompt->text[prompt->cursor] & 0xc0) != 0x80);
    utf8_clean(&clean, prompt->text, length);
    demand(strcmp(strbuf_text(&clean), prompt->text) == 0);
    strbuf_release(&clean);
}

static void take(struct keys *keys, struct prompt *prompt)
{
    struct key key;

    while (keys_next(keys, &key)) {
        demand(memchr(key.name, '\0', sizeof(key.name)) != NULL);
        demand(memchr(key.text, '\0', sizeof(key.text)) != NULL);
        demand(key.name[0] || key.mouse != KEY_MOUSE_NONE);
        demand(key.y >= 0 && key.x >= 0);
        prompt_key(prompt, &key);
        check_prompt(prompt);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct keys keys;
    struct prompt prompt;

    memset(&keys, 0, sizeof(keys));
    prompt_init(&prompt, "", "");
    for (size_t at = 0; at < size;) {
        size_t piece = 1 + data[at] % 7;
        size_t taken = keys_put(&keys, data + at, piece < size - at ? piece : size - at);

        demand(taken > 0);
        at += taken;
        take(&keys, &prompt);
        if (data[at - 1] % 16 == 0)
            keys_flush(&keys);
    }
    keys_flush(&keys);
    take(&keys, &prompt);
    demand(keys.length == 0 && keys_wait_ms(&keys) == -1);
    return 0;
}

size_t fuzz_seed(uint8_t *buffer, size_t size)
{
    static const char seed[] =
        "q\x1b[A\x1b[1;5C\x1bOP\x1b[[A\x1b[20~\x1b[<0;12;5M\x1b[<64;1;1m\x1b[M !\""
        "\x1b[200~pasted\x1b[201~\u6f22e\u0301\x7f\x15\t\r\x1b\x1b[Z\x1b[3~x\x17";

    if (size < sizeof(seed) - 1)
        return 0;
    memcpy(buffer, seed, sizeof(seed) - 1);
    return sizeof(seed) - 1;
}
