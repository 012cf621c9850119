#include "perrin/cpp/timesteps.hpp"
#include "strata.hpp"

namespace perrin::timesteps {
namespace {

struct Stratified {
  static constexpr std::string_view id = "stratified", version = "0.1.0";
  static constexpr std::string_view doc =
      "One time from each of `strata` equal parts of the schedule in every `strata` consecutive samples, so that the "
      "loss varies less than with uniform; unbiased, as data order is random (low-discrepancy times: 2107.00630 "
      "Appendix I.1).";
  static std::vector<Key> keys() {
    return {Key::integer("strata", "64",
                         "parts of the schedule, and samples in which each is visited once; need not be the batch size")
                .min(1)
                .max(65536)
                .unit("samples")};
  }
  explicit Stratified(const Config& config) : strata_(static_cast<uint64_t>(config.integer("strata"))) {}

  // By position alone: batches of any size see the same times.
  double draw(double u, uint64_t sample, const perrin_time_domain& domain, double&) const {
    const auto n = static_cast<double>(strata_.size());
    return time_at_quantile(domain, (static_cast<double>(strata_.at(sample)) + u) / n);
  }

 private:
  Strata strata_;
};
PERRIN_TIMESTEPS(Stratified);

}  // namespace
}  // namespace perrin::timesteps
