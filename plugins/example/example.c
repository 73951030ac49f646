/* example - how much address space each file and each sort of memory takes. */
#include "heaptop/plugin.h"

#include <stdlib.h>
#include <string.h>

#define NAMES_MAX 500

struct name {
    char path[200];
    int64_t mappings, bytes;
};

struct example {
    int64_t least_bytes; /* smaller ones are not shown */
    struct name names[NAMES_MAX];
    size_t n_names;
};

static int example_open(const struct heaptop_host *host, void **state)
{
    struct example *example = calloc(1, sizeof(*example));
    const char *least = host->setting(host, "least");

    if (!example) {
        host->say(host, "there is no memory");
        return -1;
    }
    if (least)
        example->least_bytes = strtoll(least, NULL, 10);
    *state = example;
    return 0;
}

static struct name *name_of(struct example *example, const char *path)
{
    if (!*path)
        path = "(anonymous)";
    for (size_t i = 0; i < example->n_names; i++)
        if (!strncmp(example->names[i].path, path, sizeof(example->names[i].path) - 1))
            return &example->names[i];
    if (example->n_names == NAMES_MAX)
        return NULL;
    struct name *name = &example->names[example->n_names++];
    *name = (struct name){.mappings = 0};
    strncat(name->path, path, sizeof(name->path) - 1);
    return name;
}

static int example_sample(const struct heaptop_host *host, void *state)
{
    struct example *example = state;
    struct heaptop_mapping mapping;

    example->n_names = 0;
    for (size_t i = 0; host->mapping(host, i, &mapping) == 0; i++) {
        struct name *name = name_of(example, mapping.path);

        if (!name)
            break;
        name->mappings++;
        name->bytes += (int64_t)(mapping.end - mapping.begin);
    }
    if (!example->n_names) {
        host->say(host, "the target's mappings cannot be read");
        return -1;
    }
    host->column(host, "name", HEAPTOP_TEXT, "a file, or a sort of memory");
    host->column(host, "mappings", HEAPTOP_COUNT, "how many mappings it has");
    host->column(host, "virt_bytes", HEAPTOP_BYTES, "address space that they take");
    for (size_t i = 0; i < example->n_names; i++) {
        if (example->names[i].bytes < example->least_bytes)
            continue;
        host->row(host);
        host->text(host, example->names[i].path);
        host->number(host, example->names[i].mappings);
        host->number(host, example->names[i].bytes);
    }
    return 0;
}

static void example_close(const struct heaptop_host *host, void *state)
{
    (void)host;
    free(state);
}

const struct heaptop_plugin heaptop_plugin_1 = {
    .struct_size = HEAPTOP_PLUGIN_SIZE,
    .name = "example",
    .version = "1",
    .license = "MIT",
    .summary = "address space by file: the plugin of doc/plugins.md",
    .open = example_open,
    .sample = example_sample,
    .close = example_close,
};
