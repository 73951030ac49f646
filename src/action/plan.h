/*
 * plan.h - sentences for the explanation of an action, one after the other.
 */
#ifndef HEAPTOP_ACTION_PLAN_H
#define HEAPTOP_ACTION_PLAN_H

#include "heaptop/action.h"

void plan_say(struct action_plan *plan, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
