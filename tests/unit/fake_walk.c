#include "fake_walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

const struct objects_section *fake_walk(struct walk *walk)
{
    const struct objects_section *section;
    struct err err = ERR_INIT;

    assert_int_equal(walk_begin(walk, &err), 0);
    assert_true(walk_step(walk, 0));
    section = walk_finish(walk);
    assert_non_null(section);
    for (size_t i = 0; i < WALK_WORKERS_MAX; i++)
        assert_null(walk->workers[i].window); /* others may have it */
    return section;
}

struct kind_row fake_row(const struct objects_section *section, const char *name)
{
    for (size_t i = 0; i < section->n_kinds; i++)
        if (!strcmp(section->kinds[i].kind->name, name))
            return section->kinds[i];
    return (struct kind_row){.kind = NULL};
}
