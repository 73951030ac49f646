#include "tui/action_dialog.h"

#include <stdio.h>
#include <string.h>

#include "heaptop/units.h"
#include "tui/header.h"
#include "util/strbuf.h"

#define OFFERS_FROM 1000 /* values in the menu: of plugins' offers */

/* A parameter with few values is a row of choices, others are numbers to type. */
static bool is_choice(const struct action_ops *action)
{
    return action->n_parameters == 1 && action->parameters[0].least == 0 &&
           action->parameters[0].most < DIALOG_CHOICES_MAX;
}

static void defaults(const struct action_ops *action, const struct snapshot *snapshot,
                     struct action_arguments *arguments)
{
    struct err ignored = ERR_INIT;

    action_parse(action, NULL, arguments, &ignored);
    if (action->defaults && snapshot)
        action->defaults(snapshot, arguments);
}

static void add_inputs(struct dialog *dialog, const struct action_ops *action,
                       const struct action_offer *offer, const struct snapshot *snapshot)
{
    struct action_arguments arguments;

    defaults(action, snapshot, &arguments);
    if (offer)
        arguments = offer->arguments;
    if (is_choice(action)) {
        const struct action_parameter *parameter = &action->parameters[0];

        dialog_add_choices(dialog, parameter->name, (int)parameter->most + 1,
                           (int)arguments.values[0],
                           parameter->most_words ? parameter->most_words : "");
        return;
    }
    for (size_t i = 0; i < action->n_parameters; i++)
        dialog_add_field(dialog, action->parameters[i].name, arguments.values[i]);
}

void action_dialog_ask(struct dialog *dialog, const struct action_ops *action,
                       const struct action_offer *offer, const struct history *history,
                       const char *last)
{
    const struct snapshot *latest = history_latest(history);
    const char *call =
        offer && offer->arguments.call[0] ? offer->arguments.call : action->call;
    char title[240], command[128];

    snprintf(title, sizeof(title), "Run %s%s in %d (%.80s)?", call,
             action->n_parameters ? "()" : "", latest ? (int)latest->target.pid : 0,
             latest
                 ? header_short_command(command, sizeof(command), latest->target.command)
                 : "");
    dialog_ask(dialog, title, "Run");
    add_inputs(dialog, action, offer, latest);
    action_dialog_explain(dialog, action, offer, history, last, NULL);
}

void action_dialog_arguments(const struct dialog *dialog, const struct action_ops *action,
                             const struct action_offer *offer,
                             struct action_arguments *arguments)
{
    memset(arguments, 0, sizeof(*arguments));
    if (offer && offer->arguments.call[0]) {
        *arguments = offer->arguments;
        return;
    }
    for (size_t i = 0; i < ACTION_ARGUMENTS; i++)
        arguments->values[i] = dialog_number(dialog, i);
    if (is_choice(action))
        arguments->values[0] = dialog->choice;
}

void action_dialog_explain(struct dialog *dialog, const struct action_ops *action,
                           const struct action_offer *offer,
                           const struct history *history, const char *last,
                           struct action_plan *plan)
{
    const struct snapshot *latest = history_latest(history);
    struct action_arguments arguments;
    struct action_plan own;
    struct strbuf body = STRBUF_INIT;
    const char *needless;

    plan = plan ? plan : &own;
    memset(plan, 0, sizeof(*plan));
    action_dialog_arguments(dialog, action, offer, &arguments);
    action->explain(history, &arguments, plan);
    needless = latest && action->needless ? action->needless(latest) : NULL;
    if (needless)
        strbuf_addf(&body, "It would change nothing: %s.\n", needless);
    strbuf_add_text(&body, plan->words);
    if (offer && offer->words[0])
        strbuf_addf(&body, "\nThe plugin %s says: %s", offer->plugin, offer->words);
    if (*last)
        strbuf_addf(&body, "\nLast: %s", last);
    dialog_say(dialog, strbuf_text(&body));
    strbuf_release(&body);
}

void action_dialog_progress(struct dialog *dialog, const char *call, int pid,
                            int64_t elapsed_ns, struct reading expected_ns)
{
    char title[160], elapsed[UNITS_MAX], expected[UNITS_MAX], words[400];
    bool is_known = reading_is_known(expected_ns) && expected_ns.value > 0;
    bool is_late = is_known && elapsed_ns > expected_ns.value;

    snprintf(title, sizeof(title), "%s %s in %d", call, elapsed_ns < 0 ? "waits" : "runs",
             pid);
    dialog_progress(dialog, title, "Stop waiting");
    if (elapsed_ns < 0) {
        dialog_say(dialog, "It begins when the walk of the heap has ended.\n"
                           "Esc stops waiting, not the action: its report comes into the "
                           "Log.");
        return;
    }
    dialog->has_bar = is_known;
    if (is_known)
        dialog->bar_per_mille =
            is_late ? 1000 : (int)((double)elapsed_ns * 1000 / (double)expected_ns.value);
    snprintf(words, sizeof(words),
             "%s so far; %s%s%s.\nEsc stops waiting, not the action: its report comes "
             "into the Log.",
             units_duration(elapsed, reading_exact(elapsed_ns)),
             is_late    ? "longer than the expected "
             : is_known ? "about "
                        : "how long it takes here is not known",
             is_known ? units_duration(expected, reading_exact(expected_ns.value)) : "",
             is_known && !is_late ? " are expected" : "");
    dialog_say(dialog, words);
}

static const struct plugin_table *table_of(const struct snapshot *snapshot, size_t index)
{
    const struct plugins_section *plugins = snapshot ? snapshot->plugins : NULL;

    return plugins && index < plugins->n_views ? plugins->views[index].table : NULL;
}

bool action_menu_is_offer(int value)
{
    return value >= OFFERS_FROM;
}

bool action_menu_offer(const struct snapshot *snapshot, int value,
                       struct action_offer *offer)
{
    size_t index = (size_t)(value - OFFERS_FROM) / PLUGIN_ACTIONS_MAX;
    size_t place = (size_t)(value - OFFERS_FROM) % PLUGIN_ACTIONS_MAX;
    const struct plugin_table *table =
        value < OFFERS_FROM ? NULL : table_of(snapshot, index);

    if (!table || place >= table->n_offers)
        return false;
    memset(offer, 0, sizeof(*offer));
    snprintf(offer->plugin, sizeof(offer->plugin), "%s",
             snapshot->plugins->views[index].name);
    snprintf(offer->words, sizeof(offer->words), "%s", table->offers[place].words);
    return action_of_call(table->offers[place].call, offer) == 0;
}

static void add_offers(struct menu *menu, const struct snapshot *snapshot,
                       const char *why)
{
    for (size_t i = 0; i < PLUGINS_MAX; i++) {
        const struct plugin_table *table = table_of(snapshot, i);

        for (size_t k = 0; table && k < table->n_offers; k++) {
            char label[64], help[120];

            snprintf(label, sizeof(label), "   %.28s", table->offers[k].call);
            snprintf(help, sizeof(help), "%s of plugin %s", table->offers[k].name,
                     snapshot->plugins->views[i].name);
            menu_add(menu, OFFERS_FROM + (int)(i * PLUGIN_ACTIONS_MAX + k), false, label,
                     help);
            menu_set_key(menu, 0, why != NULL);
        }
    }
}

void action_menu(struct menu *menu, const struct snapshot *snapshot, const char *why)
{
    menu_init(menu, "Actions in the target",
              why ? "No action is possible now: Enter says why"
                  : "A letter or Enter asks before it acts   Esc leaves",
              false);
    for (int i = 0; actions[i]; i++) {
        const struct action_ops *action = actions[i];
        const char *needless =
            snapshot && action->needless ? action->needless(snapshot) : NULL;
        char label[64], help[120];

        if (!action->key)
            continue;
        snprintf(label, sizeof(label), "%c  %s%s", action->key, action->call,
                 action->n_parameters ? "()" : "");
        snprintf(help, sizeof(help), "%s%s%s%s", action->help, needless ? " (" : "",
                 needless ? needless : "", needless ? ")" : "");
        menu_add(menu, i, false, label, help);
        menu_set_key(menu, action->key, why || needless);
    }
    add_offers(menu, snapshot, why);
}
