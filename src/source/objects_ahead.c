#include "source/objects_ahead.h"

#include <pthread.h>
#include <stdlib.h>

#include "source/objects_walk.h"
#include "util/window.h"

#define AHEAD_MOST 3 /* windows in front of the one that was taken */
#define OVERLAP    4096

enum ahead_state {
    AHEAD_FREE = 0,
    AHEAD_READING,
    AHEAD_READY,
    AHEAD_FAILED,
};

struct ahead_window {
    enum ahead_state state;
    uint64_t address, bytes_read, absent_bytes;
    uint8_t *bytes;
};

struct walk_ahead {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint64_t window_bytes;
    uint64_t end;     /* of the chain under way */
    uint64_t current; /* the address of the window that was taken last; 0: none */
    unsigned depth;   /* so many may be read ahead of it */
    bool is_over;     /* helpers go */
    struct ahead_window windows[AHEAD_MOST + 1];
};

struct walk_ahead *walk_ahead_open(uint64_t window_bytes)
{
    struct walk_ahead *ahead = calloc(1, sizeof(*ahead));

    if (!ahead)
        return NULL;
    pthread_mutex_init(&ahead->lock, NULL);
    pthread_cond_init(&ahead->changed, NULL);
    ahead->window_bytes = window_bytes;
    return ahead;
}

void walk_ahead_close(struct walk_ahead *ahead)
{
    if (!ahead)
        return;
    walk_ahead_rest(ahead);
    pthread_mutex_destroy(&ahead->lock);
    pthread_cond_destroy(&ahead->changed);
    free(ahead);
}

void walk_ahead_forget(struct walk_ahead *ahead)
{
    if (ahead)
        ahead->current = ahead->depth = 0;
}

void walk_ahead_rest(struct walk_ahead *ahead)
{
    for (size_t i = 0; ahead && i <= AHEAD_MOST; i++) {
        window_give(ahead->windows[i].bytes, ahead->window_bytes);
        ahead->windows[i].bytes = NULL;
        ahead->windows[i].state = AHEAD_FREE;
    }
}

void walk_ahead_begin(struct walk_ahead *ahead)
{
    if (!ahead)
        return;
    ahead->is_over = false;
    for (size_t i = 0; i <= AHEAD_MOST; i++)
        ahead->windows[i].state = AHEAD_FREE;
}

void walk_ahead_end(struct walk_ahead *ahead)
{
    if (!ahead)
        return;
    pthread_mutex_lock(&ahead->lock);
    ahead->is_over = true;
    pthread_cond_broadcast(&ahead->changed);
    pthread_mutex_unlock(&ahead->lock);
}

/* ---- with the lock ---- */

static uint64_t ahead_step(const struct walk_ahead *ahead)
{
    return ahead->window_bytes - OVERLAP;
}

static struct ahead_window *ahead_find(struct walk_ahead *ahead, uint64_t address)
{
    for (size_t i = 0; i <= AHEAD_MOST; i++) {
        struct ahead_window *window = &ahead->windows[i];

        if (window->state != AHEAD_FREE && window->address == address)
            return window;
    }
    return NULL;
}

/* The first worker's own window, of which it needs nothing any longer, or another one. */
static uint8_t *ahead_bytes(const struct walk_ahead *ahead, struct walk_worker *worker)
{
    uint8_t *bytes = worker->index ? NULL : worker->window;

    if (!bytes)
        return window_take(ahead->window_bytes);
    worker->window = NULL;
    worker->window_bytes = 0;
    return bytes;
}

/* Room for the window; NULL when there is none now. */
static struct ahead_window *ahead_claim(struct walk_ahead *ahead,
                                        struct walk_worker *worker, uint64_t address)
{
    for (size_t i = 0; i <= AHEAD_MOST; i++) {
        struct ahead_window *window = &ahead->windows[i];

        if (window->state != AHEAD_FREE)
            continue;
        if (!window->bytes)
            window->bytes = ahead_bytes(ahead, worker);
        if (!window->bytes)
            return NULL;
        window->state = AHEAD_READING;
        window->address = address;
        return window;
    }
    return NULL;
}

/* The next window that nobody reads yet, as far ahead as it may be. */
static struct ahead_window *ahead_claim_next(struct walk_ahead *ahead,
                                             struct walk_worker *worker)
{
    uint64_t step = ahead_step(ahead);

    for (unsigned i = 1; ahead->current && i <= ahead->depth; i++) {
        uint64_t address = ahead->current + i * step;

        if (address >= ahead->end)
            break;
        if (!ahead_find(ahead, address))
            return ahead_claim(ahead, worker, address);
    }
    return NULL;
}

/* Lets the lock go while it reads. */
static void ahead_read(struct walk_ahead *ahead, struct ahead_window *window,
                       struct walk_worker *worker)
{
    uint64_t left = ahead->end - window->address;
    bool is_bad;

    window->bytes_read = left < ahead->window_bytes ? left : ahead->window_bytes;
    window->absent_bytes = 0;
    pthread_mutex_unlock(&ahead->lock);
    pagemap_forget(&worker->pagemap);
    is_bad = pagemap_read(&worker->pagemap, worker->walk->reader, window->address,
                          window->bytes, window->bytes_read, &window->absent_bytes) != 0;
    pthread_mutex_lock(&ahead->lock);
    window->state = is_bad ? AHEAD_FAILED : AHEAD_READY;
    pthread_cond_broadcast(&ahead->changed);
}

/* Where the chain is now; what it left behind, or will not meet, makes room. */
static void ahead_move(struct walk_ahead *ahead, uint64_t address, uint64_t end)
{
    uint64_t step = ahead_step(ahead);

    if (address == ahead->current + step && end == ahead->end)
        ahead->depth += ahead->depth < AHEAD_MOST;
    else if (address != ahead->current)
        ahead->depth = 0;
    ahead->current = address;
    ahead->end = end;
    for (size_t i = 0; i <= AHEAD_MOST; i++) {
        struct ahead_window *window = &ahead->windows[i];

        if (window->state != AHEAD_READING &&
            (window->address - address) / step > ahead->depth)
            window->state = AHEAD_FREE;
    }
}

/* The window when it is settled; until then this worker reads what it can. */
static struct ahead_window *ahead_wait(struct walk_ahead *ahead,
                                       struct walk_worker *worker, uint64_t address)
{
    struct ahead_window *window, *more;

    while (!(window = ahead_find(ahead, address)) || window->state == AHEAD_READING) {
        more = window ? ahead_claim_next(ahead, worker)
                      : ahead_claim(ahead, worker, address);
        if (more)
            ahead_read(ahead, more, worker);
        else if (window)
            pthread_cond_wait(&ahead->changed, &ahead->lock);
        else
            return NULL;
    }
    return window;
}

static bool ahead_swap(struct ahead_window *window, struct walk_worker *worker)
{
    uint8_t *bytes = worker->window;
    bool is_good = window->state == AHEAD_READY;

    window->state = AHEAD_FREE;
    worker->window = window->bytes;
    window->bytes = bytes;
    if (!is_good)
        return false;
    worker->window_address = window->address;
    worker->window_bytes = window->bytes_read;
    worker->counts.absent_bytes += window->absent_bytes;
    return true;
}

/* ---- without ---- */

bool walk_ahead_take(struct walk_ahead *ahead, struct walk_worker *worker, uint64_t at,
                     uint64_t end)
{
    struct ahead_window *window;
    uint64_t address;
    bool is_taken;

    if (!ahead)
        return false;
    pthread_mutex_lock(&ahead->lock);
    address = at;
    if (ahead->current && at - ahead->current < 2 * ahead_step(ahead) &&
        end == ahead->end)
        address = ahead->current +
                  (at - ahead->current) / ahead_step(ahead) * ahead_step(ahead);
    ahead_move(ahead, address, end);
    pthread_cond_broadcast(&ahead->changed);
    window = ahead_wait(ahead, worker, address);
    is_taken = window && ahead_swap(window, worker);
    pthread_mutex_unlock(&ahead->lock);
    pagemap_forget(&worker->pagemap);
    return is_taken;
}

void walk_ahead_help(struct walk_ahead *ahead, struct walk_worker *worker)
{
    if (!ahead)
        return;
    pthread_mutex_lock(&ahead->lock);
    while (!ahead->is_over) {
        struct ahead_window *window = ahead_claim_next(ahead, worker);

        if (window)
            ahead_read(ahead, window, worker);
        else
            pthread_cond_wait(&ahead->changed, &ahead->lock);
    }
    pthread_mutex_unlock(&ahead->lock);
}
