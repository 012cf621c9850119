// A plugin with one honest component of each kind that tells a lie where its keys say: `fault` names the lie, `in` the
// function (empty: every one that can tell it), `from` the number of that function's call from which on it does.
#include <fcntl.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "perrin/host/config.h"
#include "perrin/host/op.h"
#include "perrin/host/trace.h"
#include "perrin/kind/denoiser.h"
#include "perrin/kind/encoder.h"
#include "perrin/kind/guidance.h"
#include "perrin/kind/loss.h"
#include "perrin/kind/parameterization.h"
#include "perrin/kind/sampler.h"
#include "perrin/kind/timesteps.h"
#include "perrin/kind/weighting.h"

namespace {

const perrin_host* host;
const perrin_host_tensor* tensors;
const perrin_host_op* ops;
const perrin_host_config* configs;

perrin_text text(const char* s) { return {s, strlen(s)}; }

struct Self {
  std::string fault, in;
  int64_t from = 1;
  std::map<std::string, int64_t> calls;
  perrin_tensor* kept = nullptr;
  std::vector<perrin_tensor*> parameters;
  std::string state = "state";

  bool now(const char* function) { return (in.empty() || in == function) && calls[function] >= from; }
  bool tells(const char* lie, const char* function) { return fault == lie && now(function); }
};

// ---- what needs no output ----

void crash_in_a_thread() {
  pthread_t thread;
  pthread_create(&thread, nullptr, [](void*) -> void* { return *reinterpret_cast<char* volatile*>(8); }, nullptr);
  pthread_join(thread, nullptr);
}
void crash() { *reinterpret_cast<volatile int*>(8) = 1; }
void own_handler(int) {}

// A status, or null: the function goes on.
perrin_status* deed(Self& self, const char* function) {
  self.calls[function] += 1;
  const auto tells = [&](const char* lie) { return self.tells(lie, function); };
  if (tells("segfault")) crash();
  if (tells("abort")) abort();
  if (tells("divide")) raise(SIGFPE);
  if (tells("illegal")) __builtin_trap();
  if (tells("exit")) exit(0);
  if (tells("_exit")) _exit(0);
  if (tells("quick_exit")) quick_exit(0);
  if (tells("exit_group")) syscall(SYS_exit_group, 0);
  if (tells("thread crash")) crash_in_a_thread();
  if (tells("atexit crash")) atexit(crash);
  if (tells("own handler")) signal(SIGSEGV, own_handler);
  if (tells("close 0")) close(0);
  if (tells("close 1")) close(1);
  if (tells("close 2")) close(2);
  if (tells("print")) printf("hello\n"), fflush(stdout);
  if (tells("umask")) umask(0777);
  if (tells("folder")) (void)!chdir("/");
  if (tells("locale")) setlocale(LC_ALL, setlocale(LC_ALL, "C.UTF-8") ? "C.UTF-8" : "POSIX");
  if (tells("block signals")) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
  }
  if (tells("fork") && fork() == 0) return nullptr;
  if (tells("hang")) {
    if (const char* mark = getenv("LIAR_MARK")) close(creat(mark, 0600));
    for (;;) pause();
  }
  if (tells("garbage status")) return reinterpret_cast<perrin_status*>(0x1234567);
  if (tells("freed status")) {
    perrin_status* status = host->status_new(PERRIN_IO, text("freed"), text(""));
    host->status_free(status);
    return status;
  }
  if (tells("twice freed status")) {
    perrin_status* status = host->status_new(PERRIN_IO, text("freed"), text(""));
    host->status_free(status);
    host->status_free(status);
  }
  if (tells("fails")) return host->status_new(PERRIN_IO, text("failed on purpose"), text("nothing"));
  if (tells("cancelled")) return host->status_new(PERRIN_CANCELLED, text("stop"), text(""));
  if (tells("escapes")) return host->status_new(PERRIN_IO, text("\x1b[31mred\x07\nerror: forged"), text("\x1b[0m"));
  if (tells("long status")) {
    static const std::string words(1 << 20, 'x');
    return host->status_new(PERRIN_IO, {words.data(), words.size()}, text(""));
  }
  if (tells("bad name")) {
    const perrin_op* op = nullptr;
    if (perrin_status* status = ops->find({nullptr, 7}, text(""), &op)) return status;
  }
  if (tells("long name")) {
    const perrin_op* op = nullptr;
    if (perrin_status* status = ops->find({"aten::add", uint64_t{1} << 60}, text(""), &op)) return status;
  }
  if (tells("garbage handle")) tensors->retain(reinterpret_cast<perrin_tensor*>(0xdead0));
  if (tells("null handle")) (void)tensors->rank(nullptr);
  return nullptr;
}

#define BEGIN(function)                                     \
  Self& self = *static_cast<Self*>(instance);               \
  constexpr const char* here = function;                    \
  if (perrin_status* status = deed(self, here)) return status

// ---- operators ----

perrin_status* call(const char* name, const char* overload, std::initializer_list<perrin_argument> arguments,
                    perrin_tensor** out) {
  const perrin_op* op = nullptr;
  if (perrin_status* status = ops->find(text(name), text(overload), &op)) return status;
  return ops->call(op, static_cast<uint32_t>(arguments.size()), arguments.begin(), 1, out);
}
perrin_argument tensor(perrin_tensor* t) { return {{"", 0}, PERRIN_VALUE_TENSOR, 1, {.tensor = t}}; }
perrin_argument number(double x) {
  perrin_argument a = {{"", 0}, PERRIN_VALUE_NUMBER, 1, {}};
  a.value.number = x;
  return a;
}
perrin_argument integer(int64_t x) {
  perrin_argument a = {{"", 0}, PERRIN_VALUE_INTEGER, 1, {}};
  a.value.integer = x;
  return a;
}

perrin_tensor* retained(perrin_tensor* t) {
  tensors->retain(t);
  return t;
}

void replace(perrin_tensor** t, perrin_tensor* by) {
  tensors->release(*t);
  *t = by;
}

// Applies the lies about a tensor to what is to be given; `input` is one that the function was given.
perrin_status* give(Self& self, const char* here, perrin_tensor* honest, perrin_tensor* input, perrin_tensor** out) {
  const auto tells = [&](const char* lie) { return self.tells(lie, here); };
  perrin_tensor* other = nullptr;
  perrin_status* status = nullptr;
  const int64_t rank = tensors->rank(honest);
  if (tells("shape")) status = call("aten::unsqueeze", "", {tensor(honest), integer(rank)}, &other);
  if (tells("batch")) {
    const int64_t n = tensors->size(honest, 0);
    status = call("aten::narrow", "", {tensor(honest), integer(0), integer(0), integer(n > 1 ? n - 1 : 0)}, &other);
  }
  if (tells("width")) {
    const int64_t n = tensors->size(honest, static_cast<uint32_t>(rank - 1));
    status = call("aten::narrow", "", {tensor(honest), integer(rank - 1), integer(0), integer(n - 1)}, &other);
  }
  if (tells("dtype")) status = call("aten::to", "dtype", {tensor(honest), integer(PERRIN_INT64)}, &other);
  if (tells("nan")) status = call("aten::mul", "Scalar", {tensor(honest), number(NAN)}, &other);
  if (tells("inf")) status = call("aten::add", "Scalar", {tensor(honest), number(INFINITY)}, &other);
  if (tells("no graph")) status = call("aten::detach", "", {tensor(honest)}, &other);
  if (status) return status;
  if (other) replace(&honest, other);
  if (tells("leak")) retained(honest);
  if (tells("twice")) tensors->release(retained(honest)), tensors->release(input), tensors->release(input);
  if (tells("write")) static_cast<float*>(tensors->data(input))[0] += 1;
  if (tells("null")) return nullptr;
  if (tells("garbage")) return *out = reinterpret_cast<perrin_tensor*>(0x1357913579), nullptr;
  if (tells("unaligned")) return *out = reinterpret_cast<perrin_tensor*>(reinterpret_cast<char*>(honest) + 3), nullptr;
  if (tells("freed")) return tensors->release(honest), *out = honest, nullptr;
  if (tells("unretained")) return tensors->release(honest), *out = input, nullptr;
  if (tells("behind")) out[1] = honest;
  if (tells("before")) out[-1] = honest;
  *out = honest;
  return nullptr;
}

// The lies about an array of numbers.
void spoil(Self& self, const char* here, double* out, uint64_t n) {
  const auto tells = [&](const char* lie) { return self.tells(lie, here); };
  if (tells("nan")) out[n - 1] = NAN;
  if (tells("inf")) out[n - 1] = INFINITY;
  if (tells("negative")) out[n - 1] = -0.25;
  if (tells("two")) out[n - 1] = 2;
  if (tells("beyond")) out[n - 1] = 1e6;
  if (tells("fraction")) out[n - 1] += 0.5;
  if (tells("behind")) out[n] = 7;
  if (tells("behind by three")) reinterpret_cast<char*>(out + n)[3] = 7;
  if (tells("before")) out[-1] = 7;
  if (tells("far behind")) memset(out + n, 7, 1 << 20);
}

void spoil(Self& self, const char* here, perrin_spec* spec) {
  const auto tells = [&](const char* lie) { return self.tells(lie, here); };
  static const std::string longest(1 << 20, 'x');
  if (tells("rank 9")) spec->rank = 9;
  if (tells("rank 99")) spec->rank = 99;
  if (tells("size 0")) spec->sizes[0] = 0;
  if (tells("size -1")) spec->sizes[0] = -1;
  if (tells("size 10^18")) spec->sizes[0] = 1'000'000'000'000'000'000;
  if (tells("dtype 77")) spec->dtype = 77;
  if (tells("null text")) spec->name = {nullptr, 5};
  if (tells("bad text")) spec->name = {reinterpret_cast<const char*>(16), 5};
  if (tells("long text")) spec->name = {longest.data(), longest.size()};
  if (tells("escape text")) spec->name = text("im\x1b[31mage");
  if (tells("no utf-8")) spec->name = text("im\xff" "age");
}

// ---- schedule: variance preserving, 100 times ----

perrin_status* domain(void* instance, perrin_time_domain* out) {
  BEGIN("domain");
  *out = {0, 99, 100};
  if (self.tells("many times", here)) *out = {0, 9'999'999'999, 10'000'000'000};
  if (self.tells("nan", here)) out->t_max = NAN;
  return nullptr;
}
perrin_status* marginal(void* instance, uint64_t n, const double* t, double* alpha, double* sigma) {
  BEGIN("marginal");
  if (self.tells("unwritten", here)) return nullptr;
  for (uint64_t i = 0; i < n; ++i) {
    const double at = self.tells("not monotone", here) && t[i] == 50 ? 20 : t[i];
    alpha[i] = cos((at + 1) / 101 * M_PI / 2);
    sigma[i] = sin((at + 1) / 101 * M_PI / 2);
    if (self.tells("neither", here) && t[i] == 50) alpha[i] = sigma[i] = 0;
  }
  spoil(self, here, sigma, n);
  if (self.tells("write", here)) const_cast<double*>(t)[0] += 1;
  return nullptr;
}
const perrin_schedule schedule_table = {sizeof(perrin_schedule), 0, domain, marginal, nullptr, nullptr};

// ---- parameterization: v ----

perrin_status* coefficients(void* instance, uint64_t n, const perrin_time* times, perrin_coefficients* out) {
  BEGIN("coefficients");
  for (uint64_t i = 0; i < n; ++i)
    out[i] = {1, times[i].t, times[i].alpha, -times[i].sigma, -times[i].sigma, times[i].alpha};
  spoil(self, here, reinterpret_cast<double*>(out), 6 * n);
  if (self.tells("write", here)) const_cast<perrin_time*>(times)[0].t += 1;
  return nullptr;
}
const perrin_parameterization parameterization_table = {sizeof(perrin_parameterization), 0, coefficients};

// ---- weighting ----

perrin_status* weight(void* instance, uint64_t n, const perrin_time* times, const perrin_coefficients*, double* out) {
  BEGIN("weight");
  if (self.tells("unwritten", here)) return nullptr;
  for (uint64_t i = 0; i < n; ++i) out[i] = 1;
  spoil(self, here, out, n);
  if (self.tells("write", here)) const_cast<perrin_time*>(times)[0].t += 1;
  return nullptr;
}
const perrin_weighting weighting_table = {sizeof(perrin_weighting), 0, weight, nullptr, nullptr};

// ---- timesteps ----

perrin_status* draw(void* instance, const perrin_time_domain* at, perrin_stream, uint64_t n, const uint64_t* samples,
                    double* t, double* importance) {
  BEGIN("draw");
  for (uint64_t i = 0; i < n; ++i) t[i] = at->t_min + static_cast<double>(samples[i] * 7 % 100), importance[i] = 1;
  if (self.in == "importance") {
    self.calls["importance"] += 1;
    spoil(self, "importance", importance, n);
  } else {
    spoil(self, here, t, n);
  }
  if (self.tells("write", here)) const_cast<uint64_t*>(samples)[0] += 1;
  return nullptr;
}
const perrin_timesteps timesteps_table = {sizeof(perrin_timesteps), 0, draw, nullptr, nullptr};

// ---- sampler: DDIM ----

perrin_status* sample(void* instance, const perrin_sampling* s, perrin_tensor* x, perrin_tensor** result) {
  BEGIN("sample");
  perrin_tensor* at = retained(x);
  for (uint32_t i = 0; i < s->n_steps; ++i) {
    perrin_tensor *D = nullptr, *next = nullptr;
    perrin_status* status = s->denoise(s->context, at, &s->times[i], &D);
    if (status) return tensors->release(at), status;
    const double ratio = s->times[i + 1].sigma / s->times[i].sigma;
    const double a[] = {ratio, s->times[i + 1].alpha - ratio * s->times[i].alpha};
    perrin_tensor* const terms[] = {at, D};
    status = s->lincomb(s->context, 2, a, terms, 0, 0, &next);
    tensors->release(D);
    replace(&at, next);
    if (status) return status;
  }
  if (self.tells("brownian nan", here) || self.tells("brownian negative", here)) {
    const perrin_time from = {0, self.tells("brownian nan", here) ? NAN : -1, 0.5}, to = {0, 0.5, 0.5};
    perrin_tensor* noise = nullptr;
    perrin_status* status = s->brownian(s->context, &from, &to, &noise);
    tensors->release(noise);
    if (status) return tensors->release(at), status;
  }
  return give(self, here, at, x, result);
}
const perrin_sampler sampler_table = {sizeof(perrin_sampler), 0, sample};

// ---- guidance ----

perrin_status* branches(void* instance, const perrin_time*, uint32_t* mask) {
  BEGIN("branches");
  *mask = self.tells("unknown", here) ? 1u << 20 : self.tells("none", here) ? 0 : PERRIN_BRANCH_CONDITIONAL;
  return nullptr;
}
perrin_status* combine(void* instance, const perrin_time*, perrin_tensor* conditional, perrin_tensor*,
                       perrin_tensor** guided) {
  BEGIN("combine");
  return give(self, here, retained(conditional), conditional, guided);
}
const perrin_guidance guidance_table = {sizeof(perrin_guidance), 0, branches, combine, nullptr};

// ---- dataset: points on a circle, four classes ----

perrin_status* fields(void* instance, uint32_t* n, const perrin_field** out) {
  BEGIN("fields");
  static perrin_field all[2];
  all[0] = {sizeof(perrin_field), 0, {text("image"), PERRIN_FLOAT32, 1, {2}}, 1, 0, 0};
  all[1] = {sizeof(perrin_field), 0, {text("label"), PERRIN_INT64, 0, {}}, 1, 0, 4};
  spoil(self, here, &all[0].spec);
  if (self.tells("twice", here)) all[1].spec.name = text("image");
  if (self.tells("nan", here)) all[0].scale = NAN;
  *n = self.tells("many", here) ? 4'000'000'000u : 2;
  *out = self.tells("null", here) ? nullptr : self.tells("garbage", here) ? reinterpret_cast<const perrin_field*>(64) : all;
  return nullptr;
}
perrin_status* count(void* instance, uint64_t* n) {
  BEGIN("count");
  *n = self.tells("none", here) ? 0 : self.tells("many", here) ? UINT64_MAX : 64;
  return nullptr;
}
perrin_status* read(void* instance, uint64_t n, const uint64_t* indices, void* const* buffers) {
  Self& self = *static_cast<Self*>(instance);
  static std::atomic<bool> busy{false};
  while (busy.exchange(true)) {
  }
  perrin_status* status = deed(self, "read");
  auto* x = static_cast<float*>(buffers[0]);
  auto* label = static_cast<int64_t*>(buffers[1]);
  for (uint64_t i = 0; i < n && !status; ++i) {
    const auto k = static_cast<int64_t>(indices[i] % 4);
    x[2 * i] = static_cast<float>(cos(k * M_PI / 2)), x[2 * i + 1] = static_cast<float>(sin(k * M_PI / 2));
    label[i] = k;
  }
  if (self.tells("nan", "read")) x[0] = NAN;
  if (self.tells("label", "read")) label[n - 1] = 4;
  if (self.tells("negative", "read")) label[n - 1] = -1;
  if (self.tells("behind", "read")) label[n] = 0;
  if (self.tells("before", "read")) x[-1] = 0;
  if (self.tells("write", "read")) const_cast<uint64_t*>(indices)[0] += 1;
  busy = false;
  return status;
}
const perrin_dataset dataset_table = {sizeof(perrin_dataset), 0, fields, count, read, nullptr};

// ---- conditioner: a vector of the label ----

perrin_status* infer_conditioner(void* instance, uint32_t, const perrin_field*, perrin_conditioning_spec* out) {
  BEGIN("infer");
  out->struct_size = sizeof *out;
  out->slots = PERRIN_SLOT_VECTOR;
  out->vector = {text("vector"), PERRIN_FLOAT32, 1, {4}};
  spoil(self, here, &out->vector);
  if (self.tells("unknown", here)) out->slots = 64;
  return nullptr;
}
perrin_status* drop_probability(void* instance, double* p) {
  BEGIN("drop_probability");
  *p = 0;
  spoil(self, here, p, 1);
  return nullptr;
}
perrin_status* encode_condition(void* instance, const perrin_call* told, uint32_t n, const perrin_named_tensor* given,
                                const uint8_t*, perrin_conditioning* out) {
  BEGIN("encode");
  const int64_t sizes[] = {told->n, 4};
  perrin_tensor *made = nullptr, *room[3] = {};  // what is written beside `room[1]` is written beside `out` below
  if (perrin_status* status = tensors->create(PERRIN_FLOAT32, 2, sizes, &made)) return status;
  auto* v = static_cast<float*>(tensors->data(made));
  for (int64_t i = 0; i < sizes[0] * 4; ++i) v[i] = static_cast<float>(i % 4);
  if (perrin_status* status = give(self, here, made, given[0].tensor, &room[1])) return status;
  if (self.tells("behind", here)) reinterpret_cast<char*>(out + 1)[0] = 7;
  if (self.tells("before", here)) reinterpret_cast<char*>(out)[-1] = 7;
  out->vector = room[1];
  if (self.tells("other slot", here)) out->sequence = room[1], out->vector = nullptr;
  return n == 0 ? host->status_new(PERRIN_INVALID_DATA, text("no field"), text("")) : nullptr;
}
const perrin_conditioner conditioner_table = {sizeof(perrin_conditioner), 0, infer_conditioner, drop_probability,
                                              encode_condition};

// ---- encoder: the identity ----

perrin_status* infer_encoder(void* instance, const perrin_spec* x, perrin_spec* z) {
  BEGIN("infer");
  *z = *x;
  spoil(self, here, z);
  return nullptr;
}
perrin_status* encode(void* instance, const perrin_call*, perrin_tensor* x, perrin_tensor** z) {
  BEGIN("encode");
  return give(self, here, retained(x), x, z);
}
perrin_status* decode(void* instance, const perrin_call*, perrin_tensor* z, perrin_tensor** x) {
  BEGIN("decode");
  return give(self, here, retained(z), z, x);
}
const perrin_encoder encoder_table = {sizeof(perrin_encoder), 0, infer_encoder, encode, decode};

// ---- denoiser: F = w x, w of one number ----

perrin_status* infer_denoiser(void* instance, const perrin_spec* x, const perrin_conditioning_spec*, perrin_spec* out) {
  BEGIN("infer");
  *out = *x;
  spoil(self, here, out);
  return nullptr;
}
perrin_status* forward(void* instance, const perrin_call*, perrin_tensor* x, perrin_tensor*, const perrin_conditioning*,
                       perrin_tensor** prediction) {
  BEGIN("forward");
  perrin_tensor* product = nullptr;
  if (perrin_status* status = call("aten::mul", "Tensor", {tensor(x), tensor(self.parameters[0])}, &product)) return status;
  return give(self, here, product, x, prediction);
}
const perrin_denoiser denoiser_table = {sizeof(perrin_denoiser), 0, infer_denoiser, forward};

perrin_status* declare(void* instance, const perrin_param_sink* sink) {
  BEGIN("declare");
  perrin_param p = {};
  p.struct_size = sizeof p;
  p.name = text("w");
  p.dtype = PERRIN_FLOAT32;
  p.rank = 1;
  p.sizes[0] = 1;
  p.init_a = 0.5;
  perrin_spec spec = {p.name, p.dtype, p.rank, {1}};
  spoil(self, here, &spec);
  p.name = spec.name, p.dtype = spec.dtype, p.rank = spec.rank;
  memcpy(p.sizes, spec.sizes, sizeof p.sizes);
  if (self.tells("garbage", here)) p.init = PERRIN_INIT_GIVEN, p.given = reinterpret_cast<perrin_tensor*>(0x99);
  if (self.tells("nan", here)) p.init_a = NAN;
  if (self.tells("unknown", here)) p.init = 17;
  return sink->declare(sink->context, &p);
}
perrin_status* bind(void* instance, uint32_t n, perrin_tensor* const* given) {
  BEGIN("bind");
  for (perrin_tensor* t : self.parameters) tensors->release(t);
  self.parameters.clear();
  for (uint32_t i = 0; i < n; ++i) self.parameters.push_back(retained(given[i]));
  return nullptr;
}
const perrin_params params_table = {sizeof(perrin_params), 0, declare, bind};

// ---- loss: mean of squares, with numbers of its own ----

perrin_status* compute(void* instance, const perrin_call*, uint32_t, const perrin_named_tensor* inputs,
                       perrin_tensor** values) {
  BEGIN("compute");
  perrin_tensor *difference = nullptr, *square = nullptr, *flat = nullptr, *mean = nullptr;
  const int64_t last[] = {1};
  perrin_argument along = {{"", 0}, PERRIN_VALUE_INTEGERS, 1, {}};
  along.value.integers = last;
  perrin_status* status = call("aten::sub", "Tensor", {tensor(inputs[0].tensor), tensor(inputs[1].tensor)}, &difference);
  if (!status) status = call("aten::square", "", {tensor(difference)}, &square);
  if (!status) status = call("aten::flatten", "using_ints", {tensor(square), integer(1)}, &flat);
  if (!status) status = call("aten::mean", "dim", {tensor(flat), along}, &mean);
  for (perrin_tensor* t : {difference, square, flat}) tensors->release(t);
  return status ? status : give(self, here, mean, inputs[0].tensor, values);
}
const perrin_loss loss_table = {sizeof(perrin_loss), 0, compute, nullptr};

perrin_status* trace_names(void* instance, uint32_t* n, const perrin_trace_value** out) {
  BEGIN("names");
  static perrin_trace_value all[200];
  static char words[200][8];
  for (int i = 0; i < 200; ++i) {
    snprintf(words[i], sizeof words[i], "n%d", i);
    all[i] = {text(words[i]), text(""), text("a number")};
  }
  *n = self.tells("grow", here) ? 200 : 1;
  if (self.tells("rename", here)) all[0].name = text("other");
  if (self.tells("space", here)) all[0].name = text("a b");
  *out = all;
  return nullptr;
}
perrin_status* trace_values(void* instance, double* values) {
  BEGIN("values");
  values[0] = 1;
  spoil(self, here, values, 1);
  return nullptr;
}
const perrin_trace trace_table = {sizeof(perrin_trace), 0, trace_names, trace_values};

// ---- the components ----

const void* extension_of_denoiser(perrin_text id) {
  return id.size == sizeof PERRIN_PARAMS - 1 && memcmp(id.data, PERRIN_PARAMS, id.size) == 0 ? &params_table : nullptr;
}
const void* extension_of_loss(perrin_text id) {
  return id.size == sizeof PERRIN_TRACE - 1 && memcmp(id.data, PERRIN_TRACE, id.size) == 0 ? &trace_table : nullptr;
}

perrin_status* create(const perrin_host*, const perrin_config* config, void** out) {
  auto owned = std::make_unique<Self>();
  Self* made = owned.get();
  perrin_text fault, in;
  if (perrin_status* status = configs->get_string(config, text("fault"), &fault)) return status;
  if (perrin_status* status = configs->get_string(config, text("in"), &in)) return status;
  if (perrin_status* status = configs->get_integer(config, text("from"), &made->from)) return status;
  made->fault.assign(fault.data, fault.size);
  made->in.assign(in.data, in.size);
  void* instance = made;
  BEGIN("create");
  owned.release();  // the host's, or of who tells "null"
  if (!self.tells("null", here)) *out = instance;
  return nullptr;
}
void destroy(void* instance) {
  auto* self = static_cast<Self*>(instance);
  (void)deed(*self, "destroy");
  for (perrin_tensor* t : self->parameters) tensors->release(t);
  delete self;
}

perrin_key key(const char* name, uint32_t type, const char* value, const char* doc) {
  return {sizeof(perrin_key), type, 0, 0, text(name), text(value), 0, 0, nullptr, text(""), text(doc), text("1.0"), text("")};
}
const perrin_key keys[] = {key("fault", PERRIN_STRING, "\"\"", "which lie is told"),
                           key("in", PERRIN_STRING, "\"\"", "the function that tells it"),
                           key("from", PERRIN_INTEGER, "1", "the call from which on it is told")};

perrin_component component(const void* table, const void* (*extension)(perrin_text) = nullptr) {
  return {sizeof(perrin_component), 3, text("test.liar"), text("1.0"), text("Lies where its keys say."), text(""), keys,
          table, nullptr, create, destroy, extension};
}
struct Kind {
  const char* id;
  perrin_component described;
  const perrin_component* list = &described;
  perrin_factory factory = {sizeof(perrin_factory), 1, &list};
};
Kind kinds[] = {{PERRIN_KIND_SCHEDULE, component(&schedule_table)},
                {PERRIN_KIND_PARAMETERIZATION, component(&parameterization_table)},
                {PERRIN_KIND_WEIGHTING, component(&weighting_table)},
                {PERRIN_KIND_TIMESTEPS, component(&timesteps_table)},
                {PERRIN_KIND_SAMPLER, component(&sampler_table)},
                {PERRIN_KIND_GUIDANCE, component(&guidance_table)},
                {PERRIN_KIND_DATASET, component(&dataset_table)},
                {PERRIN_KIND_CONDITIONER, component(&conditioner_table)},
                {PERRIN_KIND_ENCODER, component(&encoder_table)},
                {PERRIN_KIND_DENOISER, component(&denoiser_table, extension_of_denoiser)},
                {PERRIN_KIND_LOSS, component(&loss_table, extension_of_loss)}};

perrin_status* init(const perrin_host* given) {
  host = given;
  tensors = static_cast<const perrin_host_tensor*>(host->get_extension(host, text(PERRIN_HOST_TENSOR)));
  ops = static_cast<const perrin_host_op*>(host->get_extension(host, text(PERRIN_HOST_OP)));
  configs = static_cast<const perrin_host_config*>(host->get_extension(host, text(PERRIN_HOST_CONFIG)));
  return nullptr;
}
const perrin_factory* get_factory(perrin_text kind) {
  for (Kind& each : kinds)
    if (kind.size == strlen(each.id) && memcmp(kind.data, each.id, kind.size) == 0) return &each.factory;
  return nullptr;
}

}  // namespace

PERRIN_ELF_NOTE(PERRIN_NOTE_TIER_A)
extern "C" PERRIN_EXPORT const perrin_entry_table perrin_entry = {
    PERRIN_MAGIC, sizeof(perrin_entry_table), PERRIN_NOTE_TIER_A, init, nullptr, get_factory};
