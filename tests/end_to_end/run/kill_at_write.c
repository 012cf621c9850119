/* For LD_PRELOAD: kills the process before its write number KILL_AT_WRITE by pwrite, which only HDF5 uses here. Without
 * that variable it says at the end how many there were. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static atomic_long writes;

ssize_t pwrite64(int descriptor, const void *bytes, size_t n, off64_t at) {
  static ssize_t (*next)(int, const void *, size_t, off64_t);
  if (!next) *(void **)&next = dlsym(RTLD_NEXT, "pwrite64");
  const char *fatal = getenv("KILL_AT_WRITE");
  if (++writes == (fatal ? atol(fatal) : -1)) raise(SIGKILL);
  return next(descriptor, bytes, n, at);
}

ssize_t pwrite(int descriptor, const void *bytes, size_t n, off_t at) { return pwrite64(descriptor, bytes, n, at); }

__attribute__((destructor)) static void report(void) {
  if (!getenv("KILL_AT_WRITE")) fprintf(stderr, "%ld writes\n", writes);
}
