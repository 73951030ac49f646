/*
 * region.h - the 64 KiB that the stub, the agent and the injector share.
 *
 * The stub (src/attach/stub_*.S) maps it in the target; the injector reads and
 * writes it from outside. The first page carries the hand-over, the second one
 * begins the agent's page when no memfd could be made. Included by assembler, by the
 * agent and by the injector; the offsets are proven where the struct is defined.
 */
#ifndef HEAPTOP_AGENT_REGION_H
#define HEAPTOP_AGENT_REGION_H

#define REGION_BYTES 65536
#define REGION_PAGE  4096 /* offset of the agent's private page */

/* Of all threads that the agent has in a target, and of its sleeping copy. */
#define AGENT_THREAD_NAME "heaptop"

/* By which a C library tells each thread that the program changes its user or groups, and
 * waits for it: no thread that heaptop borrows or starts may block it. */
#define GLIBC_SIGSETXID  33 /* nptl/nptl_setxid.c */
#define MUSL_SIGSYNCCALL 34 /* src/thread/synccall.c */

#define REGION_STATE       8
#define REGION_TROUBLE     12
#define REGION_COMMAND     16
#define REGION_GO          20
#define REGION_TAKE_BACK   24
#define REGION_TAKEN       28
#define REGION_IMAGE_BYTES 32
#define REGION_DATA_OFFSET 40
#define REGION_DATA_BYTES  48
#define REGION_IMAGE       56
#define REGION_ENTRY       64
#define REGION_MAP_FLAGS   88
#define REGION_FILE        92
#define REGION_FILE_FLAGS  96
#define REGION_FILE_NAME   100

/* Values of state. */
#define REGION_STATE_READY     1 /* the new thread runs, or waits for a command */
#define REGION_STATE_MAPPED    2 /* room for the image is there */
#define REGION_STATE_FAILED    3 /* trouble holds an errno; the thread is leaving */
#define REGION_STATE_RUNNING   4 /* the agent runs from its own memory */
#define REGION_STATE_OFFERED   5 /* channel_fd may be taken */
#define REGION_STATE_CONNECTED 6 /* the agent has its page, shared or private */
#define REGION_STATE_FILE      7 /* `file` is there and empty; a command is awaited */

/* Values of command. */
#define REGION_COMMAND_MAP   1
#define REGION_COMMAND_LEAVE 2
#define REGION_COMMAND_FILE  3 /* where code may not be anonymous: make a memory file */

/* Values of go. */
#define REGION_GO_RUN   1
#define REGION_GO_LEAVE 2

#ifndef __ASSEMBLER__
#include <stddef.h>
#include <stdint.h>

struct agent_region {
    uint64_t magic;
    uint32_t state;
    uint32_t trouble;
    uint32_t command;   /* looked at after each nap of the new thread */
    uint32_t go;        /* futex of the new thread */
    uint32_t take_back; /* futex of the borrowed thread: nobody else frees it */
    uint32_t taken;     /* the borrowed thread is out of the stub */
    uint64_t image_bytes;
    uint64_t data_offset;
    uint64_t data_bytes;
    uint64_t image;
    uint64_t entry;
    int32_t channel_tid;    /* the thread whose descriptor it is; 0 = of all */
    int32_t channel_fd;     /* the agent's memfd while it is offered; -1 = none */
    uint32_t channel_taken; /* futex: heaptop holds it now */
    uint32_t page_is_private;
    uint32_t map_flags; /* of the image: anonymous, or of the file */
    int32_t file;       /* its descriptor and 1; 0 = none */
    uint32_t file_flags;
    char file_name[12];
};

#define REGION_CHECK(member, offset)                                  \
    _Static_assert(offsetof(struct agent_region, member) == (offset), \
                   "assembler and C disagree about " #member)
REGION_CHECK(state, REGION_STATE);
REGION_CHECK(trouble, REGION_TROUBLE);
REGION_CHECK(command, REGION_COMMAND);
REGION_CHECK(go, REGION_GO);
REGION_CHECK(take_back, REGION_TAKE_BACK);
REGION_CHECK(taken, REGION_TAKEN);
REGION_CHECK(image_bytes, REGION_IMAGE_BYTES);
REGION_CHECK(data_offset, REGION_DATA_OFFSET);
REGION_CHECK(data_bytes, REGION_DATA_BYTES);
REGION_CHECK(image, REGION_IMAGE);
REGION_CHECK(entry, REGION_ENTRY);
REGION_CHECK(map_flags, REGION_MAP_FLAGS);
REGION_CHECK(file, REGION_FILE);
REGION_CHECK(file_flags, REGION_FILE_FLAGS);
REGION_CHECK(file_name, REGION_FILE_NAME);
#endif

#endif
