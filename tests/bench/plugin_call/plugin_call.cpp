// Nanoseconds of one call through the plugin boundary, of a direct virtual call that does the same, and of an operator
// through op_call against the same operator called directly. Usage: bench_plugin_call PLUGIN_FILE [REPEATS]
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/full.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/sub.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "host/services/component.hpp"
#include "host/services/host.hpp"
#include "host/services/tensor.hpp"
#include "perrin/host/op.h"

namespace {

using namespace perrin;

struct Direct {
  virtual ~Direct() = default;
  virtual perrin_status* domain(perrin_time_domain* out) = 0;
};
struct Here final : Direct {
  perrin_status* domain(perrin_time_domain* out) override {
    *out = {0, 999, 1000};
    return nullptr;
  }
};
Direct* volatile direct = new Here;

// Median and quartiles over `repeats` of the mean time of `calls` calls, ns.
struct Timing {
  double low, median, high;
};
template <class F>
Timing time(int repeats, int calls, F f) {
  std::vector<double> ns;
  for (int r = 0; r < repeats; ++r) {
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < calls; ++i) f();
    ns.push_back(std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count() / calls);
  }
  std::sort(ns.begin(), ns.end());
  return {ns[ns.size() / 4], ns[ns.size() / 2], ns[ns.size() * 3 / 4]};
}

void print(const char* name, const Timing& t, const char* end) {
  std::printf("\"%s\": {\"median\": %.1f, \"quartiles\": [%.1f, %.1f]}%s", name, t.median, t.low, t.high, end);
}

perrin_tensor* call(const perrin_host_op& api, const perrin_op* op, perrin_tensor* a, perrin_tensor* b) {
  perrin_argument arguments[2] = {};
  arguments[0].tag = arguments[1].tag = PERRIN_VALUE_TENSOR;
  arguments[0].value.tensor = a;
  arguments[1].value.tensor = b;
  perrin_tensor* result = nullptr;
  services::check(api.call(op, b != nullptr ? 2 : 1, arguments, 1, &result), {});
  return result;
}

const perrin_op* find(const perrin_host_op& api, std::string_view name, std::string_view overload) {
  const perrin_op* op = nullptr;
  services::check(api.find(services::text(name), services::text(overload), &op), {});
  return op;
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 2) return std::fprintf(stderr, "usage: bench_plugin_call PLUGIN_FILE [REPEATS]\n"), 2;
  const int repeats = argc > 2 ? std::stoi(argv[2]) : 41;
  loader::Registry registry(services::loader_host());
  const auto& library = registry.load(argv[1]);
  const perrin_component* linear = library.find("schedule", "linear");
  services::Component schedule(library, *linear, "schedule",
                               {{"steps", int64_t{1000}},
                                {"beta_start", 1e-4},
                                {"beta_end", 0.02},
                                {"zero_terminal_snr", false},
                                {"rescale_to_T", false}},
                               0);
  perrin_time_domain domain;
  schedule.invoke<&perrin_schedule::domain>(&domain);
  if (domain.steps != 1000) return std::fprintf(stderr, "wrong answer\n"), 1;
  const auto guarded = time(repeats, 20000, [&] { schedule.invoke<&perrin_schedule::domain>(&domain); });
  const double t = 500;
  double alpha = 0, sigma = 0;
  const auto checked = time(repeats, 20000, [&] { schedule.invoke<&perrin_schedule::marginal>(uint64_t{1}, &t, &alpha, &sigma); });
  const auto state = time(repeats, 20000, [&] {
    auto s = services::read_state();
    asm volatile("" : : "r"(&s) : "memory");
  });
  const auto virtual_call = time(repeats, 20000, [&] {
    direct->domain(&domain);
    asm volatile("" : : "r"(&domain) : "memory");
  });

  at::NoGradGuard no_grad;
  const auto& api = *static_cast<const perrin_host_op*>(
      services::host()->get_extension(services::host(), services::text(PERRIN_HOST_OP)));
  const perrin_op *sub = find(api, "aten::sub", "Tensor"), *mul = find(api, "aten::mul", "Tensor"),
                  *mean = find(api, "aten::mean", "");
  const at::Tensor a = at::full({64}, 2.0), b = at::full({64}, 1.0);
  const auto ha = services::wrap(a), hb = services::wrap(b);
  const auto boxed = time(repeats, 2000, [&] {
    services::TensorHandle d(call(api, sub, ha.get(), hb.get())), s(call(api, mul, d.get(), d.get()));
    services::TensorHandle(call(api, mean, s.get(), nullptr));
  });
  const auto plain = time(repeats, 2000, [&] {
    const at::Tensor d = at::sub(a, b), s = at::mul(d, d);
    at::mean(s);
  });
  std::printf("{\"unit\": \"ns\", ");
  print("plugin_call", guarded, ", ");
  print("plugin_call_with_outputs", checked, ", ");
  print("one_state_digest", state, ", ");
  print("virtual_call", virtual_call, ", ");
  print("loss_by_op_call", boxed, ", ");
  print("loss_direct", plain, "}\n");
  return 0;
} catch (const Error& error) {
  return std::fputs(error.message().c_str(), stderr), 1;
}
