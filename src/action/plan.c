#include "action/plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void plan_say(struct action_plan *plan, const char *format, ...)
{
    size_t used = strlen(plan->words);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(plan->words + used, sizeof(plan->words) - used, format, arguments);
    va_end(arguments);
}
