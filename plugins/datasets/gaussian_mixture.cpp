#include <algorithm>
#include <cmath>
#include <numeric>

#include "mixture.hpp"
#include "perrin/cpp/dataset.hpp"
#include "perrin/host/rng.h"

namespace perrin::datasets {
namespace {

constexpr double pi = 3.14159265358979323846;
constexpr uint32_t purpose_label = PERRIN_PURPOSE_PLUGIN, purpose_value = PERRIN_PURPOSE_PLUGIN + 1,
                   purpose_mean = PERRIN_PURPOSE_PLUGIN + 2;
constexpr int64_t max_size = 1 << 16;

// The number of values of one sample, at most max_size.
int64_t values_of(const std::vector<int64_t>& shape) {
  int64_t size = 1;
  for (int64_t n : shape) size = n > max_size / size ? max_size + 1 : size * n;
  return size;
}

// Weights that sum to 1: the configured ones, or equal ones.
std::vector<double> normalised(std::vector<double> weights, uint64_t components) {
  if (weights.empty()) weights.assign(components, 1);
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  for (double& w : weights) w /= sum;
  return weights;
}

// [components, size], each at `radius` from the origin: two values: on a ring, the first on the first axis; else in
// random directions of the seed.
std::vector<double> placed(uint64_t components, uint64_t size, double radius, uint64_t seed) {
  std::vector<double> means(components * size);
  const auto* rng = service<perrin_host_rng>(PERRIN_HOST_RNG);
  for (uint64_t k = 0; k < components; ++k) {
    double* mean = &means[k * size];
    if (size == 2) {
      const double angle = 2 * pi * static_cast<double>(k) / static_cast<double>(components);
      mean[0] = radius * std::cos(angle), mean[1] = radius * std::sin(angle);
      continue;
    }
    std::vector<float> direction(size);
    rng->normal({seed, purpose_mean, 0}, k, 0, size, direction.data());
    std::copy(direction.begin(), direction.end(), mean);
    const double norm = std::sqrt(std::inner_product(mean, mean + size, mean, 0.0));
    for (uint64_t i = 0; i < size; ++i) mean[i] *= radius / norm;
  }
  return means;
}

Mixture mixture(const Config& config) {
  const auto components = static_cast<uint64_t>(config.integer("components"));
  Mixture m{static_cast<uint64_t>(values_of(config.integers("shape"))), config.number("deviation"),
            normalised(config.numbers("weights"), components), config.numbers("means")};
  if (m.means.empty())
    m.means = placed(components, m.size, config.number("radius"), static_cast<uint64_t>(config.integer("seed")));
  return m;
}

struct GaussianMixture {
  static constexpr std::string_view id = "gaussian-mixture", version = "0.1.0";
  static constexpr std::string_view doc =
      "Samples of a mixture of isotropic Gaussians, whose posterior mean, score and moments are known exactly; the "
      "label is "
      "the component.";
  static std::vector<Key> keys() {
    return {
        Key::integers("shape", "[2]", "shape of a sample: [D], or [C, H, W] for images").min(1),
        Key::integer("components", "8", "number of Gaussians").min(1).max(4096),
        Key::number("radius", "1.0",
                    "distance of each mean from the origin: on a ring for two values, in random directions otherwise")
            .min(0),
        Key::numbers("means", "[]", "the means themselves, one component after another, instead of radius"),
        Key::number("deviation", "0.1", "standard deviation of each Gaussian in each direction").above(0),
        Key::numbers("weights", "[]", "share of each component, in any scale; empty: equal").above(0),
        Key::integer("count", "65536", "number of samples").min(1).unit("samples"),
        Key::integer("seed", "0", "seed of the samples and of random directions").min(0)};
  }
  static void validate(const Config& config);
  explicit GaussianMixture(const Config& config)
      : mixture_(mixture(config)),
        count_(static_cast<uint64_t>(config.integer("count"))),
        seed_(static_cast<uint64_t>(config.integer("seed"))) {
    perrin_spec image = spec("image", PERRIN_FLOAT32, {});
    for (int64_t n : config.integers("shape")) image.sizes[image.rank++] = n;
    fields_ = {field(image, 1, 0), field(spec("label", PERRIN_INT64, {}), 1, 0, mixture_.components())};
    std::partial_sum(mixture_.weights.begin(), mixture_.weights.end(), std::back_inserter(cumulative_));
  }

  const std::vector<perrin_field>& fields() const { return fields_; }
  uint64_t count() const { return count_; }
  void identity(const Identity&) const {}

  // A sample is a function of (seed, index) alone.
  void read(uint64_t n, const uint64_t* indices, void* const* buffers) const {
    const auto* rng = service<perrin_host_rng>(PERRIN_HOST_RNG);
    auto* value = static_cast<float*>(buffers[0]);
    auto* label = static_cast<int64_t*>(buffers[1]);
    for (uint64_t i = 0; i < n; ++i, value += mixture_.size) {
      if (indices[i] >= count_)
        throw Failure("sample " + std::to_string(indices[i]) + " of " + std::to_string(count_) + " was asked for");
      double u = 0;
      rng->uniform_double({seed_, purpose_label, 0}, indices[i], 0, 1, &u);
      const uint64_t k = component(u);
      rng->normal({seed_, purpose_value, 0}, indices[i], 0, mixture_.size, value);
      for (uint64_t j = 0; j < mixture_.size; ++j)
        value[j] = static_cast<float>(mixture_.mean(k)[j] + mixture_.deviation * value[j]);
      label[i] = static_cast<int64_t>(k);
    }
  }

  void posterior_mean(double alpha, double sigma, uint64_t n, uint64_t size, const double* x, const int64_t* labels,
                      double* mean) const {
    check_size(size);
    for (uint64_t i = 0; labels && i < n; ++i)
      if (labels[i] < 0 || labels[i] >= static_cast<int64_t>(mixture_.components()))
        throw Failure(PERRIN_INVALID_DATA, "label " + std::to_string(labels[i]) + " is not one of the " +
                                               std::to_string(mixture_.components()) + " components");
    mixture_.posterior_mean(alpha, sigma, n, x, labels, mean);
  }
  void moments(uint64_t size, double* mean, double* covariance) const {
    check_size(size);
    mixture_.moments(mean, covariance);
  }

 private:
  // u in (0, 1] -> a component, by its weight.
  uint64_t component(double u) const {
    const auto at = std::lower_bound(cumulative_.begin(), cumulative_.end() - 1, u);
    return static_cast<uint64_t>(at - cumulative_.begin());
  }
  void check_size(uint64_t size) const {
    if (size != mixture_.size)
      throw Failure(PERRIN_INVALID_DATA,
                    "samples have " + std::to_string(mixture_.size) + " values, not " + std::to_string(size));
  }

  Mixture mixture_;
  uint64_t count_, seed_;
  std::vector<perrin_field> fields_;
  std::vector<double> cumulative_;
};

void GaussianMixture::validate(const Config& config) {
  const std::vector<int64_t> shape = config.integers("shape");
  const int64_t components = config.integer("components"), size = values_of(shape);
  const auto weights = static_cast<int64_t>(config.numbers("weights").size());
  const auto means = static_cast<int64_t>(config.numbers("means").size());
  if (shape.empty() || shape.size() > PERRIN_MAX_RANK || size > max_size)
    throw Failure(PERRIN_INVALID_CONFIG, "shape: 1 to " + std::to_string(PERRIN_MAX_RANK) + " sizes with at most " +
                                             std::to_string(max_size) + " values in all");
  if (weights != 0 && weights != components)
    throw Failure(PERRIN_INVALID_CONFIG, std::to_string(weights) + " weights for " + std::to_string(components) +
                                             " components: give one each, or none");
  if (means != 0 && means != components * size)
    throw Failure(PERRIN_INVALID_CONFIG, std::to_string(means) + " numbers in means: " + std::to_string(components) +
                                             " components of " + std::to_string(size) + " values need " +
                                             std::to_string(components * size));
}

PERRIN_EXACT_DATASET(GaussianMixture);

}  // namespace
}  // namespace perrin::datasets
