/* commands.def: no key twice, every name and key found, key names that exist. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "tui/command.h"

typedef void key_visitor(const struct command *command, const char *key);

static void each_key(key_visitor *visit)
{
    for (size_t i = COMMAND_NONE + 1; i < COMMAND_COUNT; i++) {
        const char *at = commands[i].keys;

        while (*at) {
            size_t length = strcspn(at, " ");
            char key[32];

            assert_true(length > 0 && length < sizeof(key));
            memcpy(key, at, length);
            key[length] = '\0';
            visit(&commands[i], key);
            at += length;
            at += strspn(at, " ");
        }
    }
}

static void is_found(const struct command *command, const char *key)
{
    assert_int_equal(command_of_key(key), command->id);
}

static void is_a_key_name(const struct command *command, const char *key)
{
    static const char *const names[] = {
        "Space", "Tab",  "BackTab", "Enter", "Esc",  "Backspace", "Up",
        "Down",  "Left", "Right",   "PgUp",  "PgDn", "Home",      "End",
    };
    (void)command;

    if (key[1] == '\0' || (key[0] == '^' && key[2] == '\0') || key[0] == 'F')
        return;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(names[i], key) == 0)
            return;
    fail_msg("%s is no key name", key);
}

static void test_keys(void **state)
{
    (void)state;
    each_key(is_found); /* fails for the second command of a key */
    each_key(is_a_key_name);
}

static void test_names(void **state)
{
    (void)state;
    for (size_t i = COMMAND_NONE + 1; i < COMMAND_COUNT; i++) {
        for (size_t other = COMMAND_NONE + 1; other < i; other++)
            assert_string_not_equal(commands[other].name, commands[i].name);
        assert_true(commands[i].help && commands[i].help[0]);
    }
    assert_int_equal(command_of_key(""), COMMAND_NONE);
    assert_int_equal(command_of_key("F1 h"), COMMAND_NONE);
    assert_int_equal(command_of_key("c"), COMMAND_COLLECT);
    assert_int_equal(command_of_key("C"), COMMAND_ACTIONS);
    assert_int_equal(command_of_key("Y"), COMMAND_NONE);
}

/* Only what acts on the target may carry the flag, and it does. */
static void test_flags(void **state)
{
    (void)state;
    for (size_t i = COMMAND_NONE + 1; i < COMMAND_COUNT; i++)
        assert_int_equal((commands[i].flags & COMMAND_ACTS) != 0,
                         i == COMMAND_COLLECT || i == COMMAND_ACTIONS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_flags),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
