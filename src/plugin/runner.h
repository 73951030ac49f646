/*
 * runner.h - the process of one plugin: loads it, opens it, gives the rights up, asks it.
 *
 * It is forked by the keeper and has one thread. Where the plugin breaks something, this
 * process is what it breaks.
 */
#ifndef HEAPTOP_PLUGIN_RUNNER_H
#define HEAPTOP_PLUGIN_RUNNER_H

#include <stdbool.h>
#include <sys/types.h>

#include "plugin/folder.h"
#include "plugin/message.h"
#include "plugin/settings.h"
#include "target/maps.h"
#include "util/strbuf.h"

struct runner_order {
    const struct plugin_file *file;
    const struct plugin_settings *settings;
    bool is_look; /* it is only to be asked what it is */
    pid_t pid;    /* of the target; 0: only looked at */
    int mem_fd, maps_fd;
    bool has_rights; /* that are to be given up */
};

/* What the functions of the host work on. */
struct runner {
    const struct runner_order *order;
    int socket;
    struct heaptop_host host;
    struct heaptop_plugin plugin; /* as much of it as there is; the rest NULL */
    void *state;
    struct strbuf answer;
    int n_words;
    bool is_full;   /* the answer is too long: nothing more is taken */
    bool may_probe; /* heaptop waits for the answer, and will help */
    struct maps maps;
    bool has_maps;
};

void runner_main(int socket, const struct runner_order *order) __attribute__((noreturn));

/* Asks heaptop, which asks in the target: the length of the text, or -1 and a sentence in
 * it. */
int64_t runner_probe(struct runner *runner, const struct plugin_probe *asked, char *text,
                     size_t bytes);

/* host.c: the functions that a plugin calls. */
void host_init(struct runner *runner);
/* Before each call of the plugin: nothing is answered yet, mappings are read anew. */
void host_begin(struct runner *runner);

#endif
