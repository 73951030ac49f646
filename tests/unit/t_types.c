/* Types found in memory: names, shapes, and what is no type. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "fake_heap.h"

struct fixture {
    struct fake_heap *fake;
    struct types types;
};

static int setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));

    f->fake = fake_heap_new();
    types_init(&f->types, f->fake->reader, &f->fake->layout.object, f->fake->type, 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    types_release(&f->types);
    fake_heap_free(f->fake);
    test_free(f);
    return 0;
}

static const char *name_of(struct fixture *f, uint64_t address)
{
    const struct type_entry *entry = types_get(&f->types, address);

    return entry ? entry->kind->name : "(no type)";
}

static void test_names(void **state)
{
    struct fixture *f = *state;
    struct fake_heap *fake = f->fake;

    assert_string_equal(name_of(f, fake->str), "str");
    assert_string_equal(name_of(f, fake->type), "type");
    assert_string_equal(name_of(f, fake_class(fake, "app.cache", "Entry", 16, 0)),
                        "app.cache.Entry");
    assert_string_equal(
        name_of(f, fake_class(fake, "app", "Outer.<locals>.Inner", 16, 0)),
        "app.Outer.<locals>.Inner");
    assert_string_equal(name_of(f, fake_class(fake, "builtins", "Thing", 16, 0)),
                        "Thing");
    /* Without __module__ the name in the type's own struct has to do. */
    assert_string_equal(name_of(f, fake_class(fake, NULL, "Bare", 16, 0)), "Bare");
    assert_string_equal(name_of(f, fake_static_type(fake, "builtins.odd", 16, 0, 0)),
                        "odd");
    assert_string_equal(name_of(f, fake_static_type(fake, "numpy.ndarray", 96, 0, 0)),
                        "numpy.ndarray");
}

/* A str of two-byte characters, the name of a class in another alphabet. */
static void test_wide_name(void **state)
{
    struct fixture *f = *state;
    struct fake_heap *fake = f->fake;
    uint64_t class = fake_class(fake, "app", "xx", 16, 0);
    uint64_t name = fake_get(fake, class + fake->layout.object.ht_qualname);
    uint64_t wide = fake_malloc(fake, 80);

    fake_object(fake, wide, fake->str);
    fake_u64(fake, wide + 16, 2);
    fake_u32(fake, wide + 32, 2u << 2 | 1u << 5);
    fake_u32(fake, wide + 72, 0x0436u | 0x044fu << 16);
    fake_u64(fake, class + fake->layout.object.ht_qualname, wide);
    assert_string_equal(name_of(f, class), "app.\xd0\xb6\xd1\x8f");
    assert_true(name != wide);
}

static void test_hostile_names(void **state)
{
    struct fixture *f = *state;
    struct fake_heap *fake = f->fake;
    uint64_t qualname = fake->layout.object.ht_qualname, class;
    const uint64_t wild[] = {0, 8, UINT64_MAX, FAKE_STATICS + FAKE_STATICS_BYTES - 8};

    for (size_t i = 0; i < sizeof(wild) / sizeof(wild[0]); i++) {
        class = fake_class(fake, "app", "Fallback", 16, 0);
        fake_u64(fake, class + qualname, wild[i]);
        assert_string_equal(name_of(f, class), "app.Fallback");
    }
    /* A length that no name has. */
    class = fake_class(fake, "app", "Long", 16, 0);
    fake_u64(fake, fake_get(fake, class + qualname) + 16, UINT64_MAX);
    assert_string_equal(name_of(f, class), "app.Long");
    /* A dict whose keys table claims to be endless. */
    class = fake_class(fake, "app", "Keys", 16, 0);
    fake_u64(fake, fake_get(fake, fake_get(fake, class + 264) + 32) + 8, 0xffff);
    assert_string_equal(name_of(f, class), "Keys");
    /* Control characters never reach a screen. */
    class = fake_class(fake, "app", "x\x1b[2Jy", 16, 0);
    assert_string_equal(name_of(f, class), "app.x\\x1b[2Jy");
    assert_string_equal(name_of(f, fake_static_type(fake, "", 16, 0, 0)), "(no type)");
}

/* As it was compiled: neither ready, nor with a base or a dict. */
static void test_never_ready(void **state)
{
    struct fixture *f = *state;
    struct fake_heap *fake = f->fake;
    const struct object_layout *layout = &fake->layout.object;
    const struct {
        uint16_t at;
        uint64_t value;
        const char *name;
    } rows[] = {
        {layout->tp_flags, 0, "fortran"},
        {layout->tp_flags, TYPE_FLAG_VERSION_TAG, "fortran"},
        {layout->tp_flags, TYPE_FLAG_HEAP, "(no type)"},
        {layout->tp_base, fake->object, "(no type)"},
        {layout->tp_dict, FAKE_HEAP + 64, "(no type)"},
        {layout->ob_type, fake->list, "(no type)"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t type = fake_static_type(fake, "fortran", 40, 0, 0);

        fake_u64(fake, type + layout->tp_flags, 0);
        fake_u64(fake, type + layout->tp_base, 0);
        fake_u64(fake, type + layout->tp_dict, 0);
        fake_u64(fake, type + rows[i].at, rows[i].value);
        assert_string_equal(name_of(f, type), rows[i].name);
    }
}

static void test_shapes(void **state)
{
    struct fixture *f = *state;
    struct fake_heap *fake = f->fake;
    const struct type_entry *entry;
    uint64_t class;

    assert_int_equal(types_get(&f->types, fake->str)->shape.prefix, 0);
    assert_int_equal(types_get(&f->types, fake->tuple)->shape.prefix, 16);
    class = fake_class(fake, "app", "Thing", 24, TYPE_FLAG_MANAGED_DICT);
    entry = types_get(&f->types, class);
    assert_int_equal(entry->shape.prefix, 32);
    assert_int_equal(entry->constant_size, 32 + 24);
    assert_int_equal(entry->type_at, 40);
    assert_true(entry->is_heap && entry->size_is_constant && entry->fits_is_constant);
    /* A subclass of set is sized as a set: found by the name of its base. */
    class = fake_class(fake, "app", "MySet", 216, 0);
    fake_u64(fake, class + fake->layout.object.tp_base,
             fake_static_type(fake, "set", 200, 0, TYPE_FLAG_HAVE_GC));
    assert_int_equal(types_get(&f->types, class)->shape.rule, OBJECT_SET);
    /* A class that is merely called "set" is none. */
    class = fake_class(fake, "app", "set", 32, 0);
    assert_int_equal(types_get(&f->types, class)->shape.rule, OBJECT_FIXED);
}

static void test_bases_in_a_circle(void **state)
{
    struct fixture *f = *state;
    struct fake_heap *fake = f->fake;
    uint64_t base = fake->layout.object.tp_base;
    uint64_t one = fake_class(fake, "app", "One", 16, 0);
    uint64_t other = fake_class(fake, "app", "Other", 16, 0);

    fake_u64(fake, one + base, other);
    fake_u64(fake, other + base, one);
    assert_string_equal(name_of(f, one), "app.One");
    /* Metatypes in a circle lead nowhere: no type. */
    fake_u64(fake, one + 8, other);
    fake_u64(fake, other + 8, one);
    types_forget(&f->types);
    assert_null(types_get(&f->types, one));
}

/* A class that came while types were looked at is in pages that were read before it. */
static void test_late_class(void **state)
{
    struct fixture *f = *state;
    struct fake_heap *fake = f->fake;
    uint64_t class = fake_class(fake, "app", "Early", 16, 0);
    uint64_t flags = class + fake->layout.object.tp_flags;

    assert_string_equal(name_of(f, class), "app.Early");
    class = fake_class(fake, "app", "Late", 16, 0);
    assert_string_equal(name_of(f, class), "app.Late");
    /* One that was changed is seen by the walk that begins next. */
    fake_u64(fake, flags, 0);
    types_begin_walk(&f->types);
    assert_string_equal(name_of(f, class), "app.Late");
    assert_int_equal(f->types.n_entries, 1);
}

/* Neighbours are read together. */
static void test_reads(void **state)
{
    struct fixture *f = *state;
    uint64_t classes[16], calls;

    for (int i = 0; i < 16; i++)
        classes[i] = fake_class(f->fake, "app", "Next", 16, 0);
    calls = f->fake->reader->calls;
    for (int i = 0; i < 16; i++)
        assert_string_equal(name_of(f, classes[i]), "app.Next");
    /* Their pages, and once "__module__" among the keys. */
    assert_in_range(f->fake->reader->calls - calls, 1, 4 * 16);
}

static void test_metaclass(void **state)
{
    struct fixture *f = *state;
    struct fake_heap *fake = f->fake;
    uint64_t meta = fake_class(fake, "abc", "ABCMeta", 904, TYPE_FLAG_TYPE);
    uint64_t class = fake_class(fake, "app", "Abstract", 16, 0);

    fake_u64(fake, class + 8, meta);
    assert_string_equal(name_of(f, class), "app.Abstract");
    assert_int_equal(types_get(&f->types, meta)->shape.rule, OBJECT_TYPE);
}

/* What is no type is remembered for one walk only. */
static void test_begin_walk(void **state)
{
    struct fixture *f = *state;
    struct fake_heap *fake = f->fake;
    uint64_t flags = fake->layout.object.tp_flags;
    uint64_t class = fake_class(fake, "app", "Late", 16, 0);
    uint64_t ready = fake_get(fake, class + flags);

    fake_u64(fake, class + flags, 0);
    assert_null(types_get(&f->types, class));
    fake_u64(fake, class + flags, ready);
    assert_null(types_get(&f->types, class));
    types_begin_walk(&f->types);
    assert_string_equal(name_of(f, class), "app.Late");
    types_begin_walk(&f->types);
    assert_non_null(types_get(&f->types, class));
    fake_u64(fake, class + flags, 0);
    types_begin_walk(&f->types);
    assert_null(types_get(&f->types, class));
}

/* More addresses than the table has room for at first. */
static void test_many_addresses(void **state)
{
    struct fixture *f = *state;

    for (uint64_t i = 0; i < 100000; i++)
        assert_null(types_get(&f->types, FAKE_STATICS + (64 << 20) + i * 8));
    assert_string_equal(name_of(f, f->fake->str), "str");
    assert_false(f->types.is_full);
}

int main(void)
{
#define POINT(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        POINT(test_names),          POINT(test_never_ready),
        POINT(test_wide_name),      POINT(test_hostile_names),
        POINT(test_shapes),         POINT(test_bases_in_a_circle),
        POINT(test_metaclass),      POINT(test_late_class),
        POINT(test_reads),          POINT(test_begin_walk),
        POINT(test_many_addresses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
