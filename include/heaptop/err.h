/*
 * err.h - errors are sentences with a cause and a remedy.
 *
 * A function that can fail returns 0, or -1 after filling the `struct err *`
 * that is its last parameter. The caller passes it up or handles it; nothing
 * below main() and tui/ prints. There is no global error variable. "Not
 * available" is data (see reading.h), not an error; "cannot happen" is
 * assert().
 *
 * The texts are owned by the struct (fixed buffers, cut at their end), so an
 * err needs no release and may live on the stack. Any thread may use its own.
 */
#ifndef HEAPTOP_ERR_H
#define HEAPTOP_ERR_H

/* The values are heaptop's exit statuses; the manual documents them. */
enum err_code {
    ERR_NONE = 0,
    ERR_FAILED = 1,      /* run-time failure: I/O, memory, a dead line */
    ERR_USAGE = 2,       /* the command line makes no sense */
    ERR_GONE = 3,        /* the target ended, or became another process */
    ERR_DENIED = 4,      /* the kernel or a policy forbids it */
    ERR_UNSUPPORTED = 5, /* not CPython, or one that heaptop does not know */
    ERR_DAMAGED = 6,     /* a recording cannot be read */
    ERR_MET = 7,         /* no error: what --until waits for came true */
};

struct err {
    enum err_code code;
    char text[320];   /* what is wrong: "process 4242 does not exist" */
    char remedy[320]; /* what to do: "run heaptop as root", or "" */
};

#define ERR_INIT         \
    {                    \
        ERR_NONE, "", "" \
    }

/* Sets code and text; clears the remedy. Returns -1, so `return err_set(...)`. */
int err_set(struct err *err, enum err_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* As err_set, and appends ": " and the words for the errno value. */
int err_set_errno(struct err *err, enum err_code code, int error_number,
                  const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Adds the remedy to an error that is already set. Returns -1. */
int err_remedy(struct err *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Puts "context: " in front of the text. Returns -1. */
int err_prefix(struct err *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
