/*
 * Probes: what plugins ask in the target, one at a time, by the agent between its samples
 * and actions. What took long is not asked again soon.
 */
#include "sampler/sampler_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "heaptop/units.h"
#include "util/clock.h"

#define PATIENCE_NS     (2 * NS_PER_S) /* a plugin waits no longer; the agent may */
#define SHARE           1000           /* probes take one part in so many of the time, */
#define CREDIT_NS       (20 * NS_PER_MS) /* and so much at once */
#define MALLCTL_LETTERS "abcdefghijklmnopqrstuvwxyz0123456789_. "

static const enum agent_command commands[] = {
    [HEAPTOP_MALLINFO2] = AGENT_MALLINFO,
    [HEAPTOP_MALLOC_INFO] = AGENT_MALLOC_INFO,
    [HEAPTOP_MALLCTL] = AGENT_MALLCTL,
    [HEAPTOP_PYTHON_STACKS] = AGENT_STACKS,
};

static const char *const calls[] = {
    [HEAPTOP_MALLINFO2] = "mallinfo2()",
    [HEAPTOP_MALLOC_INFO] = "malloc_info()",
    [HEAPTOP_MALLCTL] = "mallctl()",
    [HEAPTOP_PYTHON_STACKS] = "stacks of Python",
    [HEAPTOP_NATIVE_STACKS] = "native stacks",
};

void sampler_probe_tell(struct sampler_plugin *plugin, int64_t whole, const char *text,
                        size_t bytes)
{
    plugin->probe.is_wanted = false;
    if (plugin->instance)
        plugin_instance_tell(plugin->instance, whole, text, bytes);
}

void sampler_probe_refuse(struct sampler_plugin *plugin, const char *format, ...)
{
    char sentence[PLUGIN_TEXT_MAX];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(sentence, sizeof(sentence), format, arguments);
    va_end(arguments);
    sampler_probe_tell(plugin, -1, sentence, strlen(sentence));
}

static bool begins_with(const char *name, size_t length, const char *begin)
{
    return length > strlen(begin) && !strncmp(name, begin, strlen(begin));
}

static bool is_name(const char *name, size_t length, const char *whole)
{
    return length == strlen(whole) && !strncmp(name, whole, length);
}

/* Some names of mallctl do what they are called when they are read: arenas.create,
 * arena.0.purge. Those that only count are asked for. */
static bool is_countable(const char *name, size_t length)
{
    if (memmem(name, length, "reset", 5))
        return false;
    return begins_with(name, length, "stats.") || begins_with(name, length, "opt.") ||
           begins_with(name, length, "config.") || is_name(name, length, "epoch") ||
           is_name(name, length, "arenas.narenas") ||
           is_name(name, length, "arenas.page");
}

static bool may_be_asked(const struct plugin_probe *asked)
{
    const char *name = asked->question;

    if (asked->probe == HEAPTOP_NATIVE_STACKS)
        return sampler_stacks_may_be_asked(name);
    if (asked->probe != HEAPTOP_MALLCTL)
        return !*name;
    if (!*name || name[strspn(name, MALLCTL_LETTERS)])
        return false;
    for (; *name; name += strspn(name, " ")) {
        size_t length = strcspn(name, " ");

        if (!is_countable(name, length))
            return false;
        name += length;
    }
    return true;
}

void sampler_probe_want(struct sampler *sampler, struct sampler_plugin *plugin,
                        const struct plugin_probe *asked)
{
    (void)sampler;
    plugin->probe.asked = *asked;
    plugin->probe.is_wanted = true;
    plugin->probe.wanted_mono_ns = clock_monotonic_ns();
    if (asked->probe >= SAMPLER_PROBES || !asked->probe)
        sampler_probe_refuse(plugin, "there is no probe %u", asked->probe);
    else if (!may_be_asked(asked))
        sampler_probe_refuse(plugin, "%s is not asked for \"%.100s\"",
                             calls[asked->probe], asked->question);
}

static bool is_same(const struct plugin_probe *left, const struct plugin_probe *right)
{
    return left->probe == right->probe && !strcmp(left->question, right->question);
}

/* What the target's probes may take of the time: one part in SHARE of it, and CREDIT_NS
 * at once. A probe is begun as long as there is some left, however long it then takes. */
static bool has_credit(struct sampler_probe *probe, int64_t now_ns)
{
    if (!probe->credited_mono_ns)
        probe->credit_ns = CREDIT_NS;
    else
        probe->credit_ns += (now_ns - probe->credited_mono_ns) / SHARE;
    if (probe->credit_ns > CREDIT_NS)
        probe->credit_ns = CREDIT_NS;
    probe->credited_mono_ns = now_ns;
    return probe->credit_ns > 0;
}

/* Old stacks say nothing of now. */
static bool is_of_a_moment(const struct plugin_probe *asked)
{
    return asked->probe == HEAPTOP_PYTHON_STACKS || asked->probe == HEAPTOP_NATIVE_STACKS;
}

/* True when it has got an answer, or a sentence. */
static bool answer_from_before(struct sampler_plugin *plugin, int64_t now_ns)
{
    const struct plugin_probe *asked = &plugin->probe.asked;
    const struct sampler_probed *probed = &plugin->probe.answers[asked->probe];
    char wait[UNITS_MAX];

    if (has_credit(&plugin->probe, now_ns))
        return false;
    if (is_same(&probed->asked, asked) && !is_of_a_moment(asked))
        sampler_probe_tell(plugin, probed->whole, strbuf_text(&probed->text),
                           probed->text.length);
    else
        sampler_probe_refuse(
            plugin, "%s is asked again in %s: what was asked before took long",
            calls[asked->probe],
            units_duration(wait, reading_exact(-plugin->probe.credit_ns * SHARE)));
    return true;
}

/* Before the agent itself takes it. */
static int64_t gil_holder(struct sampler *sampler)
{
    struct sampler_probing *probing = &sampler->probing;

    if (!probing->is_gil_sought)
        layout_find_gil(sampler->target, &probing->gil);
    probing->is_gil_sought = true;
    return layout_gil_holder(sampler->target, &probing->gil);
}

/* A name is ended by a blank for the agent, the last one too. */
static void begin(struct sampler *sampler, size_t index)
{
    struct sampler_plugin *plugin = &sampler->plugins.all[index];
    const struct plugin_probe *asked = &plugin->probe.asked;
    char question[PLUGIN_QUESTION_BYTES + 1];
    struct err err = ERR_INIT;

    snprintf(question, sizeof(question), "%s%s", asked->question,
             asked->question[0] ? " " : "");
    if (asked->probe == HEAPTOP_PYTHON_STACKS)
        sampler->probing.gil_holder = gil_holder(sampler);
    if (session_ask_text(sampler->agent.session, commands[asked->probe], NULL, question,
                         &err)) {
        sampler_probe_refuse(plugin, "%.200s", err.text);
        return;
    }
    sampler->probing.is_under_way = true;
    sampler->probing.plugin = index;
    sampler->probing.asked = *asked;
}

static const char *why_not(const struct agent_answer *answer)
{
    switch (answer->status) {
    case AGENT_STATUS_FINALIZING:
        return "Python is shutting down in the target";
    case AGENT_STATUS_UNAVAILABLE:
        return "it is not there in this target";
    default:
        return "it failed in the target";
    }
}

static void keep(struct sampler *sampler, const struct agent_answer *answer)
{
    const struct sampler_probing *probing = &sampler->probing;
    struct sampler_plugin *plugin = &sampler->plugins.all[probing->plugin];
    struct sampler_probed *probed = &plugin->probe.answers[probing->asked.probe];
    char *text = malloc(PLUGIN_PROBED_MAX);
    int64_t whole =
        text ? session_text(sampler->agent.session, answer, text, PLUGIN_PROBED_MAX) : -1;

    probed->asked = probing->asked;
    probed->whole = whole;
    strbuf_reset(&probed->text);
    if (whole > 0 && probing->asked.probe == HEAPTOP_PYTHON_STACKS &&
        probing->gil_holder >= 0)
        strbuf_addf(&probed->text, "G %" PRId64 "\n", probing->gil_holder);
    if (whole > 0) {
        probed->whole += (int64_t)probed->text.length;
        strbuf_add(&probed->text, text, (size_t)whole);
    }
    free(text);
}

static void finish(struct sampler *sampler, const struct agent_answer *answer)
{
    const struct sampler_probing *probing = &sampler->probing;
    struct sampler_plugin *plugin = &sampler->plugins.all[probing->plugin];
    const struct sampler_probed *probed = &plugin->probe.answers[probing->asked.probe];

    if (answer->elapsed_ns > 0)
        plugin->probe.credit_ns -= answer->elapsed_ns;
    if (answer->status == AGENT_STATUS_OK)
        keep(sampler, answer);
    if (!plugin->probe.is_wanted || !is_same(&probing->asked, &plugin->probe.asked))
        return;
    if (answer->status != AGENT_STATUS_OK)
        sampler_probe_refuse(plugin, "%s: %s", calls[probing->asked.probe],
                             why_not(answer));
    else if (probed->whole < 0)
        sampler_probe_refuse(plugin, "%s: its answer cannot be read",
                             calls[probing->asked.probe]);
    else
        sampler_probe_tell(plugin, probed->whole, strbuf_text(&probed->text),
                           probed->text.length);
}

static void look_for_answer(struct sampler *sampler)
{
    struct agent_answer answer;

    if (sampler->agent.state != AGENT_LOADED) {
        sampler->probing.is_under_way = false;
        return;
    }
    if (!session_answer(sampler->agent.session, 0, &answer))
        return;
    sampler->probing.is_under_way = false;
    finish(sampler, &answer);
}

static void serve(struct sampler *sampler, size_t index, int64_t now_ns)
{
    struct sampler_plugin *plugin = &sampler->plugins.all[index];
    bool is_free = !sampler->probing.is_under_way && !sampler->action.ops &&
                   !sampler->agent.is_asked;

    if (plugin->probe.asked.probe == HEAPTOP_NATIVE_STACKS &&
        plugin->probe.asked.question[0]) {
        sampler_stacks_tell_action(sampler, plugin);
        return;
    }
    if (answer_from_before(plugin, now_ns))
        return;
    if (plugin->probe.asked.probe == HEAPTOP_NATIVE_STACKS)
        sampler_stacks_serve(sampler, index);
    else if (sampler->agent.state == AGENT_LOADED && is_free)
        begin(sampler, index);
    else if (sampler->agent.state != AGENT_LOADED &&
             sampler->agent.state != AGENT_ATTACHING)
        sampler_probe_refuse(
            plugin, "it needs the agent, which is not in the target%s%.120s",
            sampler->agent.err.text[0] ? ": " : "", sampler->agent.err.text);
    else if (now_ns - plugin->probe.wanted_mono_ns > PATIENCE_NS)
        sampler_probe_refuse(plugin, "the agent did not answer within 2 s");
}

void sampler_probes_step(struct sampler *sampler)
{
    if (sampler->probing.is_under_way)
        look_for_answer(sampler);
    sampler_stacks_step(sampler);
    for (size_t i = 0; i < sampler->plugins.count; i++)
        if (sampler->plugins.all[i].probe.is_wanted)
            serve(sampler, i, clock_monotonic_ns());
}

bool sampler_probes_wait(const struct sampler *sampler)
{
    for (size_t i = 0; i < sampler->plugins.count; i++)
        if (sampler->plugins.all[i].probe.is_wanted)
            return true;
    return sampler->probing.is_under_way;
}

void sampler_probes_forget(struct sampler_plugin *plugin)
{
    for (size_t i = 0; i < SAMPLER_PROBES; i++)
        strbuf_release(&plugin->probe.answers[i].text);
    memset(&plugin->probe, 0, sizeof(plugin->probe));
}
