#include "target/pagemap_scan.h"

#include <errno.h>

int pagemap_scan_ask(int fd, struct scan_request *request)
{
    uint64_t inverted = request->kinds_inverted, mask = request->kinds_mask;
    int found;

    request->kinds_mask |= SCAN_IS_GUARD;
    request->kinds_inverted |= SCAN_IS_GUARD;
    found = ioctl(fd, SCAN_REQUEST, request);
    if (found >= 0 || errno != EINVAL)
        return found;
    request->kinds_mask = mask;
    request->kinds_inverted = inverted;
    return ioctl(fd, SCAN_REQUEST, request);
}
