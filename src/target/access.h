/*
 * access.h - why the kernel forbids reading a process, in words.
 *
 * Nothing here decides access: that is done by trying. This explains a refusal
 * afterwards, from the owner, the capabilities and the policies in force.
 */
#ifndef HEAPTOP_TARGET_ACCESS_H
#define HEAPTOP_TARGET_ACCESS_H

#include <sys/types.h>

#include "heaptop/err.h"

/* Tries: 0 when the memory of the process may be read, else the errno value. */
int access_try(pid_t pid);

/* Fills `word` ("uid", "Yama", "dumpable", "container", "policy") and the
 * sentence with its remedy (ERR_DENIED). */
void access_explain(pid_t pid, char word[16], struct err *err);

/* The name of a user, or the number. Looked up in heaptop's own root only. */
void access_user_name(uid_t uid, char name[33]);

#endif
