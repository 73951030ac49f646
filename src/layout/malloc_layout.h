/*
 * malloc_layout.h - glibc's chunks, as far as heaptop reads them.
 *
 * Source: glibc malloc/malloc.c, struct malloc_chunk (2.17 - 2.41, LP64): {prev_size,
 * size | flags, user data...}. The low three bits of size are flags; whether chunk i is
 * in use is said by chunk i + 1; the prev_size of the next chunk belongs to the user
 * data, but an mmapped chunk has none. With another malloc nothing looks like that.
 */
#ifndef HEAPTOP_LAYOUT_MALLOC_LAYOUT_H
#define HEAPTOP_LAYOUT_MALLOC_LAYOUT_H

#include <stdint.h>

#define CHUNK_HEADER      16 /* bytes before the user data */
#define CHUNK_OVERHEAD    8  /* of a chunk in use: its size word */
#define CHUNK_MIN         32
#define CHUNK_FLAGS       UINT64_C(7)
#define CHUNK_PREV_IN_USE UINT64_C(1)
#define CHUNK_MMAPPED     UINT64_C(2)
#define CHUNK_OTHER_ARENA UINT64_C(4)
#define FASTBIN_MAX       128 /* global_max_fast: larger chunks never go to a fastbin */
#define THREAD_HEAP_BYTES (UINT64_C(64) << 20) /* arena.c HEAP_MAX_SIZE */

#endif
