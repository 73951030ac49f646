#include "choose.h"

#include <stdbool.h>
#include <string.h>

#include "heaptop/units.h"
#include "model/partition.h"
#include "target/candidates.h"

static bool candidate_matches(const struct candidate *row, const char *pattern)
{
    char number[16];

    snprintf(number, sizeof(number), "%d", (int)row->pid);
    return pattern_matches(pattern, row->command ? row->command : "") ||
           pattern_matches(pattern, number);
}

int choose_pid(const char *pattern, pid_t *pid, struct err *err)
{
    struct candidates list = CANDIDATES_INIT;
    size_t n_matches = 0;

    *pid = 0;
    if (candidates_refresh(&list, err)) {
        candidates_release(&list);
        return -1;
    }
    for (size_t i = 0; i < list.count; i++) {
        if (!candidate_matches(&list.rows[i], pattern))
            continue;
        *pid = list.rows[i].pid;
        n_matches++;
    }
    candidates_release(&list);
    if (n_matches == 1)
        return 0;
    *pid = 0;
    if (!n_matches) {
        err_set(err, ERR_GONE, "no Python process matches \"%.100s\"", pattern);
        return err_remedy(err, "heaptop without an argument lists the processes");
    }
    err_set(err, ERR_USAGE, "%zu Python processes match \"%.100s\"", n_matches, pattern);
    return err_remedy(err, "name one by its PID");
}

static void list_row(FILE *out, const struct candidate *row)
{
    char virt[UNITS_MAX], res[UNITS_MAX], uptime[UNITS_MAX];

    fprintf(out, "%7d %-10s %7s %7s %6s %-8s %-14s %-7s %*s%s\n", (int)row->pid,
            row->user, units_bytes(virt, row->virt_bytes),
            units_bytes(res, row->res_bytes), units_duration(uptime, row->uptime_ns),
            row->python, row->allocator, row->access, 2 * row->depth, "",
            row->command ? row->command : "");
}

int choose_list(FILE *out, const char *pattern, struct err *err)
{
    struct candidates list = CANDIDATES_INIT;
    int result = candidates_refresh(&list, err);

    if (!result) {
        fprintf(out, "%7s %-10s %7s %7s %6s %-8s %-14s %-7s %s\n", "PID", "USER", "VIRT",
                "RES", "AGE", "PYTHON", "ALLOCATOR", "ACCESS", "COMMAND");
        for (size_t i = 0; i < list.count; i++)
            if (!pattern || candidate_matches(&list.rows[i], pattern))
                list_row(out, &list.rows[i]);
    }
    candidates_release(&list);
    return result;
}
