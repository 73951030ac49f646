/* Any bytes as a name, a command line, an event: the line of JSON parses back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "fuzz.h"
#include "heaptop/sink.h"
#include "model/builder.h"
#include "model/kind.h"

static void demand(bool condition)
{
    if (!condition)
        abort();
}

/* The line; the caller frees it. */
static char *written(const struct snapshot *snapshot, size_t *length)
{
    struct sink_options options = {0};
    struct err err = ERR_INIT;
    char *text = NULL;
    void *state = NULL;

    options.out = open_memstream(&text, length);
    demand(options.out && !sink_json.open(&options, &state, &err));
    demand(!sink_json.snapshot(state, snapshot, NULL, &err));
    demand(!sink_json.close(state, &err));
    fclose(options.out);
    return text;
}

static const struct snapshot *snapshot_of(const char *raw, size_t size,
                                          const struct kind *kind)
{
    const struct kind_row row = {
        .kind = kind, .count = 1, .size_bytes = 2, .memory_bytes = 3};
    const struct objects_section facts = {.walk = {.method = "outside"}};
    const struct objects_section *objects = objects_seal(&facts, &row, 1);
    struct snapshot_builder *builder = builder_new(1);
    struct event event = {1, EVENT_NOTE, ""};

    demand(objects && builder);
    /* Raw bytes where clean ones are promised: the sink must stand it. */
    snprintf(event.words, sizeof(event.words), "%.*s", (int)size, raw);
    snprintf(builder->snapshot->target.command, sizeof(builder->snapshot->target.command),
             "%.*s", (int)size, raw);
    builder_events(builder, &event, 1);
    builder_objects(builder, objects);
    objects_unref(objects);
    return snapshot_seal(builder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *raw = (const char *)data;
    const struct snapshot *snapshot;
    const struct kind *kind;
    size_t length = 0;
    json_t *object, *row;
    char *text;

    if (size > 4096)
        size = 4096;
    kind = kind_intern(raw, size);
    snapshot = snapshot_of(raw, size, kind);
    text = written(snapshot, &length);
    demand(length > 1 && strchr(text, '\n') == text + length - 1);
    object = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    demand(object != NULL);
    row = json_array_get(json_object_get(json_object_get(object, "objects"), "kinds"), 0);
    demand(!strcmp(json_string_value(json_object_get(row, "kind")), kind->name));
    json_decref(object);
    free(text);
    snapshot_unref(snapshot);
    return 0;
}

size_t fuzz_seed(uint8_t *buffer, size_t size)
{
    static const char seed[] = "app.\"Entry\\\n\033[2J\xff\xe2\x80\xae\xf0\x9f\x90\x8d{}";
    size_t length = sizeof(seed) - 1 < size ? sizeof(seed) - 1 : size;

    memcpy(buffer, seed, length);
    return length;
}
