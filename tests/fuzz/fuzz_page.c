/*
 * What a session believes of the agent's page, whatever stands there: numbers in their
 * range, texts clean and ended, lists bounded.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "attach/session_private.h"
#include "fuzz.h"
#include "util/utf8.h"

#define PAGE_FILE_BYTES ((sizeof(struct agent_page) + 4095) & ~(size_t)4095)
#define NUMBER_END      (INT64_C(1) << 53)

static void demand(bool condition)
{
    if (!condition)
        abort();
}

static void check_number(int64_t value)
{
    demand(value >= -1 && value < NUMBER_END);
}

/* Cleaning what is clean changes nothing. */
static void check_text(const char *text, size_t size)
{
    struct strbuf again = STRBUF_INIT;
    size_t length = strnlen(text, size);

    demand(length < size);
    utf8_clean(&again, text, length);
    demand(strlen(strbuf_text(&again)) == length);
    strbuf_release(&again);
}

static void check_counters(struct session *session)
{
    struct agent_counters counters;

    if (!session_counters(session, &counters))
        return;
    check_number(counters.published_ns);
    check_number(counters.gil_wait_ns);
    check_number(counters.gil_held_ns);
    check_number(counters.allocated_blocks);
    check_number(counters.gc_frozen);
    demand(counters.gc_enabled >= -1 && counters.gc_enabled <= 1);
    for (int i = 0; i < AGENT_GENERATIONS; i++) {
        check_number(counters.generations[i].count);
        check_number(counters.generations[i].threshold);
        check_number(counters.generations[i].collections);
        check_number(counters.generations[i].collected);
        check_number(counters.generations[i].uncollectable);
    }
    check_text(counters.allocator, sizeof(counters.allocator));
    check_text(counters.version, sizeof(counters.version));
}

static void check_answer(struct session *session)
{
    struct agent_answer answer;

    if (!session_answer(session, 0, &answer))
        return;
    demand(answer.status >= 0 && answer.status <= AGENT_STATUS_UNAVAILABLE);
    check_number(answer.value);
    check_number(answer.elapsed_ns);
    check_number(answer.gil_wait_ns);
    check_number(answer.gil_held_ns);
    check_number(answer.uncollectable);
    for (int i = 0; i < AGENT_ARGUMENTS; i++) {
        check_number(answer.before[i]);
        check_number(answer.after[i]);
    }
}

static void check_pauses(struct session *session, uint32_t seen)
{
    static struct agent_pause pauses[AGENT_PAUSES];
    uint32_t count = session_pauses(session, &seen, pauses, AGENT_PAUSES);

    demand(count <= AGENT_PAUSES);
    for (uint32_t i = 0; i < count; i++) {
        demand(pauses[i].began_ns >= 0 && pauses[i].ended_ns >= pauses[i].began_ns);
        demand(pauses[i].ended_ns < INT64_C(1) << 61);
        demand(pauses[i].generation >= 0 && pauses[i].generation < AGENT_GENERATIONS);
        check_number(pauses[i].collected);
        check_number(pauses[i].uncollectable);
    }
}

/* The page is mapped once, as by a session, and filled anew for each input. */
static struct session *open_session(void)
{
    static struct session session;
    struct err err = ERR_INIT;
    int fd;

    if (session.is_connected)
        return &session;
    fd = memfd_create("fuzz_page", MFD_CLOEXEC);
    if (fd < 0 || ftruncate(fd, (off_t)PAGE_FILE_BYTES) != 0 ||
        channel_open_shared(&session.channel, fd, &err) != 0)
        abort();
    close(fd);
    session.is_connected = true;
    return &session;
}

/* Four bytes say what the session has seen and asked, the rest is the page. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct session *session = open_session();
    struct agent_page *page = session->channel.shared;
    uint32_t before = 0;

    if (size >= sizeof(before)) {
        memcpy(&before, data, sizeof(before));
        data += sizeof(before);
        size -= sizeof(before);
    }
    if (size > sizeof(*page))
        size = sizeof(*page);
    memset(page, 0, sizeof(*page));
    memcpy(page, data, size);
    /* An answer to what was asked is what is looked at; mostly. */
    session->asked = before & 1 ? page->answer.number : before;
    if (before & 1)
        page->answered = session->asked;
    check_counters(session);
    check_answer(session);
    check_pauses(session, before);
    check_pauses(session, page->pauses_written - (before & 0xff));
    return 0;
}

/* What an honest agent may have written. */
size_t fuzz_seed(uint8_t *buffer, size_t size)
{
    struct agent_page page = {.magic = AGENT_MAGIC,
                              .version = AGENT_PROTOCOL_VERSION,
                              .life = AGENT_LIFE_READY,
                              .sequence = 2,
                              .pauses_written = 3,
                              .answer = {.number = 1, .value = 7, .elapsed_ns = 1000}};
    uint32_t before = 3;

    if (size < sizeof(before) + sizeof(page))
        return 0;
    snprintf(page.counters.allocator, sizeof(page.counters.allocator), "pymalloc");
    snprintf(page.counters.version, sizeof(page.counters.version), "3.11.2");
    for (int i = 0; i < 3; i++)
        page.pauses[i] = (struct agent_pause){.began_ns = 10 * i, .ended_ns = 10 * i + 5};
    memcpy(buffer, &before, sizeof(before));
    memcpy(buffer + sizeof(before), &page, sizeof(page));
    return sizeof(before) + sizeof(page);
}
