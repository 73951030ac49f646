/*
 * plugin.h - the whole contract between heaptop and a plugin. doc/plugins.md is the
 * tutorial.
 *
 * A plugin is a shared object that exports one constant, heaptop_plugin_1: who it is, and
 * its functions. As a source it is asked at each sample, and answers with a table, which
 * heaptop shows, sorts, filters, records and prints as JSON. As a sink it is handed each
 * sample. It reads the target's memory, may ask a few things in the target, and may offer
 * actions; it never changes the target itself. heaptop runs each plugin in a process of
 * its own, so one may end, hang or answer nonsense: that costs a sentence in the Log.
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

/* What may be asked in the target. heaptop's agent, a thread in the target, makes the
 * calls; a plugin brings no code there. Each is one question; the answer is text. */
enum heaptop_probe {
    /* mallinfo2() of glibc: lines of a name and a number. Takes the locks of malloc. */
    HEAPTOP_MALLINFO2 = 1,
    /* malloc_info(0) of glibc: its XML. Takes the locks of malloc, arena by arena. */
    HEAPTOP_MALLOC_INFO = 2,
    /* mallctl() of jemalloc: a line for each name of the question (they have blanks
     * between them), with a number, or "-" where there is no such number. "epoch" makes
     * jemalloc count anew. Names of stats, opt and config may be asked for,
     * arenas.narenas and arenas.page. */
    HEAPTOP_MALLCTL = 3,
    /* The Python frames of all threads, with the GIL for at most about 2 ms. A line
     * "T NUMBER<tab>NAME" for each thread (its number in the kernel, 0: not known), and
     * behind it "F LINE<tab>FUNCTION<tab>FILE" for each of its frames, innermost first.
     * In front of all, where it is known, "G NUMBER": the thread that held the GIL just
     * before, 0: none did. */
    HEAPTOP_PYTHON_STACKS = 4,
    /* The native frames of all threads, seen from outside, and not by the agent. No
     * question: now, and none is stopped; one that runs has no frames then, and where a
     * register is needed that only a stop shows, they end. "action": what the action
     * stacks() saw last, which may have stopped threads; in front stands
     * "A NUMBER<tab>AGE", the number of that look, and how many ns ago it was.
     * "L THREADS<tab>STOPPED<tab>LONGEST<tab>TOOK": how many there are, how many were
     * stopped, for how many ns at most, and how many ns the look took. Then for each
     * "T NUMBER<tab>STATE<tab>STOPPED<tab>NAME": its number as the target sees it, its
     * state as /proc tells it (S: it waits, R: it runs), for how many ns it was stopped,
     * its name in the kernel; behind it "N ADDRESS<tab>FILE<tab>OFFSET<tab>FUNCTION<tab>
     * OFFSET" for each frame, innermost first, FUNCTION empty where it has no name that
     * is known; and "E SENTENCE" when they end before the outermost. */
    HEAPTOP_NATIVE_STACKS = 5,
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
     * digits and _; JSON uses it, and the screen in capitals, without _bytes or _ns at
     * its end, as values show their units. The first column of texts names the rows. */
    void (*column)(const struct heaptop_host *host, const char *name,
                   enum heaptop_unit unit, const char *help);
    void (*row)(const struct heaptop_host *host);
    void (*number)(const struct heaptop_host *host, int64_t value);
    void (*text)(const struct heaptop_host *host, const char *text);
    void (*unknown)(const struct heaptop_host *host);

    /* The members from here on came later: `struct_size` says whether they are there. */

    /* Asks in the target, within sample(): the length of the answer, of which as much as
     * there is room for stands in `text`, ended by a zero. -1: `text` has a sentence that
     * says why not. What took long is not asked again soon, and the answer before is
     * given, but for stacks, which there are none of then: beyond the first 20 ms probes
     * take at most a thousandth of the time.
     * `question` may be NULL.
     */
    int64_t (*probe)(const struct heaptop_host *host, enum heaptop_probe probe,
                     const char *question, char *text, size_t bytes);
    /* What stands above the table: the title of its tab, and lines of text, at most 8.
     * A plugin may answer with lines and without columns. */
    void (*title)(const struct heaptop_host *host, const char *title);
    void (*line)(const struct heaptop_host *host, const char *text);
    /* How deep the row that has begun stands in a tree: 0 to 15; 0 when it is not said.
     * A table with depths keeps the order of its rows. */
    void (*depth)(const struct heaptop_host *host, unsigned depth);
    /* Offers an action, at most 8, as long as it is in the answer. Who uses heaptop
     * chooses and confirms it, and heaptop runs it: nothing of the plugin is called.
     * `name` has letters a-z, digits and -. `call` is what is run, and is shown as it is:
     * an action of heaptop's own ("malloc_trim(0)", "gc.collect(2)"), or a function of
     * the target's Python with up to three numbers ("module.function(1, 2)"). `words` say
     * what it does, what it costs, and how it is put back. */
    void (*action)(const struct heaptop_host *host, const char *name, const char *call,
                   const char *words);
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
    /* Answers with a table, at each sample of the target. NULL in a mere sink. */
    int (*sample)(const struct heaptop_host *host, void *state);
    /* Called last, unless the plugin was ended. */
    void (*close)(const struct heaptop_host *host, void *state);

    /* The members from here on came later. */

    /* The keys of its settings, ended by NULL: others are a mistake. NULL: any. */
    const char *const *settings;
    /* Is handed each sample as `heaptop -o json` prints it (doc/json.md), without the end
     * of the line. Where it writes to was opened in open(). While it is at work the
     * newest sample waits, and those before it are skipped and counted. */
    int (*receive)(const struct heaptop_host *host, void *state, const char *json,
                   size_t length);
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
