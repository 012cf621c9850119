/* A tier A plugin in C without any library: two schedules (one with a table of an older, shorter revision) and a loss
 * that computes through the host's operators. */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "perrin/host/config.h"
#include "perrin/host/op.h"
#include "perrin/kind/loss.h"
#include "perrin/kind/schedule.h"

static const perrin_host* host;
static const perrin_host_op* ops;
static const perrin_host_tensor* tensors;
static const perrin_op *op_sub, *op_square, *op_flatten, *op_mean;

static int same(perrin_text text, const char* literal) {
  return text.size == strlen(literal) && memcmp(text.data, literal, text.size) == 0;
}
static perrin_text as_text(const char* literal) {
  perrin_text text = {literal, strlen(literal)};
  return text;
}

/* ---- schedules ---- */

static perrin_status* domain(void* instance, perrin_time_domain* out) {
  (void)instance;
  out->t_min = 0;
  out->t_max = 1;
  out->steps = 0;
  return NULL;
}
static perrin_status* marginal(void* instance, uint64_t n, const double* t, double* alpha, double* sigma) {
  (void)instance;
  for (uint64_t i = 0; i < n; ++i) {
    alpha[i] = 1 - t[i];
    sigma[i] = t[i];
  }
  return NULL;
}
static perrin_status* t_of_log_snr(void* instance, uint64_t n, const double* log_snr, double* t) {
  (void)instance;
  for (uint64_t i = 0; i < n; ++i) t[i] = 1 / (1 + exp(log_snr[i] / 2));
  return NULL;
}
static const perrin_schedule whole_table = {sizeof(perrin_schedule), 0, domain, marginal, t_of_log_snr, NULL};
static const perrin_schedule short_table = {offsetof(perrin_schedule, marginal), 0, domain, marginal, t_of_log_snr, NULL};

static perrin_status* create(const perrin_host* given, const perrin_config* config, void** instance) {
  static int one;
  (void)given;
  (void)config;
  *instance = &one;
  return NULL;
}
static void destroy(void* instance) { (void)instance; }

static const perrin_component plain = {.struct_size = sizeof(perrin_component),
                                       .id = PERRIN_TEXT("plain"),
                                       .version = PERRIN_TEXT("1.0"),
                                       .doc = PERRIN_TEXT("alpha = 1 - t, sigma = t."),
                                       .aliases = PERRIN_TEXT("straight rectified"),
                                       .table = &whole_table,
                                       .create = create,
                                       .destroy = destroy};
static const perrin_component shorter = {.struct_size = offsetof(perrin_component, get_extension),
                                         .id = PERRIN_TEXT("shorter"),
                                         .version = PERRIN_TEXT("1.0"),
                                         .doc = PERRIN_TEXT("The same from an older revision of the table."),
                                         .table = &short_table,
                                         .create = create,
                                         .destroy = destroy};
static const perrin_component* const schedules[] = {&plain, &shorter};
static const perrin_factory schedule_factory = {sizeof(perrin_factory), 2, schedules};

/* ---- loss: mean over each sample of (prediction - target)^2 ---- */

static perrin_status* find(const char* name, const char* overload, const perrin_op** op) {
  return *op != NULL ? NULL : ops->find(as_text(name), as_text(overload), op);
}

static perrin_argument tensor_argument(perrin_tensor* tensor) {
  perrin_argument argument = {{"", 0}, PERRIN_VALUE_TENSOR, 1, {.tensor = tensor}};
  return argument;
}

static perrin_status* mean_square(perrin_tensor* prediction, perrin_tensor* target, perrin_tensor** values) {
  perrin_tensor *difference = NULL, *square = NULL, *flat = NULL;
  const int64_t last[] = {1};
  perrin_argument a[2] = {tensor_argument(prediction), tensor_argument(target)};
  perrin_status* status = ops->call(op_sub, 2, a, 1, &difference);
  if (!status) a[0] = tensor_argument(difference), status = ops->call(op_square, 1, a, 1, &square);
  if (!status) {
    perrin_argument b[2] = {tensor_argument(square), {as_text("start_dim"), PERRIN_VALUE_INTEGER, 1, {.integer = 1}}};
    status = ops->call(op_flatten, 2, b, 1, &flat);
  }
  if (!status) {
    perrin_argument c[2] = {tensor_argument(flat), {as_text("dim"), PERRIN_VALUE_INTEGERS, 1, {.integers = last}}};
    status = ops->call(op_mean, 2, c, 1, values);
  }
  tensors->release(difference);
  tensors->release(square);
  tensors->release(flat);
  return status;
}

static perrin_status* compute(void* instance, const perrin_call* call, uint32_t n, const perrin_named_tensor* inputs,
                              perrin_tensor** values) {
  perrin_tensor *prediction = NULL, *target = NULL;
  perrin_status* status = NULL;
  (void)instance;
  (void)call;
  for (uint32_t i = 0; i < n; ++i) {
    if (same(inputs[i].name, "prediction")) prediction = inputs[i].tensor;
    if (same(inputs[i].name, "target")) target = inputs[i].tensor;
  }
  if (!prediction || !target)
    return host->status_new(PERRIN_INVALID_DATA, as_text("an input is missing"), as_text("compute"));
  if (!status) status = find("aten::sub", "Tensor", &op_sub);
  if (!status) status = find("aten::square", "", &op_square);
  if (!status) status = find("aten::flatten", "using_ints", &op_flatten);
  if (!status) status = find("aten::mean", "dim", &op_mean);
  return status ? status : mean_square(prediction, target, values);
}
static const perrin_loss loss_table = {sizeof(perrin_loss), 0, compute};
static const perrin_component loss = {.struct_size = sizeof(perrin_component),
                                      .id = PERRIN_TEXT("plain-l2"),
                                      .version = PERRIN_TEXT("1.0"),
                                      .doc = PERRIN_TEXT("Mean squared error through the host's operators."),
                                      .table = &loss_table,
                                      .create = create,
                                      .destroy = destroy};
static const perrin_component* const losses[] = {&loss};
static const perrin_factory loss_factory = {sizeof(perrin_factory), 1, losses};

/* ---- entry ---- */

static perrin_status* init(const perrin_host* given) {
  host = given;
  if (!PERRIN_HAS(host, perrin_host, status_message))
    return host->status_new(PERRIN_UNSUPPORTED, as_text("this host is too old"), as_text(""));
  ops = host->get_extension(host, as_text(PERRIN_HOST_OP));
  tensors = host->get_extension(host, as_text(PERRIN_HOST_TENSOR));
  return ops && tensors ? NULL
                        : host->status_new(PERRIN_UNSUPPORTED, as_text("this host has no operators"), as_text(""));
}
static void deinit(void) { host = NULL; }
static const perrin_factory* get_factory(perrin_text kind) {
  if (same(kind, PERRIN_KIND_SCHEDULE)) return &schedule_factory;
  return same(kind, PERRIN_KIND_LOSS) ? &loss_factory : NULL;
}

PERRIN_ELF_NOTE(PERRIN_NOTE_TIER_A)
PERRIN_EXPORT const perrin_entry_table perrin_entry = {
    PERRIN_MAGIC, sizeof(perrin_entry_table), PERRIN_NOTE_TIER_A, init, deinit, get_factory};
