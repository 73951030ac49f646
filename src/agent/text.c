/*
 * The text that a command answers with. It stays in the target's memory until the next
 * such command, and heaptop reads it from there: the answer says where and how long it
 * is.
 */
#include "agent/agent.h"

static struct {
    char *bytes; /* AGENT_TEXT_BYTES, or NULL */
    size_t length;
    bool is_cut;
} text;

bool agent_text_begin(void)
{
    if (!text.bytes)
        text.bytes = agent_map(AGENT_TEXT_BYTES);
    text.length = 0;
    text.is_cut = false;
    return text.bytes != NULL;
}

void agent_text_add(const char *more, size_t length)
{
    if (length > AGENT_TEXT_BYTES - text.length) {
        text.is_cut = true;
        length = AGENT_TEXT_BYTES - text.length;
    }
    for (size_t i = 0; i < length; i++)
        text.bytes[text.length++] = more[i];
}

void agent_text_words(const char *words)
{
    size_t length = 0;

    while (words && words[length])
        length++;
    agent_text_add(words, length);
}

void agent_text_number(uint64_t number)
{
    char digits[20];
    size_t at = sizeof(digits);

    do
        digits[--at] = (char)('0' + number % 10);
    while (number /= 10);
    agent_text_add(digits + at, sizeof(digits) - at);
}

void agent_text_end(struct agent_answer *answer)
{
    answer->value = (int64_t)(uintptr_t)text.bytes;
    answer->before[0] = (int64_t)text.length;
    answer->before[1] = text.is_cut;
}

void agent_text_close(void)
{
    if (text.bytes)
        agent_unmap((uintptr_t)text.bytes, AGENT_TEXT_BYTES);
    text.bytes = NULL;
}
