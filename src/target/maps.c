#include "target/maps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/strbuf.h"

#define MAPS_READ_BYTES 8192 /* the kernel gives a page at a time */

/* What is left of a line while it is parsed. */
struct cursor {
    const char *at;
    const char *end;
};

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return 16;
}

/* A number followed by `after` (0 = the end of the line will do as well as a
 * space). False when there is none, when it is too large, or otherwise ended. */
static bool take_number(struct cursor *cursor, unsigned base, char after, uint64_t *value)
{
    const char *first = cursor->at;

    *value = 0;
    while (cursor->at < cursor->end && (unsigned)digit_of(*cursor->at) < base) {
        if (*value > (UINT64_MAX - 15) / base)
            return false;
        *value = *value * base + (unsigned)digit_of(*cursor->at++);
    }
    if (cursor->at == first)
        return false;
    if (cursor->at == cursor->end)
        return !after;
    if (*cursor->at != (after ? after : ' '))
        return false;
    cursor->at++;
    return true;
}

static bool take_permissions(struct cursor *cursor, struct mapping *mapping)
{
    const char *at = cursor->at;

    if (cursor->end - at < 5 || at[4] != ' ')
        return false;
    mapping->is_readable = at[0] == 'r';
    mapping->is_writable = at[1] == 'w';
    mapping->is_executable = at[2] == 'x';
    mapping->is_shared = at[3] == 's';
    cursor->at += 5;
    return true;
}

/* One line without its newline; the path is given as an offset from `line`. */
static bool parse_line(const char *line, size_t length, struct mapping *mapping,
                       size_t *path_at)
{
    struct cursor cursor = {line, line + length};
    uint64_t device_major, device_minor;

    if (!take_number(&cursor, 16, '-', &mapping->start) ||
        !take_number(&cursor, 16, ' ', &mapping->end) ||
        !take_permissions(&cursor, mapping) ||
        !take_number(&cursor, 16, ' ', &mapping->offset) ||
        !take_number(&cursor, 16, ':', &device_major) ||
        !take_number(&cursor, 16, ' ', &device_minor) ||
        !take_number(&cursor, 10, 0, &mapping->inode))
        return false;
    if (mapping->start >= mapping->end || device_major > UINT32_MAX ||
        device_minor > UINT32_MAX)
        return false;
    mapping->device_major = (uint32_t)device_major;
    mapping->device_minor = (uint32_t)device_minor;
    while (cursor.at < cursor.end && *cursor.at == ' ')
        cursor.at++;
    *path_at = (size_t)(cursor.at - line);
    return true;
}

static bool maps_has_room(struct maps *maps, size_t *capacity)
{
    size_t wanted = *capacity ? *capacity * 2 : 128;
    struct mapping *grown;

    if (maps->count < *capacity)
        return true;
    if (maps->count >= MAPS_LIMIT)
        return false;
    grown = reallocarray(maps->mappings, wanted, sizeof(*grown));
    if (!grown)
        return false;
    maps->mappings = grown;
    *capacity = wanted;
    return true;
}

void maps_parse(struct maps *maps, const char *text, size_t length)
{
    size_t capacity = 0, at = 0;

    *maps = (struct maps){NULL, 0, false, malloc(length + 1)};
    if (!maps->paths) {
        maps->cut = true;
        return;
    }
    if (length)
        memcpy(maps->paths, text, length);
    maps->paths[length] = '\0';
    while (at < length) {
        char *line = maps->paths + at;
        char *newline = memchr(line, '\n', length - at);
        size_t line_length = newline ? (size_t)(newline - line) : length - at;
        struct mapping mapping = {0};
        size_t path_at = 0;

        at += line_length + 1;
        if (!parse_line(line, line_length, &mapping, &path_at))
            continue;
        if (maps->count && mapping.start < maps->mappings[maps->count - 1].end)
            continue; /* torn: the kernel never shows overlapping lines */
        line[line_length] = '\0';
        mapping.path = line + path_at;
        if (maps->count >= MAPS_LIMIT || !maps_has_room(maps, &capacity)) {
            maps->cut = true;
            return;
        }
        maps->mappings[maps->count++] = mapping;
    }
}

int maps_read(struct maps *maps, int maps_fd, struct err *err)
{
    struct strbuf text = STRBUF_INIT;
    char buffer[MAPS_READ_BYTES];
    ssize_t got;

    for (;;) {
        got = pread(maps_fd, buffer, sizeof(buffer), (off_t)text.length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0 || text.cut)
            break;
        strbuf_add(&text, buffer, (size_t)got);
    }
    if (got < 0) {
        enum err_code code = errno == ESRCH ? ERR_GONE : ERR_FAILED;

        err_set_errno(err, code, errno, "cannot read the memory map of the target");
        strbuf_release(&text);
        *maps = (struct maps){NULL, 0, false, NULL};
        return -1;
    }
    maps_parse(maps, strbuf_text(&text), text.length);
    maps->cut = maps->cut || text.cut;
    strbuf_release(&text);
    return 0;
}

void maps_release(struct maps *maps)
{
    free(maps->mappings);
    free(maps->paths);
    *maps = (struct maps){NULL, 0, false, NULL};
}

const struct mapping *maps_find(const struct maps *maps, struct raddr address)
{
    size_t low = 0, high = maps->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct mapping *mapping = &maps->mappings[middle];

        if (address.value < mapping->start)
            high = middle;
        else if (address.value >= mapping->end)
            low = middle + 1;
        else
            return mapping;
    }
    return NULL;
}

bool mapping_is_anonymous(const struct mapping *mapping)
{
    const char *path = mapping->path;

    if (!mapping->is_readable || !mapping->is_writable || mapping->is_shared ||
        mapping->inode)
        return false;
    return !*path || !strcmp(path, "[heap]") || !strncmp(path, "[stack", 6) ||
           !strncmp(path, "[anon", 5);
}
