/* Host service: reads the validated values of a component's table. */
#ifndef PERRIN_HOST_CONFIG_H
#define PERRIN_HOST_CONFIG_H

#include "../abi.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PERRIN_HOST_CONFIG "perrin.config/1"

/* Each getter is [any], fails with PERRIN_INVALID_CONFIG if the schema has no such key of that type, and points into
 * `config`, which lives until the call that received it returns. Defaults are filled in already. */
typedef struct perrin_host_config {
  uint32_t struct_size;
  uint32_t reserved;
  perrin_status* (*get_boolean)(const perrin_config* config, perrin_text key, int32_t* value); /* 0 or 1 */
  perrin_status* (*get_integer)(const perrin_config* config, perrin_text key, int64_t* value);
  perrin_status* (*get_number)(const perrin_config* config, perrin_text key, double* value);
  perrin_status* (*get_string)(const perrin_config* config, perrin_text key, perrin_text* value);
  perrin_status* (*get_integers)(const perrin_config* config, perrin_text key, const int64_t** values, uint64_t* n);
  perrin_status* (*get_numbers)(const perrin_config* config, perrin_text key, const double** values, uint64_t* n);
  perrin_status* (*get_strings)(const perrin_config* config, perrin_text key, const perrin_text** values, uint64_t* n);
} perrin_host_config;
PERRIN_STATIC_ASSERT(sizeof(perrin_host_config) == 64, "perrin_host_config");

#ifdef __cplusplus
}
#endif
#endif
