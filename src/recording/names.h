/*
 * names.h - the texts of a recording, each with a number from 1. Belongs to one
 * encoder. NAMES_MAX texts are told apart; all further ones are the number of
 * "(other names)".
 */
#ifndef HEAPTOP_RECORDING_NAMES_H
#define HEAPTOP_RECORDING_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include "heaptop/snapshot.h"

#define NAMES_MAX (1u << 18)
/* Of these, so many may be what plugins say. */
#define PLUGIN_NAMES_MAX (1u << 14)

struct encoded_name;
struct names;

struct names *names_new(void);
void names_free(struct names *names);

/* 0 for "". */
int64_t names_number(struct names *names, const char *text);
/* The same for what plugins say: beyond PLUGIN_NAMES_MAX that of "(other names)". */
int64_t names_of_plugin(struct names *names, const char *text);
/* The same, quick: a kind is asked for in every sample. */
int64_t names_of_kind(struct names *names, const struct kind *kind);

/* Those that came since names_forget_new(). Borrowed until the next one comes. */
size_t names_new_ones(const struct names *names, const struct encoded_name **found);
void names_forget_new(struct names *names);

#endif
