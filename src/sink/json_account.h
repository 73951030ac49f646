/*
 * json_account.h - the members account, malloc and free_lists of a sample.
 *
 * Each gives a new value, null when the section is not there. doc/json.md says what is
 * in them.
 */
#ifndef HEAPTOP_SINK_JSON_ACCOUNT_H
#define HEAPTOP_SINK_JSON_ACCOUNT_H

#include <jansson.h>

#include "heaptop/snapshot.h"

json_t *json_account(const struct snapshot *snapshot);
json_t *json_malloc(const struct snapshot *snapshot);
json_t *json_free_lists(const struct snapshot *snapshot);

#endif
