/* Component extension: what an instance reads beside its configuration. The host hashes it, so that what was computed from
 * other data (latents in a cache, the steps of a run that is resumed) is never taken for this. Files that a component finds
 * by perrin.artifact/1 are known to the host without it, folders are not. A dataset without it can be trained on; its latents
 * are then encoded anew at every start. */
#ifndef PERRIN_HOST_IDENTITY_H
#define PERRIN_HOST_IDENTITY_H

#include "../abi.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PERRIN_IDENTITY "perrin.identity/1"

typedef struct perrin_identity_sink {
  uint32_t struct_size;
  uint32_t reserved;
  void* context;
  /* [instance-serial] A file that results depend on. `name`: what the data call it, the same wherever they lie
   * ("cats/1.png"); `path`: where it lies, absolute. The host hashes name, size and content, and remembers the content's hash
   * as long as path, size, times and inode stay. Copies what it needs. */
  perrin_status* (*file)(void* context, perrin_text name, perrin_text path);
  /* [instance-serial] What is no file: a generator's revision, a data base's state. */
  perrin_status* (*bytes)(void* context, perrin_text name, uint64_t n, const uint8_t* bytes);
} perrin_identity_sink;
PERRIN_STATIC_ASSERT(sizeof(perrin_identity_sink) == 32, "perrin_identity_sink");

typedef struct perrin_identity {
  uint32_t struct_size;
  uint32_t reserved;
  /* [any] Tells everything, in an order that follows from the data. Nothing told: all follows from id, version and
   * configuration. */
  perrin_status* (*declare)(void* instance, const perrin_identity_sink* sink);
} perrin_identity;
PERRIN_STATIC_ASSERT(sizeof(perrin_identity) == 16, "perrin_identity");

#ifdef __cplusplus
}
#endif
#endif
