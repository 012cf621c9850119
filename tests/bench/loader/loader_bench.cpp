// Images per second of the data pipeline: batches of 64, augmented, as training gets them. Prints one JSON line with
// the rate of each repeat, and the sum of the first batch of the unshuffled data, which the peer's must equal.
//
// Usage: loader_bench DATASET FOLDER SIZE THREADS REPEATS      DATASET: image-folder or cifar10
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "host/config/load.hpp"
#include "host/data/pipeline.hpp"
#include "host/loader/index.hpp"
#include "host/model/fields.hpp"
#include "host/services/host.hpp"

namespace {

using namespace perrin;
using Clock = std::chrono::steady_clock;

constexpr int64_t kBatch = 64;

services::Component dataset(const std::string& id, const std::string& folder, const std::string& size) {
  auto* registry = new loader::Registry(services::loader_host());  // plugins outlive everything
  const auto catalogue = loader::Index::scan({{PERRIN_PLUGINS}, PERRIN_PROBE, PERRIN_INDEX}).catalogue();
  const std::string text =
      "[experiment]\nname = 'bench'\n[denoiser]\nuse = 'mlp'\n[schedule]\nuse = 'linear'\n[dataset]\nuse = '" + id +
      "'\nfolder = '" + folder + "'\nflip = true\n" + (id == "cifar10" ? "" : "size = " + size + "\n");
  return services::Component(*registry, config::load_text(text, "bench.toml", {}, catalogue).experiment.dataset, 0);
}

// The first `n` samples, as evaluation reads them.
int64_t sum_of_first(const services::Component& data, uint64_t n) {
  const auto fields = model::dataset_fields(const_cast<services::Component&>(data));
  int64_t pixels = 1;
  for (uint32_t i = 0; i < fields[0].spec.rank; ++i) pixels *= fields[0].spec.sizes[i];
  std::vector<uint8_t> images(n * static_cast<uint64_t>(pixels));
  std::vector<int64_t> labels(n);
  std::vector<uint64_t> indices(n);
  for (uint64_t i = 0; i < n; ++i) indices[i] = i;
  void* const buffers[] = {images.data(), labels.data()};
  data.invoke<&perrin_dataset::read>(n, indices.data(), buffers);
  int64_t sum = 0;
  for (uint8_t value : images) sum += value;
  return sum;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) return std::fputs("usage: loader_bench DATASET FOLDER SIZE THREADS REPEATS\n", stderr), 2;
  services::Component data = dataset(argv[1], argv[2], argv[3]);
  const int threads = std::atoi(argv[4]), repeats = std::atoi(argv[5]);
  const auto batches = static_cast<int64_t>(model::dataset_count(data)) / kBatch;
  nlohmann::json result = {{"sum", sum_of_first(data, kBatch)}};
  for (int i = 0; i < repeats; ++i) {
    data::Pipeline pipeline(data, static_cast<uint64_t>(i), 0, kBatch, threads);
    pipeline.next();  // the threads run
    const auto begin = Clock::now();
    for (int64_t b = 1; b < batches; ++b) pipeline.next();
    const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    result["images_per_second"].push_back(static_cast<double>((batches - 1) * kBatch) / seconds);
  }
  std::puts(result.dump().c_str());
}
