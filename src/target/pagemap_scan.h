/*
 * pagemap_scan.h - the PAGEMAP_SCAN request of /proc/PID/pagemap, as the kernel wants it.
 *
 * Source: Linux include/uapi/linux/fs.h, struct pm_scan_arg and struct page_region,
 * since Linux 6.7; declared here because the headers of older systems lack them.
 */
#ifndef HEAPTOP_TARGET_PAGEMAP_SCAN_H
#define HEAPTOP_TARGET_PAGEMAP_SCAN_H

#include <stdint.h>
#include <sys/ioctl.h>

struct scan_region {
    uint64_t start, end, categories;
};

struct scan_request {
    uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
    uint64_t kinds_inverted, kinds_mask, kinds_any_mask, return_mask;
};

#define SCAN_IS_FILE    (UINT64_C(1) << 2) /* a file's page, or shared memory */
#define SCAN_IS_PRESENT (UINT64_C(1) << 3)
#define SCAN_IS_SWAPPED (UINT64_C(1) << 4)
#define SCAN_IS_ZERO    (UINT64_C(1) << 5) /* the kernel's page of zeros: not in RES */
#define SCAN_IS_GUARD   (UINT64_C(1) << 8) /* of Linux 6.16; before, EINVAL */
#define SCAN_REQUEST    _IOWR('f', 16, struct scan_request)

/* Asks without guard pages, which hold nothing, where the kernel tells them from swapped
 * ones. How many regions were found; -1: errno, ENOTTY where the kernel has no such
 * request. */
int pagemap_scan_ask(int fd, struct scan_request *request);

#endif
