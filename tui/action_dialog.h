/*
 * action_dialog.h - an action as the user sees it: the question before it, its
 * progress, and the menu of all of them. Pure drawing and words; the loop
 * (tui_action.c) gives the orders.
 */
#ifndef HEAPTOP_TUI_ACTION_DIALOG_H
#define HEAPTOP_TUI_ACTION_DIALOG_H

#include "heaptop/action.h"
#include "model/history.h"
#include "tui/dialog.h"
#include "tui/menu.h"

/* Asks whether to run it, with what the history tells about its price. `last` is the
 * report of the action before, or "". The offer is a plugin's, or NULL, here and below.
 */
void action_dialog_ask(struct dialog *dialog, const struct action_ops *action,
                       const struct action_offer *offer, const struct history *history,
                       const char *last);
/* The arguments as they stand in the dialog now. */
void action_dialog_arguments(const struct dialog *dialog, const struct action_ops *action,
                             const struct action_offer *offer,
                             struct action_arguments *arguments);
/* Explains it anew after DIALOG_CHANGED; the plan may be NULL. */
void action_dialog_explain(struct dialog *dialog, const struct action_ops *action,
                           const struct action_offer *offer,
                           const struct history *history, const char *last,
                           struct action_plan *plan);

/* What runs in `pid` since `elapsed_ns`, negative before it begins; expected_ns may be
 * unknown. */
void action_dialog_progress(struct dialog *dialog, const char *call, int pid,
                            int64_t elapsed_ns, struct reading expected_ns);

bool action_menu_is_offer(int value);
/* The plugin's offer of this value in the menu; false: it is not there any more. */
bool action_menu_offer(const struct snapshot *snapshot, int value,
                       struct action_offer *offer);
/* All actions, and those that plugins offer; `why` says why none is possible now, NULL
 * when they are. */
void action_menu(struct menu *menu, const struct snapshot *snapshot, const char *why);

#endif
