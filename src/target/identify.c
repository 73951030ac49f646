#include "target/identify.h"

#include <stdio.h>
#include <string.h>

#define OLDEST_MINOR 8
#define NEWEST_MINOR 15

/*
 * Include/object.h and Include/cpython/object.h, the same in 3.8 - 3.15 for
 * default builds; the head of an object is 16 bytes longer in free-threaded ones.
 */
#define OB_TYPE_OFFSET     8
#define TP_NAME_OFFSET     24
#define TP_FLAGS_OFFSET    168
#define FREE_THREADED_MORE 16
#define TP_FLAGS_READY     (UINT64_C(1) << 12)

/* Include/internal/pycore_debug_offsets.h: the head of _PyRuntime from 3.13 on. */
#define RUNTIME_COOKIE "xdebugpy"

/* What else was met on the way, for the sentence when there is no CPython. */
struct meeting {
    bool has_32_bit_image;
    bool has_other_machine;
    bool has_pypy;
    bool has_unloaded; /* a Python image that is mapped but not loaded */
    bool has_false;    /* exports the names, but there is no runtime behind them */
};

static bool is_image_file(const struct mapping *mapping)
{
    return !mapping->offset && mapping->is_readable && mapping->inode &&
           mapping->path[0] == '/' && strncmp(mapping->path, "/dev/", 5) != 0;
}

static bool looks_like_python(const struct mapping *mapping)
{
    const char *name = strrchr(mapping->path, '/');

    return name && strstr(name, "python");
}

/* PyType_Type is an instance of itself and is called "type". */
static bool check_type_type(struct reader *reader, struct identity *identity)
{
    for (uint64_t more = 0; more <= FREE_THREADED_MORE; more += FREE_THREADED_MORE) {
        uint64_t type = identity->type_type.value, type_of, name, flags;
        char text[8];

        if (!reader_u64(reader, raddr_of(type + more + OB_TYPE_OFFSET), &type_of))
            continue;
        /* A copy relocation moves the object into the executable. */
        if (type_of != type &&
            (!reader_u64(reader, raddr_of(type_of + more + OB_TYPE_OFFSET), &type) ||
             type != type_of))
            continue;
        if (!reader_u64(reader, raddr_of(type + more + TP_NAME_OFFSET), &name) ||
            !reader_string(reader, raddr_of(name), text, sizeof(text)) ||
            strcmp(text, "type") != 0 ||
            !reader_u64(reader, raddr_of(type + more + TP_FLAGS_OFFSET), &flags))
            continue;
        identity->type_type = raddr_of(type);
        identity->is_free_threaded = more != 0;
        identity->is_ready = flags & TP_FLAGS_READY;
        return true;
    }
    return false;
}

/* From 3.13 on the runtime begins with a cookie and its version. */
static bool check_runtime_cookie(struct reader *reader, const struct identity *identity)
{
    struct {
        char cookie[8];
        uint64_t version;
    } head;

    if (identity->version.major != 3 || identity->version.minor < 13)
        return true;
    if (reader_read(reader, identity->runtime, &head, sizeof(head)))
        return false;
    return !memcmp(head.cookie, RUNTIME_COOKIE, sizeof(head.cookie)) &&
           (head.version >> 16 & 0xffff) ==
               ((unsigned)identity->version.major << 8 | identity->version.minor);
}

/* "3.13.1t", as the interpreter is called. */
static void mark_free_threaded(struct identity *identity)
{
    size_t length = strlen(identity->text);

    if (length + 1 < sizeof(identity->text)) {
        identity->text[length] = 't';
        identity->text[length + 1] = '\0';
    }
}

/* Is this image a CPython of any version? Fills the identity when it is. */
static bool is_python_image(struct reader *reader, const struct maps *maps,
                            bool has_memory, struct identity *identity,
                            struct meeting *met)
{
    struct image_symbol symbol;

    if (!image_symbol(&identity->python, reader, "Py_GetVersion", &symbol) ||
        !symbol.is_function ||
        !image_symbol(&identity->python, reader, "PyType_Type", &symbol))
        return false;
    if (!image_is_loaded(&identity->python, maps)) {
        met->has_unloaded = true;
        return false;
    }
    identity->type_type = symbol.address;
    if (image_symbol(&identity->python, reader, "_PyRuntime", &symbol))
        identity->runtime = symbol.address;
    if (has_memory && !check_type_type(reader, identity)) {
        met->has_false = true;
        return false;
    }
    identify_version(reader, identity);
    if (has_memory && !check_runtime_cookie(reader, identity)) {
        met->has_false = true;
        return false;
    }
    if (identity->is_free_threaded)
        mark_free_threaded(identity);
    return true;
}

static void note_other(struct reader *reader, const struct image *image,
                       const struct err *why, struct meeting *met)
{
    struct image_symbol symbol;

    if (why && strstr(why->text, "32-bit"))
        met->has_32_bit_image = true;
    else if (why && strstr(why->text, "machine"))
        met->has_other_machine = true;
    else if (!why && image_symbol(image, reader, "rpython_startup_code", &symbol))
        met->has_pypy = true;
}

/* Looks through the images whose path speaks for Python, or through the others. A
 * runtime that has started is preferred to one that was only loaded. */
static bool search(struct reader *reader, const struct maps *maps, bool has_memory,
                   bool by_name, struct identity *identity, struct meeting *met)
{
    bool has_found = false;

    for (size_t i = 0; i < maps->count && !identity->is_ready; i++) {
        const struct mapping *mapping = &maps->mappings[i];
        struct identity tried;
        struct err why;

        if (!is_image_file(mapping) || looks_like_python(mapping) != by_name)
            continue;
        memset(&tried, 0, sizeof(tried));
        if (image_read(&tried.python, reader, mapping, &why)) {
            note_other(reader, NULL, &why, met);
            continue;
        }
        if (is_python_image(reader, maps, has_memory, &tried, met)) {
            if (!has_found || tried.is_ready)
                *identity = tried;
            has_found = true;
        } else {
            note_other(reader, &tried.python, NULL, met);
        }
    }
    return has_found;
}

/* Is nothing mapped above 4 GiB but the kernel's own page? */
static bool is_32_bit(const struct maps *maps, const struct meeting *met)
{
    size_t last = maps->count;

    while (last && maps->mappings[last - 1].path[0] == '[')
        last--;
    return met->has_32_bit_image && last && !((maps->mappings[last - 1].end - 1) >> 32);
}

static int refuse_other(const char *who, const struct maps *maps,
                        const struct meeting *met, struct err *err)
{
    if (met->has_pypy) {
        err_set(err, ERR_UNSUPPORTED, "%s runs PyPy, not CPython", who);
        return err_remedy(err, "heaptop reads CPython's memory; PyPy has its own "
                               "vmprof and gc hooks");
    }
    if (is_32_bit(maps, met)) {
        err_set(err, ERR_UNSUPPORTED, "%s is a 32-bit process", who);
        return err_remedy(err, "heaptop reads 64-bit processes of this machine");
    }
    if (met->has_other_machine) {
        err_set(err, ERR_UNSUPPORTED, "%s runs code of another machine", who);
        return err_remedy(err, "heaptop reads 64-bit processes of this machine");
    }
    if (met->has_false) {
        err_set(err, ERR_UNSUPPORTED,
                "%s exports Python's names, but there is no Python runtime behind them",
                who);
        return err_remedy(err, "if it has only just started, try again");
    }
    if (met->has_unloaded)
        err_set(err, ERR_UNSUPPORTED,
                "%s has a Python interpreter mapped as a file, but does not run it", who);
    else
        err_set(err, ERR_UNSUPPORTED,
                "%s is not CPython: nothing in it exports the Python C API", who);
    return err_remedy(err, "run heaptop without a process to choose from a list; an "
                           "interpreter linked statically without exported symbols "
                           "cannot be read");
}

static int refuse_version(const char *who, const struct identity *identity,
                          struct err *err)
{
    const struct python_version *version = &identity->version;

    if (!version->major) {
        err_set(err, ERR_UNSUPPORTED, "%s runs a Python whose version cannot be found",
                who);
        return err_remedy(err, "if it has only just started, try again");
    }
    if (version->major == 2) {
        err_set(err, ERR_UNSUPPORTED, "%s runs Python %s", who, identity->text);
        return err_remedy(err, "heaptop reads CPython 3.%d to 3.%d", OLDEST_MINOR,
                          NEWEST_MINOR);
    }
    if (version->major == 3 && version->minor < OLDEST_MINOR) {
        err_set(err, ERR_UNSUPPORTED, "%s runs Python %s, which is too old", who,
                identity->text);
        return err_remedy(err, "heaptop reads CPython 3.%d to 3.%d", OLDEST_MINOR,
                          NEWEST_MINOR);
    }
    err_set(err, ERR_UNSUPPORTED, "%s runs Python %s, which this heaptop does not know",
            who, identity->text);
    return err_remedy(err, "heaptop reads CPython 3.%d to 3.%d; look for a newer heaptop",
                      OLDEST_MINOR, NEWEST_MINOR);
}

int identify(struct reader *reader, const struct maps *maps, bool has_memory,
             const char *who, struct identity *identity, struct err *err)
{
    const struct python_version *version = &identity->version;
    struct meeting met = {0};

    memset(identity, 0, sizeof(*identity));
    if (!search(reader, maps, has_memory, true, identity, &met) &&
        !search(reader, maps, has_memory, false, identity, &met))
        return refuse_other(who, maps, &met, err);
    if (version->major != 3 || version->minor < OLDEST_MINOR ||
        version->minor > NEWEST_MINOR)
        return refuse_version(who, identity, err);
    if (raddr_is_null(identity->runtime)) {
        err_set(err, ERR_UNSUPPORTED, "%s runs a Python that hides its runtime", who);
        return err_remedy(err, "_PyRuntime is not exported; it needs another build");
    }
    return 0;
}
