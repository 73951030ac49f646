/*
 * args.h - the command line: one table of options, from which parsing, --help
 * and the configuration file's keys come.
 *
 * args_parse() fills a struct args; texts are borrowed from argv or from the
 * configuration (configuration.h), which must both outlive it. A mistake is
 * ERR_USAGE with a sentence and the remedy. Main thread only.
 */
#ifndef HEAPTOP_ARGS_H
#define HEAPTOP_ARGS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "attach/ways.h"
#include "heaptop/err.h"
#include "model/condition.h"
#include "model/inquiry.h"
#include "plugin/settings.h"
#include "sampler/sampler.h"

enum args_request {
    ARGS_WATCH = 0,
    ARGS_HELP,
    ARGS_VERSION,
    ARGS_COLUMNS, /* -s help */
    ARGS_PLUGINS, /* --list-plugins */
};

struct args {
    enum args_request request;
    struct sampler_options sampler;
    enum attach_way agent_via;
    int64_t iterations;    /* 0 = without end */
    int64_t mark_every_ns; /* 0 = no marks by the clock */
    bool has_iterations;
    bool is_batch;
    const char *output; /* a name of sinks.def */
    bool has_output;
    const char *write;       /* the recording to make, or NULL */
    const char *read;        /* the recording to look at, or NULL */
    const char *begin, *end; /* the part of it, or NULL */
    const char *compare;     /* the recording that it is compared with, or NULL */
    const char *cut;         /* the file that this part of it goes into, or NULL */
    bool changes;            /* print what changed from its begin to its end */
    const char *textfile;    /* metrics go into it; NULL: no */
    const char *listen;      /* where metrics are served, or NULL */
    bool listen_remote;      /* also where other machines can ask */
    const char *name;        /* what metrics call the target, or NULL */
    unsigned metric_sets;    /* besides the basic ones; enum metric_set */
    bool label_pid;          /* all metrics have the PID as a label */
    const char *pane, *sort, *filter; /* NULL = the default */
    int rows;
    bool selfcheck;
    const struct action_ops *action; /* to run, or NULL */
    struct action_arguments action_arguments;
    struct inquiry inquiry; /* to be answered once; its topic NULL: none */
    bool tree;              /* the process and those below it, or all that match */
    bool verdict;           /* print the verdict on the last sample, and nothing else */
    bool has_until;         /* a batch run ends when `until` is met */
    struct condition until;
    const char *holders; /* print who holds this kind, or this address; NULL: no */
    int64_t born_ns;     /* print what was born in this time; 0: no */
    bool use_color, use_unicode, use_mouse;
    struct plugin_settings plugins;
    bool asks_for_agent;          /* --agent=require was given */
    const char *live_option;      /* given, and only a live process heeds it; or NULL */
    const char *config, *verbose; /* files, or NULL */
    pid_t pid;                    /* 0 = none given */
    const char *pattern;          /* NULL = none given */
    char **command;               /* -- PROGRAM ARGS...; NULL = none given */
};

/* The defaults, NO_COLOR heeded. */
void args_init(struct args *args);
int args_parse(struct args *args, int argc, char **argv, struct err *err);

/* Sets the option of this long name as the command line would ("delay", "5");
 * `value` may be NULL where the option takes none. False: no such option. */
bool args_set(struct args *args, const char *name, const char *value, struct err *err);

void args_print_help(FILE *out);

#endif
