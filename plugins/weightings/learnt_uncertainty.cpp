#include "level.hpp"
#include "perrin/cpp/op.hpp"

namespace perrin::weightings {
namespace {

constexpr double pi = 3.14159265358979323846;

class LearntUncertainty {
 public:
  static constexpr std::string_view id = "learnt-uncertainty", version = "0.1.0";
  static constexpr std::string_view doc =
      "loss / e^u + u with a learnt u of the noise level, which settles at the logarithm of the level's loss: every "
      "level then has the same pull on the network, whatever its loss (2312.02696 Eq. 21). On the edm weighting.";
  static std::vector<Key> keys() {
    return {sigma_data_key(), Key::integer("channels", "128", "Fourier features of the noise level").min(1).max(65536)};
  }
  explicit LearntUncertainty(const Config& config)
      : sigma_data_(config.number("sigma_data")), channels_(config.integer("channels")) {
    frequencies_ = parameters_.add("frequencies", {channels_}, PERRIN_INIT_NORMAL, 2 * pi, PERRIN_BUFFER);
    phases_ = parameters_.add("phases", {channels_}, PERRIN_INIT_UNIFORM, pi, PERRIN_BUFFER);
    weight_ = parameters_.add("weight", {channels_}, PERRIN_INIT_CONSTANT, 0);
  }

  double weight(const perrin_time& at, const perrin_coefficients& c) const { return edm_weight(at, c, sigma_data_); }

  // 2312.02696 Eq. 21. c_noise: [B], values: [B] -> [B]; the values themselves at the start, where u = 0.
  Handle learnt(const perrin_call&, const Handle& c_noise, const Handle& values) const {
    const Handle u = uncertainty(c_noise);
    return add_(div_(values, exp_(u)), u);
  }

  LearntParameters& parameters() { return parameters_; }

 private:
  // A linear layer on the magnitude-preserving Fourier features sqrt(2) cos(2 pi (f c_noise + phi)) (2312.02696 Eq.
  // 75). Not through a matrix product, which autocast would round to bfloat16.
  Handle uncertainty(const Handle& c_noise) const {
    const Handle angle = add_(mul_(unsqueeze_(c_noise, 1), parameters_[frequencies_]), parameters_[phases_]);
    const Handle terms = mul_(cos_(angle), parameters_[weight_]);  // [B, channels]
    return scale_(sum_(terms, std::vector<int64_t>{1}), std::sqrt(2.0 / static_cast<double>(channels_)));
  }

  double sigma_data_;
  int64_t channels_;
  LearntParameters parameters_;
  size_t frequencies_, phases_, weight_;
  Op add_{"aten::add", "Tensor"}, mul_{"aten::mul", "Tensor"}, scale_{"aten::mul", "Scalar"},
      div_{"aten::div", "Tensor"};
  Op cos_{"aten::cos"}, exp_{"aten::exp"}, sum_{"aten::sum", "dim_IntList"}, unsqueeze_{"aten::unsqueeze"};
};
PERRIN_WEIGHTING(LearntUncertainty);

}  // namespace
}  // namespace perrin::weightings
