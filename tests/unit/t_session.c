/* What a target that lies may write into the agent's page, and what is believed of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "attach/session_private.h"

#define PAGE_FILE_BYTES 65536

struct lie {
    struct session session;
    struct agent_page *page; /* as the target sees it */
};

static int begin(void **state)
{
    static struct lie lie;
    struct err err = ERR_INIT;
    int fd = memfd_create("t_session", MFD_CLOEXEC);

    memset(&lie, 0, sizeof(lie));
    if (fd < 0 || ftruncate(fd, PAGE_FILE_BYTES) ||
        channel_open_shared(&lie.session.channel, fd, &err))
        return -1;
    lie.page = mmap(NULL, PAGE_FILE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    lie.session.is_connected = true;
    *state = &lie;
    return lie.page == MAP_FAILED ? -1 : 0;
}

static int end(void **state)
{
    struct lie *lie = *state;

    channel_close(&lie->session.channel);
    return munmap(lie->page, PAGE_FILE_BYTES);
}

static void counters_are_bounded(void **state)
{
    struct lie *lie = *state;
    struct agent_counters counters;

    assert_false(session_counters(&lie->session, &counters));
    memset(&lie->page->counters, 0x7f, sizeof(lie->page->counters));
    memcpy(lie->page->counters.allocator, "\x1b[2J", 5);
    lie->page->counters.gc_enabled = 7;
    lie->page->counters.generations[1].count = INT64_MIN;
    lie->page->counters.generations[2].count = 12;
    lie->page->sequence = 3;
    assert_false(session_counters(&lie->session, &counters));
    lie->page->sequence = 4;
    assert_true(session_counters(&lie->session, &counters));
    assert_int_equal(counters.allocated_blocks, -1);
    assert_int_equal(counters.gc_enabled, 1);
    assert_int_equal(counters.generations[0].collected, -1);
    assert_int_equal(counters.generations[1].count, -1);
    assert_int_equal(counters.generations[2].count, 12);
    assert_string_equal(counters.allocator, "\\x1b[2J");
    assert_true(strlen(counters.version) < sizeof(counters.version));
    assert_null(strchr(counters.version, '\x7f'));
}

static void absurd_pauses_are_left_out(void **state)
{
    static const struct agent_pause lies[] = {
        {.began_ns = INT64_MIN, .ended_ns = INT64_MAX, .generation = 2},
        {.began_ns = 20, .ended_ns = 10, .generation = 2},
        {.began_ns = INT64_MAX - 5, .ended_ns = INT64_MAX, .generation = 2},
        {.began_ns = 10, .ended_ns = 20, .generation = 3},
        {.began_ns = 10, .ended_ns = 20, .generation = -1},
        {.began_ns = 10, .ended_ns = 20, .generation = 2, .collected = INT64_MAX},
    };
    struct lie *lie = *state;
    struct agent_pause pauses[AGENT_PAUSES];
    uint32_t seen = 0;

    memcpy(lie->page->pauses, lies, sizeof(lies));
    lie->page->pauses_written = 6;
    assert_int_equal(session_pauses(&lie->session, &seen, pauses, AGENT_PAUSES), 1);
    assert_int_equal(seen, 6);
    assert_int_equal(pauses[0].ended_ns, 20);
    assert_int_equal(pauses[0].collected, -1);
    lie->page->pauses_written = UINT32_MAX;
    assert_true(session_pauses(&lie->session, &seen, pauses, AGENT_PAUSES) <=
                AGENT_PAUSES);
    assert_int_equal(seen, UINT32_MAX);
}

static void answers_are_bounded(void **state)
{
    struct lie *lie = *state;
    struct agent_answer answer;

    session_send(&lie->session, AGENT_COLLECT, (const int64_t[]){2, -1, -1});
    assert_false(session_answer(&lie->session, 0, &answer));
    lie->page->answer = (struct agent_answer){.number = 7, .status = 99};
    lie->page->answered = 1;
    assert_false(session_answer(&lie->session, 0, &answer));
    lie->page->answer = (struct agent_answer){.number = 1,
                                              .status = 99,
                                              .value = INT64_MIN,
                                              .elapsed_ns = INT64_MAX,
                                              .gil_held_ns = INT64_MIN,
                                              .uncollectable = 3,
                                              .before = {INT64_MIN, 10, 10},
                                              .after = {700, INT64_MAX, 0}};
    assert_true(session_answer(&lie->session, 0, &answer));
    assert_int_equal(answer.status, AGENT_STATUS_PYTHON_ERROR);
    assert_int_equal(answer.value, -1);
    assert_int_equal(answer.elapsed_ns, -1);
    assert_int_equal(answer.gil_held_ns, -1);
    assert_int_equal(answer.uncollectable, 3);
    assert_int_equal(answer.before[0], -1);
    assert_int_equal(answer.before[1], 10);
    assert_int_equal(answer.after[0], 700);
    assert_int_equal(answer.after[1], -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(counters_are_bounded, begin, end),
        cmocka_unit_test_setup_teardown(absurd_pauses_are_left_out, begin, end),
        cmocka_unit_test_setup_teardown(answers_are_bounded, begin, end),
    };

    return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
