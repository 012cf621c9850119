// Preloaded: sends SIGINT to perrin-engine while its libraries are being loaded, before main().
#define _GNU_SOURCE
#include <signal.h>
#include <string.h>
#include <unistd.h>

__attribute__((constructor)) static void interrupt_early(void) {
  char program[4096] = {0};
  if (readlink("/proc/self/exe", program, sizeof program - 1) > 0 && strstr(program, "perrin-engine") != NULL)
    raise(SIGINT);
}
