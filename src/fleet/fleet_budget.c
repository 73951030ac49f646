#include "fleet/fleet_budget.h"

#include "target/files.h"
#include "util/clock.h"

#define CORE_PER_MILLE 17
#define SAVED_MOST_NS  (2 * NS_PER_S)
#define DEBT_MOST_NS   (60 * NS_PER_S)

int64_t budget_spent_ns(void)
{
    return clock_process_cpu_ns() + target_helper_cpu_ns();
}

void budget_begin(struct budget *budget)
{
    budget->paid_until_mono_ns = clock_monotonic_ns();
    budget->paid_cpu_ns = budget_spent_ns();
}

int64_t budget_due_ns(struct budget *budget)
{
    int64_t now_ns = clock_monotonic_ns(), spent_ns = budget_spent_ns();
    int64_t *due_ns = &budget->paid_until_mono_ns;

    *due_ns += (spent_ns - budget->paid_cpu_ns) * 1000 / CORE_PER_MILLE;
    budget->paid_cpu_ns = spent_ns;
    if (*due_ns < now_ns - SAVED_MOST_NS)
        *due_ns = now_ns - SAVED_MOST_NS;
    if (*due_ns > now_ns + DEBT_MOST_NS)
        *due_ns = now_ns + DEBT_MOST_NS;
    return *due_ns;
}
