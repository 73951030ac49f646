#include "attach/rseq.h"

#include <sys/ptrace.h>

#define PTRACE_GET_RSEQ 0x420f /* linux/ptrace.h, Linux 5.13 */
#define RSEQ_CS_OFFSET  8      /* struct rseq, linux/rseq.h */

uint64_t rseq_address(pid_t tid)
{
    struct {
        uint64_t address;
        uint32_t bytes, signature, flags, pad;
    } area = {0, 0, 0, 0, 0};

    if (ptrace((enum __ptrace_request)PTRACE_GET_RSEQ, tid, sizeof(area), &area) < 0)
        return 0;
    return area.address;
}

bool rseq_is_inside(struct scene *scene, pid_t tid)
{
    uint64_t address = rseq_address(tid), sequence = 0;

    if (!address)
        return false;
    return scene_read(scene, address + RSEQ_CS_OFFSET, &sequence, sizeof(sequence)) !=
               0 ||
           sequence != 0;
}
