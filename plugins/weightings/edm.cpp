#include "level.hpp"

namespace perrin::weightings {
namespace {

struct Edm {
  static constexpr std::string_view id = "edm", version = "0.1.0";
  static constexpr std::string_view doc =
      "(s^2 + sigma_data^2) / (s sigma_data)^2 on the error of x_0, s = sigma / alpha: every noise level starts with "
      "the same loss under the edm parameterization (2206.00364 Table 1).";
  static std::vector<Key> keys() { return {sigma_data_key()}; }
  explicit Edm(const Config& config) : sigma_data_(config.number("sigma_data")) {}

  double weight(const perrin_time& at, const perrin_coefficients& c) const { return edm_weight(at, c, sigma_data_); }

 private:
  double sigma_data_;
};
PERRIN_WEIGHTING(Edm);

}  // namespace
}  // namespace perrin::weightings
