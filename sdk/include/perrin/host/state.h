/* Component extension: what an instance has learnt beside its parameters, kept in checkpoints so that a resumed run goes on
 * bit for bit. */
#ifndef PERRIN_HOST_STATE_H
#define PERRIN_HOST_STATE_H

#include "../abi.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PERRIN_STATE "perrin.state/1"

typedef struct perrin_state {
  uint32_t struct_size;
  uint32_t reserved;
  /* [instance-serial] The whole state as bytes, little-endian; valid until the next call on the instance. n = 0: none. */
  perrin_status* (*save)(void* instance, uint64_t* n, const uint8_t** bytes);
  /* [instance-serial] Takes up what `save` gave. PERRIN_INVALID_DATA, with the instance unchanged, for other bytes. */
  perrin_status* (*load)(void* instance, uint64_t n, const uint8_t* bytes);
} perrin_state;
PERRIN_STATIC_ASSERT(sizeof(perrin_state) == 24, "perrin_state");

#ifdef __cplusplus
}
#endif
#endif
