#include "source/objects_walk.h"

#include <stdlib.h>
#include <string.h>

#include "layout/malloc_layout.h"
#include "util/bytes.h"

/*
 * Objects of more than 512 bytes that the garbage collector does not track (str, bytes,
 * int, code, tuples of such) stand on no list: they are found by going through glibc's
 * chunks. What realloc shrank stays where it was (bytesobject.c _PyBytes_Resize, as in
 * os.read), so that smaller ones may be there, too. malloc.c: a chunk is {prev_size, size
 * | flags, user data...}; chunk i is in use when chunk i + 1 says so; mmapped chunks are
 * pages of their own. With another malloc nothing looks like a chunk, and nothing is
 * found.
 */
#define CHUNK_LARGE        528  /* the smallest for a request of more than 512 bytes */
#define CHUNK_SHRUNK       48   /* the smallest that an object in it shrank to */
#define CHAIN_LENGTH       6    /* so many plausible chunks in a row are no accident */
#define THREAD_FIRST_CHUNK 4096 /* heap_info and malloc_state are shorter */
#define MMAPPED_PER_STEP   256
#define PAGE               4096u
#define BOUNDARY_EVERY     (UINT64_C(64) << 10)
#define RESTARTS_MAX       4
#define STRANGE_PAGES_MOST 64
#define PREFETCH_BYTES     768 /* in front of the chunk that is looked at */

void walk_set_regions(struct walk *walk, const struct walk_region *regions, size_t count)
{
    struct walk_chunks *chunks = &walk->chunks;

    free(chunks->regions);
    memset(chunks, 0, sizeof(*chunks));
    chunks->regions = calloc(count ? count : 1, sizeof(*regions));
    if (!chunks->regions || !count)
        return;
    memcpy(chunks->regions, regions, count * sizeof(*regions));
    chunks->count = count;
}

void walk_chunks_release(struct walk *walk)
{
    free(walk->chunks.regions);
    memset(&walk->chunks, 0, sizeof(walk->chunks));
}

/* Without pymalloc each object is here: what could not be read may have been one. */
static void chunk_unreadable(struct walk *walk)
{
    walk->workers[0].counts.absent_chunks += walk->method == WALK_BY_CHUNKS;
}

/* ---- chains: the main heap, and the heaps of threads ---- */

/* In the heap of a thread a chunk in use says so, a free one (malloc.c set_head) not. */
static bool chunk_is_plausible(const struct walk_chunks *chunks, uint64_t at,
                               uint64_t word)
{
    uint64_t bytes = word & ~CHUNK_FLAGS;

    return bytes >= CHUNK_MIN && !(bytes & 15) && bytes <= chunks->end - at &&
           !(word & CHUNK_MMAPPED) && (word & CHUNK_OTHER_ARENA & ~chunks->flag) == 0;
}

/* Do several chunks follow each other from here, as far as the window shows? */
static bool chain_holds(const struct walk *walk, uint64_t at)
{
    for (int n = 0; n < CHAIN_LENGTH; n++) {
        uint64_t offset = at - walk->workers[0].window_address, word;

        if (at == walk->chunks.end || offset >= walk->workers[0].window_bytes ||
            walk->workers[0].window_bytes - offset < CHUNK_HEADER)
            return n >= CHAIN_LENGTH / 2;
        word = u64_at(walk->workers[0].window, offset + 8);
        if (!chunk_is_plausible(&walk->chunks, at, word))
            return false;
        at += word & ~CHUNK_FLAGS;
    }
    return true;
}

/* The window from `at` on; false when it cannot be read. */
static bool chain_window(struct walk *walk, uint64_t at)
{
    uint64_t length = at < walk->chunks.read_end ? walk->chunks.read_end - at : 0;

    if (length > walk->window_capacity)
        length = walk->window_capacity;
    walk->workers[0].window_address = at;
    walk->workers[0].window_bytes = 0;
    pagemap_forget(&walk->workers[0].pagemap);
    if (length < CHUNK_MIN)
        return false;
    if (pagemap_read(&walk->workers[0].pagemap, walk->reader, at, walk->workers[0].window,
                     length, &walk->workers[0].counts.absent_bytes)) {
        chunk_unreadable(walk);
        return false;
    }
    walk->workers[0].window_bytes = length;
    return true;
}

static bool chunk_is_in_use(struct walk *walk, uint64_t next)
{
    uint64_t offset = next - walk->workers[0].window_address, word;

    if (offset < walk->workers[0].window_bytes &&
        walk->workers[0].window_bytes - offset >= CHUNK_HEADER)
        word = u64_at(walk->workers[0].window, offset + 8);
    else if (!pagemap_one_is_present(&walk->workers[0].pagemap, next + 8)) {
        walk->workers[0].counts.absent_chunks++;
        return false;
    } else if (!reader_u64(walk->reader, raddr_of(next + 8), &word)) {
        chunk_unreadable(walk);
        return false;
    }
    return word & CHUNK_PREV_IN_USE;
}

/* After a break (the target changed it meanwhile): the next place where a chain begins,
 * or the end of the window. */
static uint64_t chain_resume(const struct walk *walk, uint64_t at)
{
    uint64_t end =
        walk->workers[0].window_address + walk->workers[0].window_bytes - CHUNK_HEADER;

    for (at += 16; at < end; at += 16) {
        if (chain_holds(walk, at))
            return at;
    }
    return at;
}

/* Notes a chunk now and then to start from again; what is behind `counted` is new. */
static void chain_went_on(struct walk_chunks *chunks, uint64_t at)
{
    if (at < chunks->counted)
        return;
    chunks->counted = at + 16;
    if (at - chunks->boundary < BOUNDARY_EVERY)
        return;
    chunks->boundary = at;
    chunks->restarts = 0;
}

/* malloc.c sysmalloc: where memory of others lies behind, and where a thread's heap ends,
 * stand two headers without a chunk. */
static bool chain_is_fence(const struct walk *walk, uint64_t at)
{
    uint64_t offset = at - walk->workers[0].window_address, left = walk->chunks.end - at;

    return left <= 2 * CHUNK_MIN ||
           (offset < walk->workers[0].window_bytes &&
            walk->workers[0].window_bytes - offset >= CHUNK_MIN &&
            (u64_at(walk->workers[0].window, offset + 8) & ~CHUNK_FLAGS) ==
                CHUNK_HEADER &&
            (u64_at(walk->workers[0].window, offset + 24) & ~CHUNK_FLAGS) <=
                CHUNK_HEADER);
}

/* Where to go on when no chunk is at `at`: the boundary that was there is gone, so once
 * more from an earlier one, with fresh bytes; at last from the next place that holds. */
static uint64_t chain_broke(struct walk *walk, uint64_t at)
{
    struct walk_chunks *chunks = &walk->chunks;
    uint64_t boundary = chunks->boundary;

    walk_stretch_broke(walk);
    if (boundary < at && at - boundary < walk->window_capacity &&
        chunks->restarts++ < RESTARTS_MAX && chain_window(walk, boundary) &&
        chain_holds(walk, boundary))
        return boundary;
    if (at - walk->workers[0].window_address >= walk->workers[0].window_bytes)
        chain_window(walk, at);
    if (!chain_is_fence(walk, at))
        chunk_unreadable(walk);
    at = chain_resume(walk, at);
    chunks->boundary = at;
    return at;
}

/* Does a type of the interpreter's image stand where bytes, str or tuple have theirs?
 * Most small chunks are native: a look at two words sorts them out. */
static bool small_may_hold(const struct walk *walk, const uint8_t *user, uint64_t left)
{
    if (left < 32 || walk->layout.pymalloc.debug_prefix_bytes)
        return true;
    return u64_at(user, 8) - walk->statics_start < walk->statics_bytes ||
           u64_at(user, GC_HEAD_BYTES + 8) - walk->statics_start < walk->statics_bytes;
}

/* One that may hold an object; of its user data so much is in the window. */
static void chain_chunk(struct walk *walk, uint64_t at, uint64_t bytes, uint64_t left)
{
    const struct walk_worker *worker = &walk->workers[0];
    const uint8_t *user = worker->window + (at - worker->window_address) + CHUNK_HEADER;
    bool is_small = bytes < CHUNK_LARGE && walk->method == WALK_BY_ARENAS;

    bool has_object =
        (!is_small || small_may_hold(walk, user, left)) &&
        chunk_is_in_use(walk, at + bytes) &&
        walk_chunk_look(walk, &(struct walk_chunk){
                                  .user = at + CHUNK_HEADER,
                                  .bytes = user,
                                  .length = left < CHUNK_LOOK ? (size_t)left : CHUNK_LOOK,
                                  .chunk_bytes = bytes,
                                  .usable_bytes = bytes - CHUNK_OVERHEAD,
                                  .sort = is_small ? CHUNK_SMALL : CHUNK_OF_CHAIN});

    if (walk->stretches.is_kept && walk->stretches.pad.is_open &&
        (!is_small || has_object))
        walk_stretch_look(walk, at);
}

/* The chunks of one window. Ends behind the last chunk that begins in it. */
static void chain_walk_window(struct walk *walk)
{
    struct walk_chunks *chunks = &walk->chunks;
    uint64_t at = chunks->at;
    uint64_t smallest = walk->method == WALK_BY_CHUNKS   ? CHUNK_MIN
                        : walk->method == WALK_BY_ARENAS ? CHUNK_SHRUNK
                                                         : CHUNK_LARGE;

    for (;;) {
        uint64_t offset = at - walk->workers[0].window_address, left, bytes, word;

        if (at >= chunks->until || offset >= walk->workers[0].window_bytes)
            break;
        left = walk->workers[0].window_bytes - offset;
        /* What stands at the window's end is looked at in the next one. */
        if (left < CHUNK_HEADER + CHUNK_LOOK && offset && left < chunks->end - at)
            break;
        if (left < CHUNK_HEADER) {
            at = chunks->end;
            break;
        }
        word = u64_at(walk->workers[0].window, offset + 8);
        if (!chunk_is_plausible(chunks, at, word)) {
            walk->workers[0].counts.absent_chunks +=
                !pagemap_is_present(&walk->workers[0].pagemap, at + 8);
            at = chain_broke(walk, at);
            continue;
        }
        bytes = word & ~CHUNK_FLAGS;
        __builtin_prefetch(walk->workers[0].window + offset + PREFETCH_BYTES);
        left -= CHUNK_HEADER;
        if (bytes >= smallest && bytes < chunks->end - at && at >= chunks->counted)
            chain_chunk(walk, at, bytes, left);
        chain_went_on(chunks, at);
        at += bytes;
    }
    chunks->at = at;
}

static void region_done(struct walk_chunks *chunks)
{
    chunks->next++;
    chunks->state = CHUNKS_NEW_REGION;
}

static void mmapped_begin(struct walk_chunks *chunks, uint64_t at)
{
    chunks->at = at;
    chunks->end = chunks->regions[chunks->next].end;
    chunks->strange_pages = 0;
    chunks->state = CHUNKS_MMAPPED;
}

/* Behind the heap of a thread more chunks may follow in what is one mapping. */
static void chain_done(struct walk *walk)
{
    struct walk_chunks *chunks = &walk->chunks;

    if (chunks->flag && chunks->end < chunks->regions[chunks->next].end)
        mmapped_begin(chunks, chunks->end);
    else
        region_done(chunks);
}

/* Behind `until` enough is read to see what begins before. */
void walk_chain_until(struct walk *walk, uint64_t until)
{
    struct walk_chunks *chunks = &walk->chunks;

    chunks->until = until;
    chunks->read_end = chunks->end - until > PAGE ? until + PAGE : chunks->end;
}

/* The window that the chain began in is still there, or it is read. */
static bool chain_read(struct walk *walk)
{
    struct walk_chunks *chunks = &walk->chunks;
    const struct walk_worker *worker = &walk->workers[0];
    bool has_window =
        chunks->has_window && chunks->at - worker->window_address < worker->window_bytes;

    chunks->has_window = false;
    return chunks->at < chunks->end && (has_window ||
                                        walk_ahead_take(walk->ahead, &walk->workers[0],
                                                        chunks->at, chunks->read_end) ||
                                        chain_window(walk, chunks->at));
}

static void chain_step(struct walk *walk)
{
    struct walk_chunks *chunks = &walk->chunks;

    if (walk_stretch_use(walk)) {
        chunks->has_window = false;
        return;
    }
    walk_stretch_open(walk);
    if (chain_read(walk))
        chain_walk_window(walk);
    else
        chunks->at = chunks->end;
    walk_stretch_close(walk);
    if (chunks->at >= chunks->end)
        chain_done(walk);
}

static void chain_begin(struct walk *walk, uint64_t at, uint64_t end, uint64_t flag)
{
    struct walk_chunks *chunks = &walk->chunks;

    chunks->at = chunks->boundary = chunks->counted = at;
    chunks->has_window = false;
    chunks->end = chunks->read_end = end;
    chunks->until = walk->stretches.is_on ? at : end;
    chunks->flag = flag;
    chunks->restarts = 0;
    chunks->state = CHUNKS_CHAIN;
    walk->stretches.chain_bytes += end - at;
}

/* arena.c heap_info: ar_ptr, prev, size; malloc_state may follow. The first chunk is
 * where a chain with the flag of a thread's arena begins. On false it is to be decided
 * anew what is at `start`. */
static bool thread_heap_begin(struct walk *walk, uint64_t start, uint64_t end)
{
    struct walk_chunks *chunks = &walk->chunks;
    uint64_t size;

    if (start % THREAD_HEAP_BYTES ||
        !pagemap_is_present(&walk->workers[0].pagemap, start))
        return false;
    if (!reader_u64(walk->reader, raddr_of(start + 16), &size)) {
        chunk_unreadable(walk);
        return false;
    }
    if (size % PAGE || size < PAGE || size > end - start)
        return false;
    chain_begin(walk, start, start + size, CHUNK_OTHER_ARENA);
    if (!chain_window(walk, start))
        return false;
    for (uint64_t at = start + 32; at < start + THREAD_FIRST_CHUNK &&
                                   at - start < walk->workers[0].window_bytes - 16;
         at += 16) {
        if (u64_at(walk->workers[0].window, at + 8 - start) & CHUNK_OTHER_ARENA &&
            chain_holds(walk, at)) {
            chunks->at = chunks->boundary = chunks->counted = at;
            chunks->has_window = true;
            return true;
        }
    }
    return false;
}

/* ---- mmapped chunks, between the arenas ---- */

/* Of an arena, or of a segment of mimalloc? */
static bool is_of_python(const struct walk *walk, uint64_t at)
{
    const struct mimalloc_segment *segment =
        mimalloc_map_segment(&walk->mimalloc.map, at);

    return arena_map_has(&walk->map, at) || (segment && segment->address <= at);
}

/* Behind the next arena from `at` on, or the end of the region. */
static uint64_t behind_next_arena(const struct walk *walk, uint64_t at, uint64_t end)
{
    size_t low = 0, high = walk->table.count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (walk->table.rows[middle].address + walk->map.arena_bytes <= at)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == walk->table.count || walk->table.rows[low].address >= end)
        return end;
    return walk->table.rows[low].address + walk->map.arena_bytes;
}

static uint64_t behind_next_segment(const struct walk *walk, uint64_t at, uint64_t end)
{
    const struct mimalloc_segment *segment =
        mimalloc_map_segment(&walk->mimalloc.map, at);

    if (!segment || segment->address >= end || segment->bytes >= end - segment->address)
        return end;
    return segment->address + segment->bytes;
}

/* Where the heap of a thread may begin next; 0: nowhere. */
static uint64_t next_thread_heap(uint64_t at)
{
    return (at | (THREAD_HEAP_BYTES - 1)) + 1;
}

/* Where to look when no chunk is at this page. Small memory of others (the stacks of
 * frames, 3.11+) may stand between chunks. Without pymalloc each object is a chunk, so
 * every page is looked at. */
static uint64_t behind_no_chunk(struct walk *walk)
{
    struct walk_chunks *chunks = &walk->chunks;
    bool is_pythons = is_of_python(walk, chunks->at);

    if (walk->method == WALK_BY_CHUNKS)
        return chunks->at + PAGE;
    if (!is_pythons && chunks->strange_pages++ < STRANGE_PAGES_MOST)
        return chunks->at + PAGE;
    chunks->strange_pages = 0;
    if (walk->method == WALK_BY_MIMALLOC)
        return behind_next_segment(walk, chunks->at, chunks->end);
    return behind_next_arena(walk, chunks->at, chunks->end);
}

/* Goes there, or to where the heap of a thread may begin before, `from` or behind; true
 * when one does, in the middle of what the kernel shows as one mapping. */
static bool mmapped_go(struct walk *walk, uint64_t next, uint64_t from)
{
    struct walk_chunks *chunks = &walk->chunks;
    uint64_t region_end = chunks->end;
    uint64_t heap = next_thread_heap(from);

    chunks->at = next < heap || !heap ? next : heap;
    if (chunks->at >= region_end || chunks->at != heap)
        return false;
    if (!is_of_python(walk, heap) && thread_heap_begin(walk, heap, region_end))
        return true;
    mmapped_begin(chunks, heap);
    return false;
}

/* Where the kernel cannot be asked for it, the next page in memory may cost as much as
 * looking at every page does. */
static bool may_skip(const struct walk *walk)
{
    return walk->method == WALK_BY_CHUNKS || !walk->workers[0].pagemap.has_no_scan;
}

/* To the next page in memory: what was never touched holds no chunk, and no heap begins
 * there. Where each object is a chunk, what was swapped out may hold one. */
static bool mmapped_skip(struct walk *walk)
{
    struct walk_chunks *chunks = &walk->chunks;
    struct pagemap *pagemap = &walk->workers[0].pagemap;
    uint64_t next = pagemap_next_present(pagemap, chunks->at, chunks->end);

    walk->workers[0].counts.absent_chunks +=
        walk->method == WALK_BY_CHUNKS && pagemap_has_swapped(pagemap, chunks->at, next);
    return mmapped_go(walk, next, next - 1);
}

/* The pages of the mmapped chunk here; its beginning in `bytes`. 0: there is none. */
static uint64_t mmapped_here(struct walk *walk, uint8_t bytes[CHUNK_HEADER + CHUNK_LOOK])
{
    struct walk_chunks *chunks = &walk->chunks;

    if (reader_read(walk->reader, raddr_of(chunks->at), bytes,
                    CHUNK_HEADER + CHUNK_LOOK)) {
        chunk_unreadable(walk);
        return 0;
    }
    return malloc_mmapped_bytes(bytes, chunks->end - chunks->at);
}

static void mmapped_step(struct walk *walk)
{
    struct walk_chunks *chunks = &walk->chunks;
    uint8_t bytes[CHUNK_HEADER + CHUNK_LOOK];

    walk->workers[0].window_bytes = 0;
    pagemap_forget(&walk->workers[0].pagemap);
    for (int n = 0; n < MMAPPED_PER_STEP && chunks->at < chunks->end; n++) {
        bool is_pythons = is_of_python(walk, chunks->at);
        bool is_there =
            is_pythons || pagemap_is_present(&walk->workers[0].pagemap, chunks->at);
        uint64_t chunk = is_there && !is_pythons ? mmapped_here(walk, bytes) : 0;

        if (!is_there && may_skip(walk)) {
            if (mmapped_skip(walk))
                return;
            continue;
        }
        if (!chunk) {
            if (mmapped_go(walk, behind_no_chunk(walk), chunks->at))
                return;
            continue;
        }
        walk_chunk_look(walk, &(struct walk_chunk){.user = chunks->at + CHUNK_HEADER,
                                                   .bytes = bytes + CHUNK_HEADER,
                                                   .length = CHUNK_LOOK,
                                                   .chunk_bytes = chunk,
                                                   .usable_bytes = chunk - CHUNK_OVERHEAD,
                                                   .sort = CHUNK_MMAPPED_ALONE});
        chunks->strange_pages = 0;
        chunks->at += chunk;
    }
    if (chunks->at >= chunks->end)
        region_done(chunks);
}

static void region_begin(struct walk *walk)
{
    struct walk_chunks *chunks = &walk->chunks;
    const struct walk_region *region = &chunks->regions[chunks->next];

    if (region->is_main_heap) {
        chain_begin(walk, region->start, region->end, 0);
        chunks->has_chain = chunks->has_window =
            chain_window(walk, region->start) && chain_holds(walk, region->start);
        if (chunks->has_chain)
            return;
        walk->workers[0].counts.absent_chunks +=
            pagemap_is_swapped(&walk->workers[0].pagemap, region->start);
        region_done(chunks);
        return;
    }
    if (thread_heap_begin(walk, region->start, region->end))
        return;
    mmapped_begin(chunks, region->start);
}

uint64_t walk_chunks_left(const struct walk *walk)
{
    const struct walk_chunks *chunks = &walk->chunks;

    if (chunks->state == CHUNKS_CHAIN)
        return chunks->end - chunks->at;
    return chunks->next < chunks->count && chunks->regions[chunks->next].is_main_heap
               ? chunks->regions[chunks->next].end - chunks->regions[chunks->next].start
               : 0;
}

bool walk_chunks_step(struct walk *walk)
{
    struct walk_chunks *chunks = &walk->chunks;

    if (chunks->next >= chunks->count)
        return false;
    switch (chunks->state) {
    case CHUNKS_NEW_REGION:
        region_begin(walk);
        break;
    case CHUNKS_CHAIN:
        chain_step(walk);
        break;
    case CHUNKS_MMAPPED:
        mmapped_step(walk);
        break;
    }
    return true;
}
