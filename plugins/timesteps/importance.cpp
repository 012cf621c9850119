#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "fraction.hpp"

namespace perrin::timesteps {
namespace {

class Importance : public State {
 public:
  static constexpr std::string_view id = "importance", version = "0.1.0";
  static constexpr std::string_view doc =
      "Times where the loss has been large more often, with importance 1 / (n p) that leaves the mean loss as it is "
      "(2102.09672 Sec. 3.3); uniform until every time has its history. The one law that depends on the training so "
      "far, and through it on the batch size.";
  static std::vector<Key> keys() {
    return {Key::integer("history", "10", "latest losses of each bucket that count").min(1).max(1000),
            Key::integer("buckets", "100",
                         "equal parts of the schedule with a history each; a discrete schedule of fewer times has one "
                         "for each time")
                .min(1)
                .max(10000),
            Key::number("uniform", "0.001", "share of uniform draws, so that no time is forgotten").above(0).max(1)};
  }
  explicit Importance(const Config& config)
      : history_(static_cast<size_t>(config.integer("history"))),
        most_(static_cast<size_t>(config.integer("buckets"))),
        uniform_(config.number("uniform")) {}

  double draw(double u, uint64_t, const perrin_time_domain& domain, double& importance) const {
    const double x = 1 - u;
    if (cumulative_.empty()) return time_at_fraction(domain, x);
    const auto above = std::upper_bound(cumulative_.begin(), cumulative_.end() - 1, x);
    const double before = above == cumulative_.begin() ? 0 : *(above - 1), p = *above - before;
    const auto n = static_cast<double>(cumulative_.size());
    importance = 1 / (n * p);
    return time_at_fraction(domain, (static_cast<double>(above - cumulative_.begin()) + (x - before) / p) / n);
  }

  void observe(const perrin_time_domain& domain, uint64_t n, const double* t, const double* losses) {
    const size_t buckets = domain.steps == 0 ? most_ : std::min<size_t>(most_, domain.steps);
    if (seen_.empty()) seen_.resize(buckets), losses_.resize(buckets * history_);
    if (seen_.size() != buckets)
      throw Failure(PERRIN_INVALID_DATA, "the loss history is of a schedule with another number of times");
    for (uint64_t i = 0; i < n; ++i) {
      const double x = fraction_of_time(domain, t[i]) * static_cast<double>(buckets);
      const size_t bucket = std::min(static_cast<size_t>(x), buckets - 1);
      losses_[bucket * history_ + static_cast<size_t>(seen_[bucket]) % history_] = losses[i];
      seen_[bucket] += 1;
    }
    update();
  }

  // Numbers of 8 bytes: buckets, history, losses seen [buckets], latest losses [buckets, history].
  std::vector<uint8_t> save() const {
    std::vector<double> numbers = {static_cast<double>(seen_.size()), static_cast<double>(history_)};
    numbers.insert(numbers.end(), seen_.begin(), seen_.end());
    numbers.insert(numbers.end(), losses_.begin(), losses_.end());
    std::vector<uint8_t> bytes(numbers.size() * sizeof(double));
    std::memcpy(bytes.data(), numbers.data(), bytes.size());
    return bytes;
  }
  void load(const std::vector<uint8_t>& bytes) {
    std::vector<double> numbers(bytes.size() / sizeof(double));
    if (!numbers.empty()) std::memcpy(numbers.data(), bytes.data(), numbers.size() * sizeof(double));
    if (numbers.size() * sizeof(double) != bytes.size() || !fits(numbers))
      throw Failure(
          PERRIN_INVALID_DATA,
          "the state is not a loss history of this configuration: resume with the `history` and `buckets` that "
          "saved it");
    const auto seen = numbers.begin() + 2, losses = seen + static_cast<std::ptrdiff_t>(numbers[0]);
    seen_.assign(seen, losses);
    losses_.assign(losses, numbers.end());
    update();
  }

 private:
  bool fits(const std::vector<double>& numbers) const {
    const auto finite = [](double value) { return std::isfinite(value); };
    const auto count = [](double value) { return value >= 0 && value < 0x1p53 && value == std::floor(value); };
    if (numbers.size() < 2 || !std::all_of(numbers.begin(), numbers.end(), finite)) return false;
    if (!count(numbers[0]) || numbers[0] > static_cast<double>(most_)) return false;
    const auto buckets = static_cast<size_t>(numbers[0]);
    return numbers[1] == static_cast<double>(history_) && numbers.size() == 2 + buckets * (1 + history_) &&
           std::all_of(numbers.begin() + 2, numbers.begin() + 2 + static_cast<std::ptrdiff_t>(buckets), count);
  }

  // 2102.09672 Eq. 18: p_t proportional to sqrt(E L_t^2), once each bucket has a full history.
  void update() {
    const auto full = [this](double seen) { return seen >= static_cast<double>(history_); };
    cumulative_.clear();
    if (!std::all_of(seen_.begin(), seen_.end(), full)) return;
    std::vector<double> p(seen_.size());
    for (size_t b = 0; b < p.size(); ++b) {
      const double* L = losses_.data() + b * history_;
      p[b] = std::sqrt(std::inner_product(L, L + history_, L, 0.0) / static_cast<double>(history_));
    }
    const double total = std::accumulate(p.begin(), p.end(), 0.0);
    if (!(total > 0 && std::isfinite(total))) return;
    for (double& value : p) value = (1 - uniform_) * value / total + uniform_ / static_cast<double>(p.size());
    cumulative_.resize(p.size());
    std::partial_sum(p.begin(), p.end(), cumulative_.begin());
  }

  size_t history_, most_;
  double uniform_;
  std::vector<double> seen_;        // [buckets], whole numbers
  std::vector<double> losses_;      // [buckets, history]
  std::vector<double> cumulative_;  // [buckets] of p; empty: uniform
};
PERRIN_TIMESTEPS(Importance);

}  // namespace
}  // namespace perrin::timesteps
