/* The clock of one process and its children, for tests: `faked` seconds went by while `real` ones did, times `rate`.

   Loaded before libc (LD_PRELOAD). What it says stands in the file that AGENTBASE_TEST_CLOCK names; see clock.py.
   Only the wall clock is changed: CLOCK_MONOTONIC, sleeps and timeouts of the system go on as they are. */

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

struct told { volatile int64_t version, real, faked; volatile double rate; }; /* nanoseconds since 1970 */
static struct told *told;

__attribute__((constructor)) static void begin(void)
{
    const char *name = getenv("AGENTBASE_TEST_CLOCK");
    int file = name ? open(name, O_RDONLY) : -1;
    if (file < 0) return;
    void *map = mmap(NULL, sizeof *told, PROT_READ, MAP_SHARED, file, 0);
    if (map != MAP_FAILED) told = map;
    close(file);
}

static int64_t wall(void)
{
    struct timespec now;
    syscall(SYS_clock_gettime, CLOCK_REALTIME, &now);
    int64_t real = now.tv_sec * 1000000000LL + now.tv_nsec;
    if (!told) return real;
    for (;;) {
        int64_t version = told->version;
        __sync_synchronize();
        int64_t faked = told->faked + (int64_t)((double)(real - told->real) * told->rate);
        __sync_synchronize();
        if (version % 2 == 0 && version == told->version) return faked;
    }
}

int clock_gettime(clockid_t which, struct timespec *out)
{
    if (which != CLOCK_REALTIME && which != CLOCK_REALTIME_COARSE) return syscall(SYS_clock_gettime, which, out);
    int64_t now = wall();
    out->tv_sec = now / 1000000000LL;
    out->tv_nsec = now % 1000000000LL;
    return 0;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    int64_t now = wall();
    out->tv_sec = now / 1000000000LL;
    out->tv_usec = now % 1000000000LL / 1000;
    return 0;
}

time_t time(time_t *out)
{
    time_t now = wall() / 1000000000LL;
    if (out) *out = now;
    return now;
}
