#include <cmath>
#include <numeric>

#include "perrin/cpp/timesteps.hpp"

namespace perrin::timesteps {
namespace {

// Near 0.618 n and coprime to n: its multiples modulo n visit every stratum once, and any few in a row lie far apart.
uint64_t golden_stride(uint64_t n) {
  auto stride = static_cast<uint64_t>(std::llround(0.6180339887498949 * static_cast<double>(n)));
  while (std::gcd(stride, n) != 1) ++stride;
  return stride;
}

struct Stratified {
  static constexpr std::string_view id = "stratified", version = "0.1.0";
  static constexpr std::string_view doc =
      "One time from each of `strata` equal parts of the schedule in every `strata` consecutive samples, so that the "
      "loss "
      "varies less than with uniform; unbiased, as data order is random (low-discrepancy times: 2107.00630 Appendix "
      "I.1).";
  static std::vector<Key> keys() {
    return {Key::integer("strata", "64",
                         "parts of the schedule, and samples in which each is visited once; need not be "
                         "the batch size")
                .min(1)
                .max(65536)
                .unit("samples")};
  }
  explicit Stratified(const Config& config)
      : strata_(static_cast<uint64_t>(config.integer("strata"))), stride_(golden_stride(strata_)) {}

  // By position alone: batches of any size see the same times.
  double draw(double u, uint64_t sample, const perrin_time_domain& domain, double&) const {
    const uint64_t stratum = sample % strata_ * stride_ % strata_;
    return time_at_quantile(domain, (static_cast<double>(stratum) + u) / static_cast<double>(strata_));
  }

 private:
  uint64_t strata_;
  uint64_t stride_;
};
PERRIN_TIMESTEPS(Stratified);

}  // namespace
}  // namespace perrin::timesteps
