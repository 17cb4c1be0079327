/* Interposed by LD_PRELOAD: a clock that a test sets, and a file system whose locks do not work.
 *
 * FAKE_CLOCK names a file that holds seconds to add to the time of day; FAKE_FLOCK=none: every lock is had at once;
 * FAKE_FLOCK=error: there are no locks. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *at) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int done = real(clock, at);
    const char *path = getenv("FAKE_CLOCK");
    if (done == 0 && clock == CLOCK_REALTIME && path) {
        char text[32] = {0};
        int file = open(path, O_RDONLY | O_CLOEXEC);
        if (file >= 0) {
            if (read(file, text, sizeof text - 1) > 0) at->tv_sec += atol(text);
            close(file);
        }
    }
    return done;
}

int flock(int file, int operation) {
    static int (*real)(int, int);
    if (!real) real = (int (*)(int, int))dlsym(RTLD_NEXT, "flock");
    const char *how = getenv("FAKE_FLOCK");
    if (how && !strcmp(how, "none")) return 0;
    if (how && !strcmp(how, "error")) { errno = ENOLCK; return -1; }
    return real(file, operation);
}
