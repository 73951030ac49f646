/*
 * plugin.h - the whole contract between heaptop and a plugin. doc/plugins.md is the
 * tutorial.
 *
 * A plugin is a shared object that exports one constant, heaptop_plugin_1: who it is, and
 * its functions. It is a source: asked at each sample, it answers with a table, which
 * heaptop shows, sorts, filters and prints as JSON. heaptop runs each plugin in a process
 * of its own, so one may end, hang or answer nonsense: that costs a sentence in the Log.
 *
 * The rules that keep generation 1 alive for ever: members are added at the end only, and
 * a member is there when `struct_size` says so. What would break this gets another
 * generation, which is another symbol, so that a plugin that does not fit is not loaded.
 *
 * Copyright the authors of heaptop. SPDX-License-Identifier: MIT
 */
#ifndef HEAPTOP_PLUGIN_H
#define HEAPTOP_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HEAPTOP_PLUGIN_GENERATION 1

/* What the values of a column are. Unknown is not zero: see unknown(). */
enum heaptop_unit {
    HEAPTOP_TEXT = 0,
    HEAPTOP_COUNT,
    HEAPTOP_BYTES,
    HEAPTOP_NANOSECONDS,
};

enum heaptop_access {
    HEAPTOP_READABLE = 1,
    HEAPTOP_WRITABLE = 2,
    HEAPTOP_EXECUTABLE = 4,
    HEAPTOP_SHARED = 8,
};

/* One line of the target's /proc/PID/maps. This struct never changes. */
struct heaptop_mapping {
    uint64_t begin, end, offset;
    uint64_t access;  /* bits of enum heaptop_access */
    const char *path; /* "" for anonymous memory; raw: hostile text */
};

/* What heaptop does for a plugin. All functions are called from the thread that called
 * the plugin, and only until that call returns. Texts given to them are copied. */
struct heaptop_host {
    uint32_t struct_size;
    int32_t pid; /* of the target */
    void *own;   /* heaptop's */

    /* The value of plugin.NAME.KEY in the configuration, or NULL. */
    const char *(*setting)(const struct heaptop_host *host, const char *key);
    /* A sentence for the Log: why something failed. Four of them a call. */
    void (*say)(const struct heaptop_host *host, const char *sentence);

    /* The target's memory, all or nothing: 0, or -1. What is read is hostile, and may be
     * changing. Never writes. */
    int (*read)(const struct heaptop_host *host, uint64_t address, void *buffer,
                size_t bytes);
    /* The mapping of this index, by address, as they were when the call began: 0, or -1
     * behind the last one. */
    int (*mapping)(const struct heaptop_host *host, size_t index,
                   struct heaptop_mapping *mapping);

    /* The answer is a table: first its columns, at most 16; then its rows, at most 2000,
     * each with a value for each column from left to right. `name` has letters a-z,
     * digits and _; JSON uses it, and the screen in capitals. */
    void (*column)(const struct heaptop_host *host, const char *name,
                   enum heaptop_unit unit, const char *help);
    void (*row)(const struct heaptop_host *host);
    void (*number)(const struct heaptop_host *host, int64_t value);
    void (*text)(const struct heaptop_host *host, const char *text);
    void (*unknown)(const struct heaptop_host *host);
};

/* What a plugin is. Functions that it does not have are NULL. Those that return int give
 * 0, or -1 after they said why. Each has 5 seconds. */
struct heaptop_plugin {
    uint32_t struct_size;
    uint32_t reserved; /* 0 */
    const char *name;  /* as its file without ".so": a-z, 0-9, - */
    const char *version, *license;
    const char *summary; /* one line: what it shows */

    /* Called first, before heaptop reads anything of a target: with the rights of who
     * started heaptop, and all system calls. Later a plugin has no rights, and few system
     * calls: it can open files of everybody for reading, and nothing for writing. */
    int (*open)(const struct heaptop_host *host, void **state);
    /* Answers with a table, at each sample of the target. */
    int (*sample)(const struct heaptop_host *host, void *state);
    /* Called last, unless the plugin was ended. */
    void (*close)(const struct heaptop_host *host, void *state);
};

/* What the plugin defines, with HEAPTOP_PLUGIN_SIZE as its first member. */
#define HEAPTOP_PLUGIN_SIZE ((uint32_t)sizeof(struct heaptop_plugin))
#if defined(__GNUC__)
__attribute__((visibility("default")))
#endif
extern const struct heaptop_plugin heaptop_plugin_1;

#ifdef __cplusplus
}
#endif

#endif
