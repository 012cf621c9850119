// What a sampler costs over the bare calls of the network: the small U-Net (channels 16, 32; 1 x 32 x 32; batch 8), 20
// steps. The clock is read around every call of the network's `forward`, so one run gives both the time inside those
// calls and all the rest: sampler, guidance, coefficients, noise, decoding. What slows the machine slows both alike,
// where a difference of two runs would be its noise. On one thread the clock is the thread's own CPU time, which stands
// still while other programs run; on all threads it is the wall's, and the figure holds for a quiet machine.
// Prints one JSON line: medians over the runs of rest / inside, with 95 % intervals.
//
// Usage: sampler_bench [REPEATS [SAMPLER...]]
#include <ATen/Parallel.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>
#include <random>

#include "host/loader/index.hpp"
#include "host/model/device.hpp"
#include "host/model/model.hpp"
#include "host/sample/generate.hpp"
#include "host/services/host.hpp"

namespace {

using namespace perrin;

constexpr int64_t kBatch = 8;
constexpr const char* kExperiment =
    "[experiment]\nname = 'bench'\n[dataset]\nuse = 'gaussian-mixture'\nshape = [1, 32, 32]\n"
    "[schedule]\nuse = 'linear'\n[sampler]\nsteps = 20\n"
    "[denoiser]\nuse = 'unet'\nchannels = [16, 32]\ngroups = 8\n";

double milliseconds(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return 1e3 * static_cast<double>(now.tv_sec) + 1e-6 * static_cast<double>(now.tv_nsec);
}

// The network's table with a clock around `forward`.
struct Network {
  perrin_denoiser table, original;
  clockid_t clock = CLOCK_MONOTONIC;
  double inside_ms = 0;
  int64_t calls = 0;
} network;

perrin_status* timed_forward(void* instance, const perrin_call* call, perrin_tensor* x, perrin_tensor* c_noise,
                             const perrin_conditioning* conditioning, perrin_tensor** prediction) {
  const double begin = milliseconds(network.clock);
  perrin_status* status = network.original.forward(instance, call, x, c_noise, conditioning, prediction);
  network.inside_ms += milliseconds(network.clock) - begin;
  ++network.calls;
  return status;
}

// Puts the timed table in the place of the denoiser's own.
void time_network(model::Model& model) {
  const loader::Library& library = model.denoiser.library();
  static perrin_component descriptor;  // the component keeps a pointer
  descriptor = *library.find("denoiser", model.denoiser.id());
  network.original = network.table = model.denoiser.table<perrin_denoiser>();
  network.table.forward = timed_forward;
  descriptor.table = &network.table;
  model.denoiser = services::Component(library, descriptor, "denoiser", model.experiment.denoiser.values, 0);
  perrin_spec prediction{};
  model.denoiser.invoke<&perrin_denoiser::infer>(&model.shapes.z, nullptr, &prediction);
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<int64_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

// A median; 95 % of the medians of resampled values lie in the interval.
struct Figure {
  double value, low, high;

  explicit Figure(const std::vector<double>& values) : value(median(values)) {
    std::mt19937 random(0);
    std::uniform_int_distribution<size_t> any(0, values.size() - 1);
    std::vector<double> medians, resampled(values.size());
    for (int i = 0; i < 2000; ++i) {
      for (double& each : resampled) each = values[any(random)];
      medians.push_back(median(resampled));
    }
    std::sort(medians.begin(), medians.end());
    low = medians[50], high = medians[1949];
  }
};

// Samples once: rest / inside in percent, and what all of it took.
struct Run {
  double percent = 0, ms = 0;
};
Run sample_once(model::Model& model, int threads, clockid_t clock) {
  at::set_num_threads(threads);
  sample::Request request;
  request.count = request.batch_size = kBatch;
  network.clock = clock, network.inside_ms = 0, network.calls = 0;
  const double begin = milliseconds(clock);
  sample::generate(model, request);
  const double total = milliseconds(clock) - begin;
  return {100 * (total / network.inside_ms - 1), total};
}

nlohmann::json measure(model::Model& model, int repeats, int threads) {
  std::vector<double> cpu, wall, ms;
  for (int i = 0; i <= repeats; ++i) {
    const Run one = sample_once(model, 1, CLOCK_THREAD_CPUTIME_ID), all = sample_once(model, threads, CLOCK_MONOTONIC);
    if (i == 0) continue;  // the first allocates
    cpu.push_back(one.percent), wall.push_back(all.percent), ms.push_back(all.ms);
  }
  const Figure one(cpu), all(wall);
  std::fprintf(stderr,
               "%-20s %4ld calls %8.1f ms, one thread %.2f %% (%.2f to %.2f), %d threads %.2f %% (%.2f to %.2f)\n",
               model.sampler.id().c_str(), static_cast<long>(network.calls), median(ms), one.value, one.low, one.high,
               threads, all.value, all.low, all.high);
  return {{"calls", network.calls},
          {"ms", median(ms)},
          {"threads", threads},
          {"overhead_percent", all.value},
          {"interval", {all.low, all.high}},
          {"one_thread_percent", one.value},
          {"one_thread_interval", {one.low, one.high}}};
}

bool asked(int argc, char** argv, const std::string& id) {
  return argc <= 2 || std::find(argv + 2, argv + argc, id) != argv + argc;
}

}  // namespace

int main(int argc, char** argv) {
  const int repeats = argc > 1 ? std::max(1, std::atoi(argv[1])) : 15, threads = at::get_num_threads();
  model::tune_process();                                           // as `perrin` does
  auto* registry = new loader::Registry(services::loader_host());  // plugins outlive everything
  const auto catalogue = loader::Index::scan({{PERRIN_PLUGINS}, PERRIN_PROBE, PERRIN_INDEX}).catalogue();
  nlohmann::json result;
  for (const std::string& id : config::ids_of_kind(catalogue, "sampler")) {
    if (!asked(argc, argv, id)) continue;
    const auto loaded = config::load_text(kExperiment, "bench.toml", {"sampler.use=" + id}, catalogue);
    model::Model model(loaded, *registry);
    if (sample::inverts(model)) continue;
    time_network(model);
    model.build_parameters();
    result[id] = measure(model, repeats, threads);
  }
  std::puts(result.dump().c_str());
}
