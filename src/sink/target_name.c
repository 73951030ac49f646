#include "sink/target_name.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct word {
    const char *text;
    size_t length;
};

static bool next_word(const char **rest, struct word *word)
{
    *rest += strspn(*rest, " ");
    word->text = *rest;
    word->length = strcspn(*rest, " ");
    *rest += word->length;
    return word->length > 0;
}

/* Without its folder, and without the colon of "gunicorn: master". */
static struct word base_of(struct word word)
{
    for (size_t i = word.length; i > 0; i--) {
        if (word.text[i - 1] != '/' || i == word.length)
            continue;
        word.length -= i;
        word.text += i;
        break;
    }
    if (word.length > 1 && word.text[word.length - 1] == ':')
        word.length--;
    return word;
}

static bool is_python(struct word word)
{
    return word.length >= 6 && !strncmp(word.text, "python", 6);
}

/* An option of the interpreter whose value is the next word. */
static bool takes_word(struct word option)
{
    return option.length == 2 && strchr("WX", option.text[1]) != NULL;
}

/* What the interpreter executes: the word after its options. */
static bool find_program(const char *rest, struct word *program)
{
    struct word word;

    while (next_word(&rest, &word)) {
        if (word.text[0] != '-') {
            *program = base_of(word);
            return true;
        }
        if (word.length == 2 && word.text[1] == 'm')
            return next_word(&rest, program);
        if (word.length == 2 && word.text[1] == 'c')
            return false;
        if (takes_word(word))
            next_word(&rest, &word);
    }
    return false;
}

const char *target_name(const char *command, char name[TARGET_NAME_MAX])
{
    struct word word;

    snprintf(name, TARGET_NAME_MAX, "python");
    if (!next_word(&command, &word))
        return name;
    word = base_of(word);
    if (is_python(word) && !find_program(command, &word))
        return name;
    snprintf(name, TARGET_NAME_MAX, "%.*s", (int)word.length, word.text);
    return name;
}
