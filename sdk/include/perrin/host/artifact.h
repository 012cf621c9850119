/* Host service: where the files are that a component's configuration names. */
#ifndef PERRIN_HOST_ARTIFACT_H
#define PERRIN_HOST_ARTIFACT_H

#include "../abi.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PERRIN_HOST_ARTIFACT "perrin.artifact/1"

typedef struct perrin_host_artifact {
  uint32_t struct_size;
  uint32_t reserved;
  /* [any] The absolute path of an existing file or folder, to be read only. An absolute `name` stands for itself; a
   * relative one is looked for in the experiment file's folder, the working folder, each folder of PERRIN_DATA, and
   * /usr/share/datasets. PERRIN_IO, with every place that was tried, if there is none. The text is static. */
  perrin_status* (*find)(perrin_text name, perrin_text* path);
} perrin_host_artifact;
PERRIN_STATIC_ASSERT(sizeof(perrin_host_artifact) == 16, "perrin_host_artifact");

#ifdef __cplusplus
}
#endif
#endif
