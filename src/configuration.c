#include "configuration.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/log.h"
#include "util/xalloc.h"

#define CONFIG_MAX_BYTES 65536

/* A key sets an option of the command line; a switch is yes or no. */
struct config_key {
    const char *key, *option;
    bool is_switch;
    bool set_when; /* a switch: the value at which the option is given */
};

static const struct config_key config_keys[] = {
    {"delay", "delay", false, false},   {"agent", "agent", false, false},
    {"walk", "walk", false, false},     {"sort", "sort", false, false},
    {"filter", "filter", false, false}, {"pane", "pane", false, false},
    {"rows", "rows", false, false},     {"read-only", "read-only", true, true},
    {"color", "no-color", true, false}, {"unicode", "no-unicode", true, false},
    {"mouse", "no-mouse", true, false}, {"plugin", "plugin", false, false},
};

static char *trim(char *text)
{
    size_t length;

    text += strspn(text, " \t\r");
    length = strlen(text);
    while (length && strchr(" \t\r", text[length - 1]))
        text[--length] = '\0';
    return text;
}

static bool parse_switch(const char *value, bool *is_on)
{
    static const char *const yes[] = {"yes", "true", "on", "1"};
    static const char *const no[] = {"no", "false", "off", "0"};

    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
        *is_on = !strcmp(value, yes[i]);
        if (*is_on || !strcmp(value, no[i]))
            return true;
    }
    return false;
}

static int config_set(const struct config_key *key, const char *value, struct args *args,
                      struct err *err)
{
    struct err inner = ERR_INIT;
    bool is_on = false;

    if (key->is_switch && !parse_switch(value, &is_on))
        return err_set(err, ERR_USAGE, "%s takes yes or no, not \"%.60s\"", key->key,
                       value);
    if (key->is_switch && is_on != key->set_when)
        return 0;
    args_set(args, key->option, key->is_switch ? NULL : value, &inner);
    if (inner.code == ERR_NONE)
        return 0;
    *err = inner;
    return -1;
}

/* "plugin.example.rows = 5". */
static int config_plugin(char *name, const char *value, struct args *args,
                         struct err *err)
{
    struct plugin_settings *plugins = &args->plugins;
    char *key = strchr(name, '.');

    if (!key || key == name || !key[1])
        return err_set(err, ERR_USAGE, "plugin.%.60s is not plugin.NAME.KEY", name);
    if (plugins->n_settings == PLUGIN_SETTINGS_MAX)
        return err_set(err, ERR_USAGE, "there are more than %d settings of plugins",
                       PLUGIN_SETTINGS_MAX);
    *key++ = '\0';
    plugins->settings[plugins->n_settings++] = (struct plugin_setting){name, key, value};
    return 0;
}

static int config_line(char *line, struct args *args, struct err *err)
{
    char *equals, *key, *value;

    line[strcspn(line, "#")] = '\0';
    key = trim(line);
    if (!*key)
        return 0;
    equals = strchr(key, '=');
    if (!equals)
        return err_set(err, ERR_USAGE, "\"%.60s\" is not key = value", key);
    *equals = '\0';
    key = trim(key);
    value = trim(equals + 1);
    if (!strncmp(key, "plugin.", 7))
        return config_plugin(key + 7, value, args, err);
    for (size_t i = 0; i < sizeof(config_keys) / sizeof(config_keys[0]); i++)
        if (!strcmp(config_keys[i].key, key))
            return config_set(&config_keys[i], value, args, err);
    log_line("configuration: unknown key %.60s", key);
    return 0;
}

static int config_parse(struct config *config, struct args *args, struct err *err)
{
    char *line = config->text;

    for (int number = 1; line; number++) {
        char *end = strchr(line, '\n');

        if (end)
            *end = '\0';
        if (config_line(line, args, err)) {
            err_prefix(err, "%.200s line %d", config->path, number);
            return err_remedy(err, "correct it, or give --config=/dev/null");
        }
        line = end ? end + 1 : NULL;
    }
    return 0;
}

/* Root obeys only what nobody else can have written. */
static bool config_may_obey(const char *path, const struct stat *status)
{
    if (geteuid() != 0 || (status->st_uid == 0 && !(status->st_mode & 022)))
        return true;
    log_line("configuration %s is ignored: others than root can write it", path);
    return false;
}

static char *config_read(int fd)
{
    char *text = xcalloc(1, CONFIG_MAX_BYTES + 1);
    size_t used = 0;
    ssize_t got;

    while (used < CONFIG_MAX_BYTES &&
           (got = read(fd, text + used, CONFIG_MAX_BYTES - used)) > 0)
        used += (size_t)got;
    text[used] = '\0';
    return text;
}

/* 1: read; 0: there is none, or it is not to be obeyed, errno says why. */
static int config_open(struct config *config, bool is_named)
{
    int fd = open(config->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat status;

    if (fd < 0)
        return 0;
    errno = EINVAL;
    if (!fstat(fd, &status) &&
        (is_named || (S_ISREG(status.st_mode) && config_may_obey(config->path, &status))))
        config->text = config_read(fd);
    close(fd);
    return config->text != NULL;
}

static bool config_place(struct config *config, const char *folder, const char *name)
{
    int length;

    if (!folder || folder[0] != '/')
        return false;
    length = snprintf(config->path, sizeof(config->path), "%s%s", folder, name);
    return length > 0 && (size_t)length < sizeof(config->path) &&
           config_open(config, false);
}

int config_load(struct config *config, const char *path, struct args *args,
                struct err *err)
{
    if (path) {
        snprintf(config->path, sizeof(config->path), "%s", path);
        if (!config_open(config, true)) {
            err_set_errno(err, ERR_USAGE, errno, "cannot read the configuration %.200s",
                          path);
            return err_remedy(err, "check the path given with --config");
        }
    } else if (!config_place(config, getenv("HEAPTOPRC"), "") &&
               !config_place(config, getenv("XDG_CONFIG_HOME"), "/heaptop/heaptoprc") &&
               !config_place(config, getenv("HOME"), "/.config/heaptop/heaptoprc") &&
               !config_place(config, "/etc", "/heaptoprc")) {
        return 0;
    }
    log_line("configuration %s", config->path);
    return config_parse(config, args, err);
}

void config_release(struct config *config)
{
    free(config->text);
    config->text = NULL;
}
