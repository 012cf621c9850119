/* Host service: messages into the run's log and onto the console. */
#ifndef PERRIN_HOST_LOG_H
#define PERRIN_HOST_LOG_H

#include "../abi.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PERRIN_HOST_LOG "perrin.log/1"

#define PERRIN_LOG_DEBUG 0u
#define PERRIN_LOG_INFO 1u
#define PERRIN_LOG_WARNING 2u

typedef struct perrin_host_log {
  uint32_t struct_size;
  uint32_t reserved;
  /* [any] One line without a line end; the host adds time, level and the plugin's id. Never blocks on a device. */
  void (*write)(uint32_t level, perrin_text line);
} perrin_host_log;
PERRIN_STATIC_ASSERT(sizeof(perrin_host_log) == 16, "perrin_host_log");

#ifdef __cplusplus
}
#endif
#endif
