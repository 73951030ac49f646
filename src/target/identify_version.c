/*
 * Which version is the runtime? From 3.11 on the exported word Py_Version says
 * it (Python/getversion.c). Before, Py_GetVersion() makes the text
 * "3.8.18 (default, May  9 ...) [GCC ...]" in static data at start
 * (Python/getversion.c, "%.80s (%.80s) %.80s"), and the constant "3.8.18" alone
 * lies in the read-only data. The file name knows the minor version at least.
 */
#include "target/identify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCAN_CHUNK_BYTES   65536
#define SCAN_OVERLAP_BYTES 32
#define SCAN_SEGMENT_MAX   (8u << 20)
#define MICRO_UNKNOWN      255

/* What was found so far. */
struct version_scan {
    struct python_version version;
    bool is_found;
    bool wants_constant; /* "3.8.18\0" will do; else " (" must follow */
};

/* At most three digits; NULL when there is none or the number is over 254. */
static const char *parse_part(const char *at, const char *end, uint8_t *part)
{
    unsigned value = 0, digits = 0;

    for (; at < end && *at >= '0' && *at <= '9' && digits < 3; at++, digits++)
        value = value * 10 + (unsigned)(*at - '0');
    if (!digits || value >= MICRO_UNKNOWN)
        return NULL;
    *part = (uint8_t)value;
    return at;
}

/* "3.8.18" with what must follow, at `at`. */
static bool parse_version(const char *at, const char *end, bool wants_constant,
                          struct python_version *version)
{
    at = parse_part(at, end, &version->major);
    if (!at || at == end || *at++ != '.')
        return false;
    at = parse_part(at, end, &version->minor);
    if (!at || at == end || *at++ != '.')
        return false;
    at = parse_part(at, end, &version->micro);
    if (!at)
        return false;
    if (wants_constant)
        return at < end && !*at;
    /* "3.9.0rc2", "3.8.2+" */
    while (at < end &&
           ((*at >= 'a' && *at <= 'z') || *at == '+' || (*at >= '0' && *at <= '9')))
        at++;
    return end - at > 2 && at[0] == ' ' && at[1] == '(';
}

static void scan_bytes(struct version_scan *scan, const char *bytes, size_t length)
{
    const char *at = bytes, *end = bytes + length;

    while (!scan->is_found && at < end) {
        const char *dot = memchr(at, '.', (size_t)(end - at));

        if (!dot)
            return;
        at = dot + 1;
        if (dot == bytes || (dot[-1] != '2' && dot[-1] != '3'))
            continue;
        if (dot - 1 > bytes && dot[-2] >= '0' && dot[-2] <= '9')
            continue;
        scan->is_found =
            parse_version(dot - 1, end, scan->wants_constant, &scan->version);
    }
}

static void scan_segment(struct version_scan *scan, struct reader *reader,
                         const struct image_load *load, char *buffer)
{
    uint64_t at = load->start, end = load->end;

    if (end - at > SCAN_SEGMENT_MAX)
        end = at + SCAN_SEGMENT_MAX;
    while (!scan->is_found && at < end) {
        size_t step = end - at < SCAN_CHUNK_BYTES ? (size_t)(end - at) : SCAN_CHUNK_BYTES;

        if (!reader_read(reader, raddr_of(at), buffer, step))
            scan_bytes(scan, buffer, step);
        if (at + step >= end)
            return;
        at += step - SCAN_OVERLAP_BYTES;
    }
}

static bool version_by_scan(struct reader *reader, const struct image *image,
                            bool wants_constant, struct python_version *version)
{
    struct version_scan scan = {{0, 0, 0}, false, wants_constant};
    char *buffer = malloc(SCAN_CHUNK_BYTES);

    for (size_t i = 0; buffer && i < image->n_loads && !scan.is_found; i++)
        if (image->loads[i].is_writable != wants_constant &&
            !image->loads[i].is_executable)
            scan_segment(&scan, reader, &image->loads[i], buffer);
    free(buffer);
    if (scan.is_found)
        *version = scan.version;
    return scan.is_found;
}

/* libpython3.8.so.1.0, python3.8, python3.8 (deleted) */
static bool version_by_path(const char *path, struct python_version *version)
{
    const char *at = strrchr(path, '/');
    const char *end = path + strlen(path);

    at = at ? strstr(at, "python") : NULL;
    if (!at)
        return false;
    at = parse_part(at + 6, end, &version->major);
    if (!at || at == end || *at++ != '.' || !parse_part(at, end, &version->minor))
        return false;
    version->micro = MICRO_UNKNOWN;
    return true;
}

/* PY_VERSION_HEX (Include/patchlevel.h): major, minor, micro a byte each, then
 * 4 bits of release level (a, b, c, f) and 4 of serial. */
static bool version_by_symbol(struct reader *reader, struct identity *identity)
{
    struct image_symbol symbol;
    uint64_t hex;
    int used;

    if (!image_symbol(&identity->python, reader, "Py_Version", &symbol) ||
        !reader_u64(reader, symbol.address, &hex) || hex >> 32 || hex >> 24 != 3)
        return false;
    identity->version = (struct python_version){
        (uint8_t)(hex >> 24), (uint8_t)(hex >> 16), (uint8_t)(hex >> 8)};
    used = snprintf(identity->text, sizeof(identity->text), "%u.%u.%u",
                    identity->version.major, identity->version.minor,
                    identity->version.micro);
    if ((hex >> 4 & 15) != 15)
        snprintf(identity->text + used, sizeof(identity->text) - (size_t)used, "%s%u",
                 (hex >> 4 & 15) == 10   ? "a"
                 : (hex >> 4 & 15) == 11 ? "b"
                                         : "rc",
                 (unsigned)(hex & 15));
    return true;
}

void identify_version(struct reader *reader, struct identity *identity)
{
    struct python_version *version = &identity->version;
    struct python_version by_path = {0, 0, MICRO_UNKNOWN};
    bool has_path = version_by_path(identity->python.path, &by_path);

    if (version_by_symbol(reader, identity))
        return;
    if (!version_by_scan(reader, &identity->python, false, version)) {
        *version = by_path;
        /* The constant is short; it is believed only where the name agrees. */
        if (has_path && version_by_scan(reader, &identity->python, true, version) &&
            (version->major != by_path.major || version->minor != by_path.minor))
            *version = by_path;
    }
    if (!version->major)
        return;
    if (version->micro == MICRO_UNKNOWN)
        snprintf(identity->text, sizeof(identity->text), "%u.%u", version->major,
                 version->minor);
    else
        snprintf(identity->text, sizeof(identity->text), "%u.%u.%u", version->major,
                 version->minor, version->micro);
}
