#include "source/holder_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "layout/member_layout.h"

#define LINKS_MAX      ((size_t)1 << 20)
#define BASES_MAX      8
#define MEMBERS_MAX    256
#define NAME_MAX_BYTES 56
#define DEPTH_MAX      2 /* containers that a label goes through */

bool holder_links_add(struct holder_links *links, const struct holder_link *link)
{
    size_t wanted = links->capacity ? links->capacity * 2 : 1024;
    struct holder_link *grown;

    if (links->count == links->capacity) {
        grown = wanted <= LINKS_MAX
                    ? reallocarray(links->links, wanted, sizeof(*links->links))
                    : NULL;
        if (!grown)
            return false;
        links->links = grown;
        links->capacity = wanted;
    }
    links->links[links->count++] = *link;
    return true;
}

struct holder_link holder_link_of(const struct met_object *met,
                                  const struct reference *reference)
{
    return (struct holder_link){.holder = met->view.address,
                                .kind = met->entry->kind,
                                .type = met->entry->address,
                                .at = reference->at,
                                .count = 1,
                                .by = reference->by,
                                .rule = met->entry->shape.rule};
}

void holder_links_release(struct holder_links *links)
{
    address_map_release(&links->by_address);
    free(links->links);
    links->links = NULL;
    links->count = links->capacity = 0;
}

bool holder_is_container(const struct kind *kind)
{
    static const char *const names[] = {"dict",
                                        "list",
                                        "tuple",
                                        "set",
                                        "frozenset",
                                        "collections.deque",
                                        "numpy.ndarray",
                                        "functools._lru_list_elem",
                                        "collections.OrderedDict",
                                        "collections.defaultdict"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (!strcmp(kind->name, names[i]))
            return true;
    return false;
}

/* ---- names of fields ---- */

static bool read_text(struct reader *reader, uint64_t address, char *text, size_t size)
{
    memset(text, 0, size);
    for (size_t at = 0; at + 1 < size; at += 16) { /* it may stand at a mapping's end */
        size_t some = size - 1 - at < 16 ? size - 1 - at : 16;

        if (reader_read(reader, raddr_of(address + at), text + at, some))
            return at > 0;
        if (memchr(text + at, 0, some))
            return true;
    }
    return true;
}

/* By the PyMemberDef of this type alone. */
static bool member_name(const struct walk *walk, uint64_t type, uint64_t offset,
                        char *name, size_t size)
{
    uint64_t members, text, at;

    if (!reader_u64(walk->reader, raddr_of(type + TYPE_MEMBERS), &members) || !members)
        return false;
    for (int i = 0; i < MEMBERS_MAX; i++, members += MEMBER_BYTES) {
        if (!reader_u64(walk->reader, raddr_of(members + MEMBER_NAME), &text) || !text ||
            !reader_u64(walk->reader, raddr_of(members + MEMBER_OFFSET), &at))
            return false;
        if (at == offset)
            return read_text(walk->reader, text, name, size);
    }
    return false;
}

static void field_name(struct walk *walk, const struct holder_link *link, char *name,
                       size_t size)
{
    const char *known =
        member_name_of(walk->layout.object.minor, link->kind->name, link->at);
    const struct type_entry *type = types_get(&walk->types, link->type);

    if (known) {
        snprintf(name, size, "%s", known);
        return;
    }
    for (int i = 0; type && i < BASES_MAX; i++) {
        if (member_name(walk, type->address, link->at, name, size))
            return;
        type = type->base ? types_get(&walk->types, type->base) : NULL;
    }
    if (link->rule == OBJECT_FRAME || link->rule == OBJECT_GENERATOR)
        snprintf(name, size, "(a local variable)");
    else
        snprintf(name, size, "+%llu", (unsigned long long)link->at);
}

static void key_name(const struct walk *walk, uint64_t key, char *name, size_t size)
{
    if (!remote_str(walk->reader, &walk->layout.object, key, name, size))
        snprintf(name, size, "(not a str)");
}

/* What has the name of the thing: itself, or the function or coroutine in a field of it;
 * 0 = nothing has. `type` becomes that one's. */
static uint64_t named_part(const struct walk *walk, const struct holder_link *link,
                           const char **type)
{
    static const char *const fields[][2] = {{"__wrapped__", "function"},
                                            {"_coro", "generator"}};
    uint64_t at, address;

    *type = link->kind->name;
    if (!strcmp(*type, "coroutine") || !strcmp(*type, "async_generator"))
        *type = fields[1][1];
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        at = member_offset_of(walk->layout.object.minor, *type, fields[i][0]);
        if (!at)
            continue;
        *type = fields[i][1];
        return reader_u64(walk->reader, raddr_of(link->holder + at), &address) ? address
                                                                               : 0;
    }
    return link->holder;
}

/* Whose name says more than its type's: "coroutine (app.serve)". */
static void thing_name(const struct walk *walk, const struct holder_link *link,
                       char *text, size_t size)
{
    const struct object_layout *layout = &walk->layout.object;
    const char *type;
    uint64_t named = named_part(walk, link, &type), address;
    uint64_t at = member_offset_of(layout->minor, type, "__qualname__");
    char name[NAME_MAX_BYTES];

    if (named && at && reader_u64(walk->reader, raddr_of(named + at), &address) &&
        remote_str(walk->reader, layout, address, name, sizeof(name)))
        snprintf(text, size, "%.100s (%s)", link->kind->name, name);
    else
        snprintf(text, size, "%.100s", link->kind->name);
}

/* ---- labels ---- */

static void module_name(const struct holder_links *links, uint64_t dict, char *name,
                        size_t size)
{
    uint64_t text = references_lookup(links->references, dict, "__name__");

    if (!text || !remote_str(links->references->walk->reader,
                             &links->references->walk->layout.object, text, name, size))
        snprintf(name, size, "(without a name)");
}

static const char *class_name(const struct holder_links *links, uint64_t address)
{
    const struct type_entry *class = types_get(&links->references->walk->types, address);

    return class ? class->kind->name : "(unknown)";
}

static bool is_module(const struct holder_link *link)
{
    return !strcmp(link->kind->name, "module");
}

static const struct holder_link *link_of(const struct holder_links *links,
                                         uint64_t address)
{
    uint32_t at = address_map_get(&links->by_address, address);

    return at < links->count ? &links->links[at] : NULL;
}

static bool make_label(const struct holder_links *links, const struct holder_link *link,
                       int depth, char *label, size_t size);

/* The dict of something: its key is an attribute. */
static bool owned_dict_label(const struct holder_links *links,
                             const struct holder_link *link,
                             const struct holder_link *owner, char *label, size_t size)
{
    char key[NAME_MAX_BYTES], name[NAME_MAX_BYTES];

    key_name(links->references->walk, link->at, key, sizeof(key));
    if (is_module(owner)) {
        module_name(links, link->holder, name, sizeof(name));
        snprintf(label, size, "dict of module %s key %s", name, key);
        return true;
    }
    if (owner->rule == OBJECT_TYPE) {
        snprintf(label, size, "dict of type %.80s key %s",
                 class_name(links, owner->holder), key);
        return true;
    }
    snprintf(label, size, "%.100s.%s", owner->kind->name, key);
    return false;
}

static bool container_label(const struct holder_links *links,
                            const struct holder_link *link, int depth, char *label,
                            size_t size)
{
    const struct holder_link *owner = link_of(links, link->holder);
    const char *what = link->by == BY_KEY ? "key of " : "";
    char rest[HOLDER_LABEL_MAX];
    bool is_root;

    if (owner && owner->by == BY_DICT && link->by == BY_VALUE)
        return owned_dict_label(links, link, owner, label, size);
    if (!owner || depth == DEPTH_MAX) {
        snprintf(label, size, "%s%s", what, link->kind->name);
        return false;
    }
    is_root = make_label(links, owner, depth + 1, rest, sizeof(rest));
    snprintf(label, size, "%s%s in %.120s", what, link->kind->name, rest);
    return is_root;
}

static bool make_label(const struct holder_links *links, const struct holder_link *link,
                       int depth, char *label, size_t size)
{
    struct walk *walk = links->references->walk;
    const char *kind = link->kind->name;
    char name[NAME_MAX_BYTES], thing[HOLDER_LABEL_MAX];

    if (holder_is_container(link->kind))
        return container_label(links, link, depth, label, size);
    thing_name(walk, link, thing, sizeof(thing));
    switch (link->by) {
    case BY_ATTRIBUTE:
    case BY_VALUE:
        key_name(walk, link->at, name, sizeof(name));
        break;
    case BY_DICT:
        snprintf(name, sizeof(name), "__dict__");
        break;
    case BY_TYPE:
        snprintf(name, sizeof(name), "__class__");
        break;
    case BY_FIELD:
        field_name(walk, link, name, sizeof(name));
        break;
    case BY_PART:
        snprintf(label, size, "%s", kind);
        return false;
    case BY_ITEM:
    case BY_KEY:
        snprintf(label, size, "%s of %.100s", link->by == BY_KEY ? "key" : "item", kind);
        return false;
    }
    if (link->rule == OBJECT_TYPE)
        snprintf(label, size, "type %.80s.%s", class_name(links, link->holder), name);
    else
        snprintf(label, size, "%.100s.%s", thing, name);
    return is_module(link) || link->rule == OBJECT_TYPE;
}

bool holder_label(const struct holder_links *links, const struct holder_link *link,
                  char label[HOLDER_LABEL_MAX])
{
    return make_label(links, link, 0, label, HOLDER_LABEL_MAX);
}
