/*
 * target_name.h - what a process is called in exported numbers: a name that stays the
 * same when it is started again, which a PID does not. Pure.
 */
#ifndef HEAPTOP_SINK_TARGET_NAME_H
#define HEAPTOP_SINK_TARGET_NAME_H

#define TARGET_NAME_MAX 64

/* Of a command line: "gunicorn" of "python3 -X dev /usr/bin/gunicorn app:app",
 * "http.server" of "python3 -m http.server"; "python" when there is nothing better. */
const char *target_name(const char *command, char name[TARGET_NAME_MAX]);

#endif
