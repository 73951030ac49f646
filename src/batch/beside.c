#include "batch/beside.h"

#include <stdio.h>

bool beside_is_wanted(const struct args *args)
{
    return args->write || args->textfile || args->listen;
}

static int start_publishers(struct beside *beside, const struct args *args,
                            struct err *err)
{
    if (args->textfile) {
        if (publisher_start_file(args->textfile, &beside->publishers[0], err))
            return -1;
        beside->n_publishers++;
    }
    if (args->listen) {
        if (publisher_start_server(args->listen, args->listen_remote,
                                   &beside->publishers[beside->n_publishers], err))
            return -1;
        beside->n_publishers++;
    }
    return 0;
}

/* On the screen a key begins a recording: without a recorder there is only none. */
static int start_recorder(const struct args *args, struct recorder **recorder,
                          struct err *err)
{
    struct err ignored = ERR_INIT;

    if (args->write)
        return recorder_start(args->write, recorder, err);
    if (!args->is_batch && !args->read && recorder_start(NULL, recorder, &ignored))
        *recorder = NULL;
    return 0;
}

int beside_start(struct beside *beside, const struct args *args, struct err *err)
{
    *beside = (struct beside){.recorder = NULL};
    if (start_recorder(args, &beside->recorder, err))
        return -1;
    return start_publishers(beside, args, err);
}

static int open_recorder(struct recorder *recorder, const struct args *args,
                         struct err *err)
{
    struct recorder_options options;

    recorder_usual_options(&options, args->write, args->pid);
    return recorder_open(recorder, &options, err);
}

int beside_open(struct beside *beside, const struct args *args,
                const struct sink_options *options, struct err *err)
{
    for (size_t i = 0; i < beside->n_publishers; i++)
        if (publisher_open(beside->publishers[i], options, err))
            return -1;
    return args->write ? open_recorder(beside->recorder, args, err) : 0;
}

static void tell_trouble(struct publisher *publisher)
{
    const char *trouble = publisher_trouble(publisher);

    if (trouble)
        fprintf(stderr, "heaptop: %s\n", trouble);
}

void beside_add(struct beside *beside, const struct snapshot *snapshot,
                const struct history *history)
{
    if (beside->recorder)
        recorder_add(beside->recorder, snapshot, history);
    for (size_t i = 0; i < beside->n_publishers && snapshot->is_complete; i++) {
        publisher_add(beside->publishers[i], snapshot, history);
        tell_trouble(beside->publishers[i]);
    }
}

void beside_add_fleet(struct beside *beside, const struct fleet_sample *sample)
{
    for (size_t i = 0; i < beside->n_publishers; i++) {
        publisher_add_fleet(beside->publishers[i], sample);
        tell_trouble(beside->publishers[i]);
    }
}

int beside_stop(struct beside *beside, struct err *err)
{
    struct err other = ERR_INIT;
    int result = recorder_stop(beside->recorder, err);

    for (size_t i = 0; i < beside->n_publishers; i++)
        if (publisher_stop(beside->publishers[i], result ? &other : err))
            result = -1;
    *beside = (struct beside){.recorder = NULL};
    return result;
}
