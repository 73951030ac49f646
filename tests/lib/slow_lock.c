/* Preloaded into a target: who takes one of CPython's locks in a thread of heaptop's
 * keeps it for a while, as one that loses the processor there. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <semaphore.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

int sem_wait(sem_t *lock)
{
    static int (*take)(sem_t *);
    const struct timespec nap = {0, 3000000};
    char name[16] = "";
    int status;

    if (!take)
        take = (int (*)(sem_t *))dlsym(RTLD_NEXT, "sem_wait");
    status = take(lock);
    prctl(PR_GET_NAME, name, 0, 0, 0);
    if (!strcmp(name, "heaptop"))
        nanosleep(&nap, NULL);
    return status;
}
