/* Answers to inquiries that nobody made. */
#include "tests/lib/fixture.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/duplicates.h"
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
    detail->answer = (struct answer){*inquiry, fixture_pass(), NULL};
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
    duplicates->answer = (struct answer){*inquiry, fixture_pass(), NULL};
    return &duplicates->answer;
}

struct answer *fixture_answer(const struct inquiry *inquiry)
{
    if (!strcmp(inquiry->topic, INQUIRY_KIND))
        return fixture_kind(inquiry);
    if (!strcmp(inquiry->topic, INQUIRY_DUPLICATES))
        return fixture_duplicates(inquiry);
    return NULL;
}
