#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>

#include <cmath>

#include "host/evaluate/batches.hpp"
#include "host/model/conditioning.hpp"
#include "host/model/denoise.hpp"
#include "host/model/latent.hpp"
#include "host/train/objective/diffusion.hpp"

namespace perrin::evaluate {
namespace {

// Whole log SNRs that the schedule reaches.
std::vector<double> levels_of(const model::TimeTable& times) {
  constexpr int kFarthest = 10;
  const perrin_time_domain& domain = times.domain();
  const double noisiest = model::log_snr(times.at(domain.t_max)), cleanest = model::log_snr(times.at(domain.t_min));
  std::vector<double> levels;
  for (int level = -kFarthest; level <= kFarthest; ++level)
    if (level >= noisiest && level <= cleanest) levels.push_back(level);
  return levels;
}

// ||D - x_0||^2 / elements of each sample at one level. [B]
at::Tensor error_at(model::Model& model, const data::Batch& batch, const perrin_call& call, const at::Tensor& x0,
                    double log_snr, const perrin_conditioning* conditioning) {
  const std::vector<perrin_time> times(batch.indices.size(), model.times.at_log_snr(log_snr));
  const train::Draw shown = train::shown_at(model, x0, batch.indices, times);
  const at::Tensor network = model::predict(model, call, shown.input, shown.coefficients, conditioning).to(at::kFloat);
  const at::Tensor none;
  const train::DiffusionPass pass{model, batch, shown, x0, network, none};
  return (pass["D"] - x0).square().flatten(1).mean(1).to(at::kCPU, at::kDouble);
}

// Running sums at each level.
struct Sums {
  explicit Sums(size_t levels) : sum(levels), squares(levels) {}
  std::vector<double> sum, squares;
  int64_t n = 0;

  double mean(size_t i) const { return sum[i] / static_cast<double>(n); }
  double standard_error(size_t i) const {
    const double count = static_cast<double>(n), variance = (squares[i] - sum[i] * mean(i)) / (count - 1);
    return n > 1 ? std::sqrt(std::max(variance, 0.0) / count) : NAN;
  }
};

store::Curve curve(const std::string& name, const std::string& doc, const std::vector<double>& levels,
                   std::vector<double> values) {
  return {name, "", doc, "log_snr", "", "ln(alpha^2 / sigma^2)", levels, std::move(values)};
}

}  // namespace

Found denoising(model::Model& model, const Request& request) {
  const at::NoGradGuard no_grad;
  const std::vector<double> levels = levels_of(model.times);
  Sums sums(levels.size());
  for_each_batch(model, request, [&](const data::Batch& batch, const perrin_call& call) {
    const at::Tensor x0 = model::encode_latent(model, call, data::images(model, batch));
    const model::ConditioningHandles conditioning(model, call, {batch.fields, {}}, {});
    for (size_t i = 0; i < levels.size(); ++i) {
      const at::Tensor error = error_at(model, batch, call, x0, levels[i], conditioning.get());
      sums.sum[i] += error.sum().item<double>();
      sums.squares[i] += error.square().sum().item<double>();
    }
    sums.n += static_cast<int64_t>(batch.indices.size());
  });
  std::vector<double> means, errors;
  for (size_t i = 0; i < levels.size(); ++i) means.push_back(sums.mean(i)), errors.push_back(sums.standard_error(i));
  return {{},
          {curve("denoising_error",
                 "mean squared error of the estimate of x_0, per element where diffusion runs, of " +
                     std::to_string(sums.n) + " samples",
                 levels, means),
           curve("denoising_error_standard_error", "of the mean over samples", levels, errors)}};
}

}  // namespace perrin::evaluate
