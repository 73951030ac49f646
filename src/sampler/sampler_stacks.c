/*
 * Native stacks for plugins: a look that stops nothing is made when a plugin asks; what
 * the action stacks() saw last, which may have stopped threads, is kept.
 */
#include "sampler/sampler_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/clock.h"

/* A look costs the target nothing, and heaptop a fork: this part of its time counts for
 * credit_ns, and no more where the machine is busy. */
#define SHARE       20
#define TIME_MAX_NS (100 * NS_PER_MS)

bool sampler_stacks_may_be_asked(const char *question)
{
    return !*question || !strcmp(question, "action");
}

void sampler_stacks_tell_action(struct sampler *sampler, struct sampler_plugin *plugin)
{
    const struct sampler_stacks *stacks = &sampler->stacks;
    struct strbuf text = STRBUF_INIT;

    if (!stacks->seen) {
        sampler_probe_refuse(plugin, "the action stacks() has not been run");
        return;
    }
    strbuf_addf(&text, "A %" PRIu64 "\t%" PRId64 "\n", stacks->n_seen,
                clock_monotonic_ns() - stacks->seen_mono_ns);
    strbuf_add_text(&text, stacks->seen);
    sampler_probe_tell(plugin, (int64_t)text.length, strbuf_text(&text), text.length);
    strbuf_release(&text);
}

static void step(struct sampler *sampler)
{
    struct sampler_stacks *stacks = &sampler->stacks;
    struct sampler_plugin *plugin = &sampler->plugins.all[stacks->plugin];
    struct err err = ERR_INIT;
    const char *text;
    int status = witness_step(stacks->call, &text, &err);
    int64_t took_ns = clock_monotonic_ns() - stacks->began_mono_ns;
    bool is_awaited = plugin->probe.is_wanted &&
                      plugin->probe.asked.probe == HEAPTOP_NATIVE_STACKS &&
                      !plugin->probe.asked.question[0];

    if (!status)
        return;
    plugin->probe.credit_ns -= (took_ns < TIME_MAX_NS ? took_ns : TIME_MAX_NS) / SHARE;
    if (is_awaited && status > 0)
        sampler_probe_tell(plugin, (int64_t)strlen(text), text, strlen(text));
    else if (is_awaited)
        sampler_probe_refuse(plugin, "%.200s", err.text);
    witness_end(stacks->call);
    stacks->call = NULL;
}

void sampler_stacks_serve(struct sampler *sampler, size_t index)
{
    struct sampler_stacks *stacks = &sampler->stacks;
    struct err err = ERR_INIT;

    /* Two looks at a time there are not: the helper ends the first. */
    if (stacks->call || sampler->action.ops)
        return;
    stacks->call = witness_start(sampler->target, false, &err);
    stacks->plugin = index;
    stacks->began_mono_ns = clock_monotonic_ns();
    if (!stacks->call)
        sampler_probe_refuse(&sampler->plugins.all[index], "%.200s", err.text);
}

void sampler_stacks_step(struct sampler *sampler)
{
    if (sampler->stacks.call)
        step(sampler);
}

void sampler_stacks_keep(struct sampler *sampler, const char *text)
{
    struct sampler_stacks *stacks = &sampler->stacks;

    free(stacks->seen);
    stacks->seen = strdup(text);
    stacks->seen_mono_ns = clock_monotonic_ns();
    stacks->n_seen++;
}

void sampler_stacks_close(struct sampler *sampler)
{
    witness_end(sampler->stacks.call);
    free(sampler->stacks.seen);
    memset(&sampler->stacks, 0, sizeof(sampler->stacks));
}
