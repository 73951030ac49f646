/* The layout: looked for once, again when it fails or no longer holds. */
#include "sampler/sampler_private.h"

#include <string.h>

#include "util/clock.h"
#include "util/log.h"

#define LAYOUT_PAUSE_MIN_NS (2 * NS_PER_S)
#define LAYOUT_PAUSE_MAX_NS (60 * NS_PER_S)

/* Whether looking again can help: a process may be young, malloc stays malloc. */
static bool layout_may_come(const struct sampler *sampler)
{
    const struct layout *layout = &sampler->layout;

    return !layout->has_pymalloc &&
           (!layout->allocator[0] || !strncmp(layout->allocator, "pymalloc", 8));
}

static void layout_report(struct sampler *sampler, const struct err *err)
{
    if (err->code != ERR_NONE && strcmp(err->text, sampler->layout_err.text) != 0)
        sampler_event(sampler, EVENT_NOTE, "layout not proven: %s", err->text);
    sampler->layout_err = *err;
}

static void publish_collecting(struct sampler *sampler)
{
    const struct layout_gc *gc = &sampler->layout.gc;
    struct raddr address = {0};

    if (sampler->has_layout && sampler->layout.has_gc)
        address = raddr_add(gc->state, gc->collecting);
    pthread_mutex_lock(&sampler->lock);
    sampler->collecting = address;
    pthread_mutex_unlock(&sampler->lock);
}

void sampler_find_layout(struct sampler *sampler)
{
    struct target_facts *facts = &sampler->target->facts;
    int64_t began_ns = clock_monotonic_ns();
    struct err err = ERR_INIT;

    sampler->is_layout_tried = true;
    if (!sampler->target->reader)
        return;
    memset(&sampler->layout, 0, sizeof(sampler->layout));
    sampler->has_layout = !layout_find(sampler->target, &sampler->layout, &err);
    publish_collecting(sampler);
    log_line("layout: %s in %lld us: pymalloc %d, gc %d, allocator %s; %s",
             sampler->has_layout ? "found" : "not found",
             (long long)((clock_monotonic_ns() - began_ns) / NS_PER_US),
             sampler->layout.has_pymalloc, sampler->layout.has_gc,
             sampler->layout.allocator, err.text);
    if (sampler->has_layout && sampler->layout.allocator[0])
        memcpy(facts->allocator, sampler->layout.allocator, sizeof(facts->allocator));
    if (target_state(sampler->target) != TARGET_ENDED)
        layout_report(sampler, &err);
    if (sampler->layout_pause_ns < LAYOUT_PAUSE_MIN_NS)
        sampler->layout_pause_ns = LAYOUT_PAUSE_MIN_NS;
    sampler->layout_retry_ns = clock_monotonic_ns() + sampler->layout_pause_ns;
    if (sampler->layout_pause_ns < LAYOUT_PAUSE_MAX_NS)
        sampler->layout_pause_ns *= 2;
}

/* Before each walk and after each failure: what was true may have ended. */
void sampler_check_layout(struct sampler *sampler)
{
    bool holds;

    if (!sampler->is_layout_tried || !sampler->target->reader)
        return;
    if (sampler->has_layout && sampler->layout.has_pymalloc) {
        holds = layout_still_holds(&sampler->layout, sampler->target);
        if (!holds)
            sampler_find_layout(sampler);
    } else if (layout_may_come(sampler) &&
               clock_monotonic_ns() >= sampler->layout_retry_ns) {
        sampler_find_layout(sampler);
    }
}
