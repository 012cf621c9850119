/* Host service: progress of long work, and whether the user asked to stop. */
#ifndef PERRIN_HOST_PROGRESS_H
#define PERRIN_HOST_PROGRESS_H

#include "../abi.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PERRIN_HOST_PROGRESS "perrin.progress/1"

typedef struct perrin_host_progress {
  uint32_t struct_size;
  uint32_t reserved;
  /* [any] `done` of `total` (0: unknown) units of `what`. Cheap: the host thins the calls out. */
  void (*report)(uint64_t done, uint64_t total, perrin_text what);
  /* [any] Not 0 once the user asked to stop. Poll it at least every 100 ms of work, then return PERRIN_CANCELLED. */
  int32_t (*cancelled)(void);
} perrin_host_progress;
PERRIN_STATIC_ASSERT(sizeof(perrin_host_progress) == 24, "perrin_host_progress");

#ifdef __cplusplus
}
#endif
#endif
