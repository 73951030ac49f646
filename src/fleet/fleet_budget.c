#include "fleet/fleet_budget.h"

#include "target/files.h"
#include "util/clock.h"

#define DEBT_MOST_NS (60 * NS_PER_S)

static const struct {
    int64_t core_per_mille, saved_most_ns;
} kinds[] = {
    [BUDGET_FIRST_LOOK] = {250, 8 * NS_PER_S},
    [BUDGET_LONG_RUN] = {17, 2 * NS_PER_S},
};

int64_t budget_spent_ns(void)
{
    return clock_process_cpu_ns() + target_helper_cpu_ns();
}

void budget_begin(struct budget *budget, enum budget_kind kind)
{
    budget->kind = kind;
    budget->paid_until_mono_ns = clock_monotonic_ns();
    if (kind == BUDGET_FIRST_LOOK)
        budget->paid_until_mono_ns -= kinds[kind].saved_most_ns;
    budget->paid_cpu_ns = budget_spent_ns();
}

int64_t budget_due_ns(struct budget *budget)
{
    int64_t now_ns = clock_monotonic_ns(), spent_ns = budget_spent_ns();
    int64_t *due_ns = &budget->paid_until_mono_ns;

    *due_ns +=
        (spent_ns - budget->paid_cpu_ns) * 1000 / kinds[budget->kind].core_per_mille;
    budget->paid_cpu_ns = spent_ns;
    if (*due_ns < now_ns - kinds[budget->kind].saved_most_ns)
        *due_ns = now_ns - kinds[budget->kind].saved_most_ns;
    if (*due_ns > now_ns + DEBT_MOST_NS)
        *due_ns = now_ns + DEBT_MOST_NS;
    return *due_ns;
}
