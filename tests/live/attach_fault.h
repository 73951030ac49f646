/*
 * attach_fault.h - lets the attach driver come to harm at a named moment.
 *
 * HEAPTOP_FAULT is POINT[#N]=ACTION: at the N-th time (1) that POINT of
 * src/attach/faultpoints.def is reached, do ACTION:
 *   kill      SIGKILL for the driver, and for the process that is there
 *   crash     SIGSEGV in the process that is there only (an injector, mostly)
 *   stop MS   SIGSTOP for the process that is there; a helper continues it after MS ms
 */
#ifndef HEAPTOP_TESTS_ATTACH_FAULT_H
#define HEAPTOP_TESTS_ATTACH_FAULT_H

#include <stdbool.h>

/* -1 when the words are none; NULL arms nothing. */
int attach_fault_arm(const char *words);

/* One line for each moment of an attach by ptrace, or for those that come only when
 * CPython is asked to execute a script: its name, a tab, its words. The exit status. */
int attach_fault_list(bool is_remote);

#endif
