/*
 * The agent's life: connect, get into Python, answer commands, leave no trace.
 */
#include "agent/agent.h"

#define NS_PER_MS INT64_C(1000000)

/* How long the agent waits for an interpreter that is still starting; in a program
 * that heaptop started, as long as that takes. */
#define START_WAIT_NS (3000 * NS_PER_MS)
#define IDLE_NS       (500 * NS_PER_MS)
#define POLL_NS       (20 * NS_PER_MS) /* restricted: nobody can wake the futex */

struct agent agent;

/* Filled by the injector before the first instruction runs. By its other name it is the
 * one symbol that is exported: inside it needs no entry in a table that is relocated. */
struct agent_place agent_place = {.image = 1};
extern struct agent_place agent_exported_place
    __attribute__((visibility("default"), alias("agent_place")));

static void set_life(enum agent_life life)
{
    __atomic_store_n(&agent.page->life, (uint32_t)life, __ATOMIC_RELEASE);
    agent_wake(&agent.page->answered);
}

static void take_functions(void)
{
    void (**to)(void) = (void (**)(void)) & agent.python;

    for (int i = 0; i < AGENT_PYTHON_COUNT; i++)
        to[i] = (void (*)(void))(uintptr_t)agent_place.python[i];
}

static enum agent_reason wait_for_python(void)
{
    int64_t began = agent_now_ns();

    while (!agent.python.Py_IsInitialized()) {
        if (agent_client_is_gone())
            return AGENT_REASON_CLIENT_GONE;
        if (!agent_place.page && agent_now_ns() - began > START_WAIT_NS)
            return AGENT_REASON_NOT_INITIALIZED;
        agent_wait(&agent.page->asked, 0, POLL_NS, agent.page_is_shared);
    }
    return agent_python_may_be_used() ? AGENT_REASON_NONE : AGENT_REASON_FINALIZING;
}

static struct agent_answer no_answer(uint32_t number)
{
    struct agent_answer answer = {.number = number, .status = AGENT_STATUS_OK};

    answer.value = answer.uncollectable = -1;
    for (int i = 0; i < AGENT_ARGUMENTS; i++)
        answer.before[i] = answer.after[i] = -1;
    return answer;
}

/* Runs the newest command. Returns false when it was the last one. */
static bool run(uint32_t number)
{
    struct agent_page *page = agent.page;
    struct agent_answer answer = no_answer(number);
    uint32_t command = page->command;

    for (size_t i = 0; i + 1 < sizeof(agent.question); i++) /* the last one stays 0 */
        agent.question[i] = page->question[i];

    switch (command) {
    case AGENT_LEAVE:
        return false;
#define AGENT_COMMAND(name, function)       \
    case AGENT_##name:                      \
        function(page->arguments, &answer); \
        break;
#include "agent/commands.def"
#undef AGENT_COMMAND
    default:
        answer.status = AGENT_STATUS_UNKNOWN_COMMAND;
        break;
    }
    page->answer = answer;
    __atomic_store_n(&page->answered, number, __ATOMIC_RELEASE);
    agent_wake(&page->answered);
    return true;
}

/* A copy is waited for soon after its end. */
static int64_t idle_ns(void)
{
    return agent.page_is_shared && !agent.copy_pid ? IDLE_NS : POLL_NS;
}

static enum agent_reason serve(void)
{
    struct agent_page *page = agent.page;
    uint32_t done = 0;

    for (;;) {
        uint32_t asked = __atomic_load_n(&page->asked, __ATOMIC_ACQUIRE);

        if (agent_client_is_gone())
            return AGENT_REASON_CLIENT_GONE;
        if (!agent_python_may_be_used())
            return AGENT_REASON_FINALIZING;
        agent_copy_look();
        if (asked == done) {
            agent_wait(&page->asked, asked, idle_ns(), agent.page_is_shared);
            continue;
        }
        if (!run(asked))
            return AGENT_REASON_ASKED;
        done = asked;
    }
}

static enum agent_reason live(void)
{
    enum agent_reason reason = wait_for_python();

    if (reason != AGENT_REASON_NONE)
        return reason;
    set_life(AGENT_LIFE_WAITING_FOR_GIL);
    reason = (enum agent_reason)agent_python_open();
    if (reason != AGENT_REASON_NONE)
        return reason;
    set_life(AGENT_LIFE_READY);
    return serve();
}

/* Says farewell and unmaps what nobody can look at any more. */
static enum agent_rest leave(enum agent_reason reason)
{
    enum agent_rest rest;

    agent.page->reason = reason;
    set_life(AGENT_LIFE_LEAVING);
    agent_copy_end();
    rest = agent_python_close();
    agent.page->image_stays = rest == AGENT_REST_IMAGE;
    set_life(AGENT_LIFE_GONE);
    agent_partition_close();
    agent_text_close();
    agent_channel_close(rest != AGENT_REST_IMAGE);
    if (rest != AGENT_REST_IMAGE)
        agent_region_close();
    return rest;
}

void agent_main(struct agent_region *region, struct agent_farewell *farewell)
{
    enum agent_rest rest = AGENT_REST_NOTHING;

    agent_hear_of_credentials();
    agent.region = region;
    agent.is_restricted = agent_place.is_restricted;
    take_functions();
    agent_fork_prepare();
    __atomic_store_n(&region->state, REGION_STATE_RUNNING, __ATOMIC_RELEASE);
    if (agent_channel_open() == 0)
        rest = leave(live());
    else
        agent_region_close();
    agent_farewell_say(farewell, rest);
}
