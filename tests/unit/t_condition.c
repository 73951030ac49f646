/* Conditions of --until: what is read, what is refused, and that unknown is never true.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/builder.h"
#include "model/condition.h"
#include "model/kind.h"

static struct history *history_of(int64_t res_bytes, uint64_t n_entries)
{
    const char *name = "app.f.<locals>.Entry";
    struct kind_row row = {.kind = kind_intern(name, strlen(name)),
                           .count = n_entries,
                           .size_bytes = n_entries * 48,
                           .memory_bytes = n_entries * 64};
    struct objects_section facts = {.walk = {.method = "outside", .complete = true}};
    const struct objects_section *objects = objects_seal(&facts, &row, 1);
    struct snapshot_builder *builder = builder_new(1);
    struct history *history = history_new();
    const struct snapshot *snapshot;

    builder_process(builder)->res_bytes = reading_exact(res_bytes);
    builder_objects(builder, objects);
    snapshot = snapshot_seal(builder);
    history_add(history, snapshot);
    snapshot_unref(snapshot);
    objects_unref(objects);
    return history;
}

static bool is_met(const struct history *history, const char *text)
{
    struct condition condition;
    struct err err = ERR_INIT;
    struct reading value;

    assert_int_equal(condition_parse(&condition, text, &err), 0);
    return condition_is_met(&condition, history, &value);
}

static void compares(void **state)
{
    struct history *history = history_of(500 << 20, 1000);

    (void)state;
    assert_true(is_met(history, "res>499M"));
    assert_false(is_met(history, "res>500M"));
    assert_true(is_met(history, "res>=500M"));
    assert_true(is_met(history, " res <= 0.5G"));
    assert_false(is_met(history, "res<500M"));
    assert_true(is_met(history, "objects>999"));
    assert_true(is_met(history, "kind:app.f.<locals>.Entry>=1000"));
    assert_false(is_met(history, "kind:app.f.<locals>.Entry>1000"));
    assert_true(is_met(history, "size:app.f.<locals>.Entry > 62K"));
    assert_true(is_met(history, "kind:nobody<1")); /* all were counted */
    history_free(history);
}

static void unknown_is_never_true(void **state)
{
    struct history *history = history_of(1, 1), *empty = history_new();

    (void)state;
    assert_false(is_met(history, "swap>=0"));
    assert_false(is_met(history, "arenas<1000"));
    assert_false(is_met(history, "garbage<1M"));
    assert_false(is_met(history, "growth<1M/min"));
    assert_false(is_met(empty, "res>=0"));
    history_free(history);
    history_free(empty);
}

static void refuses(void **state)
{
    static const char *const wrong[] = {
        "",        "res",     "res>",       ">5",       "shoes>5",
        "res>5X",  "res>-5",  "res>5M/min", "kind:>5",  "res=5",
        "res>nan", "res>5 M", "growth>5/s", "kind:a.b", "res>1e300"};
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct condition condition;
        struct err err = ERR_INIT;

        assert_int_equal(condition_parse(&condition, wrong[i], &err), -1);
        assert_int_equal(err.code, ERR_USAGE);
        assert_non_null(strstr(err.remedy, "kind:KIND"));
    }
}

static void says(void **state)
{
    struct condition condition;
    struct err err = ERR_INIT;
    char words[64];

    (void)state;
    assert_int_equal(condition_parse(&condition, "growth>10M/min", &err), 0);
    condition_words(&condition, reading_exact(20 << 20), words, sizeof(words));
    assert_string_equal(words, "growth is 20.0M/min");
    assert_int_equal(condition_parse(&condition, "kind:dict>10", &err), 0);
    condition_words(&condition, reading_exact(2000), words, sizeof(words));
    assert_string_equal(words, "kind:dict is 2,000");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compares),
        cmocka_unit_test(unknown_is_never_true),
        cmocka_unit_test(refuses),
        cmocka_unit_test(says),
    };

    return cmocka_run_group_tests_name("condition", tests, NULL, NULL);
}
