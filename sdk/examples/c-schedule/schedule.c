/* A noise schedule in plain C. abar(t) = 1 - (1 - last_signal) u^3 with u = (t + 1) / T: it keeps the signal for long
 * and then drops it quickly. README.md has the one line that builds it. */
#include "perrin/kind/schedule.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "perrin/host/config.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const perrin_host* host;

static int same(perrin_text a, const char* b) { return a.size == strlen(b) && memcmp(a.data, b, a.size) == 0; }
static perrin_status* fail(uint32_t code, const char* message) {
  const perrin_text text = {message, strlen(message)}, where = PERRIN_TEXT("example.cubic");
  return host->status_new(code, text, where);
}

/* ---- The schedule ------------------------------------------------------------------------------------------------ */

struct cubic {
  double T;
  double last_signal;
};

static perrin_status* domain(void* instance, perrin_time_domain* domain) {
  const struct cubic* self = instance;
  *domain = (perrin_time_domain){.t_min = 0, .t_max = self->T - 1, .steps = (uint64_t)self->T};
  return NULL;
}

static perrin_status* marginal(void* instance, uint64_t n, const double* t, double* alpha, double* sigma) {
  const struct cubic* self = instance;
  for (uint64_t i = 0; i < n; ++i) {
    const double u = (t[i] + 1) / self->T, lost = (1 - self->last_signal) * u * u * u;
    alpha[i] = sqrt(1 - lost);
    sigma[i] = sqrt(lost);
  }
  return NULL;
}

static const perrin_schedule table = {.struct_size = sizeof table, .domain = domain, .marginal = marginal};

/* ---- Its configuration: what may stand in [schedule] besides `use` ----------------------------------------------- */

static const perrin_key keys[] = {
    {.struct_size = sizeof(perrin_key),
     .type = PERRIN_INTEGER,
     .flags = PERRIN_KEY_MIN | PERRIN_KEY_MAX,
     .name = PERRIN_TEXT("steps"),
     .default_value = PERRIN_TEXT("1000"),
     .min = 1,
     .max = 1e6,
     .unit = PERRIN_TEXT("steps"),
     .doc = PERRIN_TEXT("number T of noise levels"),
     .since = PERRIN_TEXT("1.0.0")},
    {.struct_size = sizeof(perrin_key),
     .type = PERRIN_NUMBER,
     .flags = PERRIN_KEY_MIN | PERRIN_KEY_MAX | PERRIN_KEY_MAX_EXCLUSIVE,
     .name = PERRIN_TEXT("last_signal"),
     .default_value = PERRIN_TEXT("1e-4"),
     .min = 0,
     .max = 1,
     .doc = PERRIN_TEXT("abar of the last level; 0 gives zero terminal SNR"),
     .since = PERRIN_TEXT("1.0.0")},
};

static perrin_status* create(const perrin_host* from, const perrin_config* config, void** instance) {
  const perrin_text id = PERRIN_TEXT(PERRIN_HOST_CONFIG), steps = PERRIN_TEXT("steps"),
                    last_signal = PERRIN_TEXT("last_signal");
  const perrin_host_config* read = from->get_extension(from, id);
  if (!read) return fail(PERRIN_UNSUPPORTED, "this host cannot read configurations");
  int64_t T = 0;
  double signal = 0;
  perrin_status* status = read->get_integer(config, steps, &T);
  if (!status) status = read->get_number(config, last_signal, &signal);
  if (status) return status;
  struct cubic* self = malloc(sizeof *self);
  if (!self) return fail(PERRIN_OUT_OF_MEMORY, "out of memory");
  *self = (struct cubic){.T = (double)T, .last_signal = signal};
  *instance = self;
  return NULL;
}

/* ---- What the library offers ------------------------------------------------------------------------------------- */

static const perrin_component component = {
    .struct_size = sizeof component,
    .n_keys = COUNT(keys),
    .id = PERRIN_TEXT("example.cubic"),
    .version = PERRIN_TEXT("1.0.0"),
    .doc = PERRIN_TEXT("abar falls with the third power of time."),
    .keys = keys,
    .table = &table,
    .create = create,
    .destroy = free,
};
static const perrin_component* const components[] = {&component};
static const perrin_factory factory = {sizeof factory, COUNT(components), components};

static perrin_status* init(const perrin_host* from) {
  host = from;
  return NULL;
}
static void deinit(void) { host = NULL; }
static const perrin_factory* get_factory(perrin_text kind) {
  return same(kind, PERRIN_KIND_SCHEDULE) ? &factory : NULL;
}

PERRIN_ELF_NOTE(PERRIN_NOTE_TIER_A)
PERRIN_EXPORT const perrin_entry_table perrin_entry = {
    PERRIN_MAGIC, sizeof(perrin_entry_table), PERRIN_NOTE_TIER_A, init, deinit, get_factory};
