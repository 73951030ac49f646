/*
 * folder.h - which plugins there are, and whether they may be loaded.
 *
 * A plugin is a file NAME.so in one of the folders. It runs with the rights of who starts
 * heaptop until it is loaded, so nobody else may be able to change it: the file and every
 * folder above it belong to root, or to the user where heaptop has no rights of its own,
 * and nobody else can write there. Nothing of $HOME is looked at with rights.
 */
#ifndef HEAPTOP_PLUGIN_FOLDER_H
#define HEAPTOP_PLUGIN_FOLDER_H

#include <stdbool.h>
#include <stddef.h>

#include "heaptop/err.h"
#include "heaptop/plugins.h"

#define PLUGIN_PATH_BYTES 1024

struct plugin_file {
    char name[PLUGIN_NAME_BYTES];
    char path[PLUGIN_PATH_BYTES];
    char why[320]; /* why it is not to be loaded; "" = it may be */
};

struct plugin_files {
    struct plugin_file files[PLUGINS_MAX]; /* by name */
    size_t count;
};

/* `extra` is --plugin-dir or NULL: it is looked at first, then the user's, then the
 * installed one. Of two of one name the first counts. */
void plugin_files_find(struct plugin_files *found, const char *extra, bool has_rights);

/* Where those are that were installed with heaptop. */
extern const char *const plugin_folder_installed;

/* Opens the file for dlopen(), once more checked: a descriptor, or -1. */
int plugin_file_open(const char *path, bool has_rights, struct err *err);

#endif
