/*
 * fleet_budget.h - what a fleet may cost: in the long run 1.7 % of one core, whatever it
 * is spent on and by whom; while there are members that were never looked at, a quarter
 * of a core, after two seconds of processor time that are free.
 *
 * Listing, samples, the watch of collections, the output and the helper have prices that
 * are small and known only afterwards. So walks and comparisons, which can wait, have
 * what the others leave: the next one begins when all that was spent is paid for. In the
 * long run what is not used is saved for two seconds, and no debt is longer than a
 * minute. Main thread.
 */
#ifndef HEAPTOP_FLEET_FLEET_BUDGET_H
#define HEAPTOP_FLEET_FLEET_BUDGET_H

#include <stdint.h>

enum budget_kind { BUDGET_FIRST_LOOK, BUDGET_LONG_RUN };

struct budget {
    enum budget_kind kind;
    int64_t paid_until_mono_ns; /* when all but the spent since is paid for */
    int64_t paid_cpu_ns;
};

/* What was spent so far is nobody's: the first looks, a screen of one process. */
void budget_begin(struct budget *budget, enum budget_kind kind);

/* When all that was spent is paid for. */
int64_t budget_due_ns(struct budget *budget);

/* Of this process and its helper, since they began. */
int64_t budget_spent_ns(void);

#endif
