/*
 * account.h - the parts of RES: their names, and what follows from them.
 *
 * Pure. Any thread.
 */
#ifndef HEAPTOP_MODEL_ACCOUNT_H
#define HEAPTOP_MODEL_ACCOUNT_H

#include "heaptop/snapshot.h"

/* As on the screen: "objects and parts in pools". */
const char *account_part_title(enum account_part part);

/* As in JSON and in filters: "objects". */
const char *account_part_name(enum account_part part);

/* Why the garbage is not known, in JSON: "put_off", and on the screen: a sentence with
 * the cause, and what to do. NULL of the first where nothing was told. */
const char *account_garbage_why_name(enum garbage_why why);
const char *account_garbage_why_text(enum garbage_why why);

/* Sets what is left of RES when all parts are taken away. */
void account_close(struct account_section *account);

/*
 * Python's large objects and their tables lie in malloc's chunks, and only a walk knows
 * which ones: takes so many bytes from the chunks in use (or, where malloc is not
 * glibc's, from the private mappings) over to Python's part.
 */
void account_split_large(struct account_section *account, uint64_t python_bytes,
                         bool is_glibc);

/* What a restart alone returns: what is free but stays, after the best of the others. */
void account_predict_restart(struct account_section *account);

#endif
