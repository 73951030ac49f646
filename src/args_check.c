#include "args_check.h"

#include <string.h>

#include "model/kind_detail.h"

/* What is asked besides samples, by its option. */
struct asked {
    const char *option;        /* NULL: samples are wanted */
    bool has_json, has_sample; /* it prints JSON, too; a sample, in every format */
};

static struct asked asked_for(const struct args *args)
{
    if (args->request == ARGS_PLUGINS)
        return (struct asked){"list-plugins", true, false};
    if (args->action)
        return (struct asked){args->action->name, true,
                              args->action->flags & ACTION_COPIES};
    if (args->inquiry.topic)
        return (struct asked){strcmp(args->inquiry.topic, INQUIRY_KIND) ? "duplicates"
                                                                        : "kind",
                              true, false};
    if (args->holders || args->born_ns)
        return (struct asked){args->holders ? "holders" : "born", true, false};
    if (args->selfcheck)
        return (struct asked){"selfcheck", false, false};
    if (args->cut)
        return (struct asked){"cut", false, false};
    if (args->changes || args->compare)
        return (struct asked){args->changes ? "changes" : "compare", true, false};
    return (struct asked){NULL, true, true};
}

static int check_format(const struct args *args, const struct asked *asked,
                        struct err *err)
{
    bool is_json = !strcmp(args->output, "json");

    if (!strcmp(args->output, "text") || asked->has_sample ||
        (is_json && asked->has_json))
        return 0;
    err_set(err, ERR_USAGE, "--%s prints %s, not %s", asked->option,
            asked->has_json ? "text or JSON" : "text", args->output);
    return err_remedy(err, asked->has_json ? "use -o text or -o json" : "use -o text");
}

/* Samples go there, and there are none. */
static int check_beside(const struct args *args, const struct asked *asked,
                        struct err *err)
{
    const char *where = args->textfile ? "textfile"
                        : args->listen ? "listen"
                        : args->write  ? "write"
                                       : NULL;

    if (!where)
        return 0;
    err_set(err, ERR_USAGE, "--%s is given samples of one process, --%s makes none",
            where, asked->option);
    return err_remedy(err, "run heaptop once for each");
}

int args_check_output(const struct args *args, struct err *err)
{
    struct asked asked = asked_for(args);

    if (args->request != ARGS_WATCH && args->request != ARGS_PLUGINS)
        return 0;
    if (asked.option)
        return check_format(args, &asked, err) || check_beside(args, &asked, err) ? -1
                                                                                  : 0;
    if (!args->verdict || !strcmp(args->output, "text"))
        return 0;
    err_set(err, ERR_USAGE, "--verdict prints words, not %s", args->output);
    return err_remedy(err, "leave --verdict out: the verdicts are in -o %s, too",
                      args->output);
}
