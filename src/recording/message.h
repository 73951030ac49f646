/*
 * message.h - what heaptop and its recorder say to each other over a stream socket:
 * a head, then `length` bytes. Both are of one program, so structs go as they are; each
 * side still checks every length.
 */
#ifndef HEAPTOP_RECORDING_MESSAGE_H
#define HEAPTOP_RECORDING_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "recording/database.h"
#include "recording/recorder.h"

#define MESSAGE_BYTES_MAX ((uint32_t)80 << 20)

enum message_type {
    MESSAGE_OPEN = 1, /* struct message_open; answered */
    MESSAGE_NAME,     /* struct message_name, then the text */
    MESSAGE_EVENT,    /* struct event */
    MESSAGE_MARK,     /* struct message_mark */
    MESSAGE_SAMPLE,   /* struct headline, then the packed bytes; answered */
    MESSAGE_CLOSE,    /* answered */
    MESSAGE_RECALL,   /* struct message_recall; answered, and `more` bytes follow */
};

struct message_head {
    uint32_t type, length;
};

struct message_open {
    char path[RECORDER_PATH_BYTES];
    pid_t pid;
    int64_t keep_bytes, keep_ns;
};

struct message_name {
    uint32_t number;
};

struct message_mark {
    int64_t number, seq; /* seq of the sample that is marked */
    bool is_automatic;
    char name[48];
};

/* The packed bytes of these samples: for each a struct message_recalled and its bytes. */
struct message_recall {
    int64_t first, last;
    uint32_t files_back; /* 0: in the file that is written */
};

struct message_recalled {
    uint32_t length;
};

struct message_answer {
    uint32_t to;   /* enum message_type */
    uint32_t more; /* bytes that follow */
    bool is_done;
    bool is_folder;
    char path[RECORDER_PATH_BYTES];
    int64_t samples, bytes;
    int64_t lost;   /* samples, since the answer before */
    struct err err; /* when it is not done, or samples are lost */
};

/* Once, as sendmsg() and recvmsg() do; flags as MSG_DONTWAIT. */
ssize_t message_send_some(int socket, const void *bytes, size_t length, int flags);
ssize_t message_receive_some(int socket, void *bytes, size_t length, int flags);
/* Blocks until all is received: 0, or -1 at the end of the stream. */
int message_receive(int socket, void *bytes, size_t length);
int message_send(int socket, const void *bytes, size_t length);

/* recorder_process.c: the recorder's life. */
void recorder_main(int socket, const char *only) __attribute__((noreturn));

#endif
