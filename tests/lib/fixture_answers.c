/* Answers to inquiries that nobody made. */
#include "tests/lib/fixture.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/born.h"
#include "model/duplicates.h"
#include "model/holders.h"
#include "model/kind.h"
#include "model/kind_detail.h"
#include "util/clock.h"

#define PASS_WALL INT64_C(1795442550) /* seconds */

static struct walk_facts fixture_pass(void)
{
    return (struct walk_facts){.method = "outside",
                               .ended_wall_ns = PASS_WALL * NS_PER_S,
                               .wall_ns = 910 * NS_PER_MS,
                               .read_bytes = UINT64_C(71) << 20,
                               .complete = true};
}

static struct answer *fixture_kind(const struct inquiry *inquiry)
{
    struct kind_detail *detail = calloc(1, sizeof(*detail));

    assert(detail);
    for (uint64_t i = 0; i < 4000; i++) {
        struct detail_instance instance = {
            .address = UINT64_C(0x7f3a10c04000) + i * 96,
            .size_bytes = 48 + i % 7 * 40 + (i % 1000 == 0) * 70000,
            .refcount = (uint32_t)(1 + i % 3 + (i % 500 == 0) * 4000)};

        instance.memory_bytes = (instance.size_bytes + 15) / 16 * 16 + 16;
        kind_detail_add(detail, &instance);
    }
    snprintf(detail->instances[0].value, DETAIL_VALUE, "'\\x1b[2J r\u00e9sum\u00e9'");
    detail->tracked = 4000;
    detail->generations[0] = reading_exact(17);
    detail->generations[1] = reading_exact(302);
    detail->generations[2] = (struct reading){3681, READING_ESTIMATE};
    detail->frozen = reading_exact(0);
    detail->class = (struct detail_class){.storage = STORAGE_VALUES,
                                          .attributes = 5,
                                          .dicts = 12,
                                          .slotted_bytes = 80,
                                          .saves_bytes = {204800, READING_ESTIMATE}};
    detail->answer.inquiry = *inquiry;
    detail->answer.walk = fixture_pass();
    return &detail->answer;
}

static struct answer *fixture_duplicates(const struct inquiry *inquiry)
{
    static const char *const kinds[] = {"str", "bytes", "int"};
    struct duplicates *duplicates = calloc(1, sizeof(*duplicates));

    assert(duplicates);
    for (uint64_t i = 0; i < 40; i++) {
        const char *kind = kinds[i % 3];
        struct duplicate_row row = {.kind = kind_intern(kind, strlen(kind)),
                                    .address = UINT64_C(0x7f3a10c04000) + i * 64,
                                    .count = 4000 / (i + 1) + 2,
                                    .value_bytes = reading_exact((int64_t)i * 3)};

        row.memory_bytes = row.count * (64 + i);
        row.wasted_bytes = row.memory_bytes - 64 - i;
        snprintf(row.value, sizeof(row.value), i % 3 ? "b'%d'" : "'value %d'", (int)i);
        duplicates_kind(duplicates, row.kind)->objects += row.count * 3;
        duplicates_add(duplicates, &row);
    }
    duplicates->answer.inquiry = *inquiry;
    duplicates->answer.walk = fixture_pass();
    return &duplicates->answer;
}

static struct answer *fixture_holders(const struct inquiry *inquiry)
{
    struct holders *holders = holders_new();

    assert(holders);
    for (uint64_t i = 0; i < 300; i++) {
        holders_add(holders, "app.Entry.children", NULL, 3,
                    UINT64_C(0x7f3a10c04000) + i * 96, false);
        if (i % 3 == 0)
            holders_add(holders, "list in app.Cache._items", NULL, 40,
                        UINT64_C(0x7f3a10d00000) + i * 64, false);
    }
    holders_add(holders, "dict of module app, key LEAK", NULL, 3800,
                UINT64_C(0x7f3a0f001000), true);
    holders_add(holders, "tuple", NULL, 12, UINT64_C(0x7f3a0f002000), false);
    holders_sort(holders);
    holders->objects = 4000;
    holders->held = 3992;
    snprintf(holders->of, sizeof(holders->of), "%s", "app.Entry");
    holders->answer.inquiry = *inquiry;
    holders->answer.walk = fixture_pass();
    return &holders->answer;
}

static struct answer *fixture_born(const struct inquiry *inquiry)
{
    static const char *const kinds[] = {"dict of app.Session", "app.Session", "str",
                                        "list"};
    const struct object_set then = {0};
    struct born *born = born_new();

    assert(born);
    for (uint64_t i = 0; i < 9000; i++)
        born_add(born, kind_intern(kinds[i % 4], strlen(kinds[i % 4])),
                 UINT64_C(0x7f3a10c04000) + i * 64, 64 + i % 4 * 48,
                 i % 50    ? BIRTH_NEW
                 : i % 100 ? BIRTH_NEW_INFERRED
                           : BIRTH_OLD);
    born_end(born, &then);
    born->marked_wall_ns = (PASS_WALL - 90) * NS_PER_S;
    born->then = 61000;
    born->now = 69910;
    born->answer.inquiry = *inquiry;
    born->answer.walk = fixture_pass();
    return &born->answer;
}

struct answer *fixture_answer(const struct inquiry *inquiry)
{
    if (!strcmp(inquiry->topic, INQUIRY_KIND))
        return fixture_kind(inquiry);
    if (!strcmp(inquiry->topic, INQUIRY_DUPLICATES))
        return fixture_duplicates(inquiry);
    if (!strcmp(inquiry->topic, INQUIRY_HOLDERS))
        return fixture_holders(inquiry);
    if (!strcmp(inquiry->topic, INQUIRY_BORN))
        return fixture_born(inquiry);
    return NULL;
}
