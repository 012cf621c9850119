// What a sampler costs over the bare calls of the network: the small U-Net (channels 16, 32; 1 x 32 x 32; batch 8), 20
// steps. Sampling and as many calls of the network alone take turns. Prints one JSON line.
//
// Usage: sampler_bench [REPEATS]
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "host/loader/index.hpp"
#include "host/run/objective.hpp"
#include "host/sample/generate.hpp"
#include "host/services/host.hpp"

namespace {

using namespace perrin;
using Clock = std::chrono::steady_clock;

constexpr int64_t kBatch = 8;
constexpr const char* kExperiment =
    "[experiment]\nname = 'bench'\n[dataset]\nuse = 'gaussian-mixture'\nshape = [1, 32, 32]\n"
    "[schedule]\nuse = 'linear'\n[sampler]\nsteps = 20\n"
    "[denoiser]\nuse = 'unet'\nchannels = [16, 32]\ngroups = 8\n";

double milliseconds(Clock::duration duration) { return std::chrono::duration<double, std::milli>(duration).count(); }

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// One call of the network, as sampling makes it, without anything around it.
void call_network(run::Model& model, const at::Tensor& x) {
  static const std::vector<uint64_t> positions = {0, 1, 2, 3, 4, 5, 6, 7};
  const perrin_call call = {sizeof call, 0, 0, 0, static_cast<uint32_t>(x.size(0)), positions.data()};
  const perrin_time at = model.times.at(500);
  run::predict(model, call, x,
               std::vector<perrin_coefficients>(static_cast<size_t>(x.size(0)), model.coefficients({at}).front()),
               nullptr);
}

struct Cost {
  int64_t calls = 0;  // of the network
  double total_ms = 0, bare_ms = 0;
};

Cost measure(run::Model& model, int repeats) {
  sample::Request request;
  request.count = request.batch_size = kBatch;
  Cost cost;
  request.progress = [&](int64_t done, int64_t) { cost.calls = done; };
  // An adaptive sampler is given one sample a call.
  const bool adaptive = model.sampler.table<perrin_sampler>().flags & PERRIN_SAMPLER_ADAPTIVE;
  const at::Tensor x = sample::generate(model, request)  // not timed
                           .narrow(0, 0, adaptive ? 1 : kBatch)
                           .contiguous(at::MemoryFormat::ChannelsLast);
  const at::NoGradGuard no_grad;
  std::vector<double> total, bare;
  if (adaptive) repeats = 3;  // hundreds of calls each
  for (int i = 0; i < repeats; ++i) {
    auto begin = Clock::now();
    sample::generate(model, request);
    total.push_back(milliseconds(Clock::now() - begin));
    begin = Clock::now();
    for (int64_t n = 0; n < cost.calls; ++n) call_network(model, x);
    bare.push_back(milliseconds(Clock::now() - begin));
  }
  cost.total_ms = median(total), cost.bare_ms = median(bare);
  return cost;
}

}  // namespace

int main(int argc, char** argv) {
  const int repeats = argc > 1 ? std::atoi(argv[1]) : 7;
  auto* registry = new loader::Registry(services::loader_host());  // plugins outlive everything
  const auto catalogue = loader::Index::scan({{PERRIN_PLUGINS}, PERRIN_PROBE, PERRIN_INDEX}).catalogue();
  nlohmann::json result;
  for (const std::string& id : config::ids_of_kind(catalogue, "sampler")) {
    const auto loaded = config::load_text(kExperiment, "bench.toml", {"sampler.use=" + id}, catalogue);
    run::Model model(loaded, *registry);
    if (sample::inverts(model)) continue;
    model.build_parameters();
    const Cost cost = measure(model, repeats);
    result[id] = {{"calls", cost.calls},
                  {"ms", cost.total_ms},
                  {"bare_ms", cost.bare_ms},
                  {"overhead_percent", 100 * (cost.total_ms / cost.bare_ms - 1)}};
    std::fprintf(stderr, "%-20s %4ld calls %8.1f ms, network alone %8.1f ms: %+.1f %%\n", id.c_str(), cost.calls,
                 cost.total_ms, cost.bare_ms, 100 * (cost.total_ms / cost.bare_ms - 1));
  }
  std::puts(result.dump().c_str());
}
