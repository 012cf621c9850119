#include "host/train/objective/draw.hpp"

#include <perrin/kind/timesteps.h>
#include <perrin/kind/weighting.h>

#include <cmath>

#include "host/base/error.hpp"
#include "host/kernels/tensors.hpp"
#include "host/model/denoise.hpp"

namespace perrin::train {
namespace {

// A law of the noise level comes before one of the time. importance: [B].
std::vector<perrin_time> draw_times(model::Model& model, const std::vector<uint64_t>& positions,
                                    std::vector<double>& importance) {
  const perrin_stream stream{model.experiment.seed, PERRIN_PURPOSE_TIMESTEP, 0};
  const perrin_time_domain& domain = model.times.domain();
  const uint64_t n = positions.size();
  std::vector<double> drawn(n);
  std::vector<perrin_time> times;
  if (model.timesteps.has<&perrin_timesteps::draw_log_snr>()) {
    const perrin_time cleanest = model.times.at(domain.t_min), noisiest = model.times.at(domain.t_max);
    model.timesteps.invoke<&perrin_timesteps::draw_log_snr>(&cleanest, &noisiest, stream, n, positions.data(),
                                                            drawn.data(), importance.data());
    for (double level : drawn) times.push_back(model.times.at_log_snr(level));
  } else {
    model.timesteps.invoke<&perrin_timesteps::draw>(&domain, stream, n, positions.data(), drawn.data(),
                                                    importance.data());
    for (double t : drawn) times.push_back(model.times.at(t));
  }
  return times;
}

// [B] of the weighting.
std::vector<double> weigh(model::Model& model, const Draw& d, const StageStep& at) {
  std::vector<double> weight = model.weights(d.times, d.coefficients, at.stage_step + 1, at.stage.steps);
  for (size_t b = 0; b < weight.size(); ++b)
    if (!std::isfinite(weight[b]))
      throw Error("the weighting has no finite weight at t = " + std::to_string(d.times[b].t) + " (alpha " +
                      std::to_string(d.times[b].alpha) + ", sigma " + std::to_string(d.times[b].sigma) + ")",
                  model.weighting.id(),
                  "choose another weighting or parameterization, or a schedule without that level");
  return weight;
}

}  // namespace

// c_in x_t and the target in one pass over x_0, eps regenerated in registers.
Draw shown_at(model::Model& model, const at::Tensor& x0, const std::vector<uint64_t>& positions,
              std::vector<perrin_time> times) {
  Draw result;
  result.times = std::move(times);
  result.coefficients = model.coefficients(result.times);
  kernels::RowCoefficients rows;
  for (size_t b = 0; b < positions.size(); ++b) {
    const perrin_coefficients& c = result.coefficients[b];
    rows.alpha.push_back(static_cast<float>(c.c_in * result.times[b].alpha));
    rows.sigma.push_back(static_cast<float>(c.c_in * result.times[b].sigma));
    rows.target_x0.push_back(static_cast<float>(c.target_x0));
    rows.target_noise.push_back(static_cast<float>(c.target_noise));
  }
  const random::Stream noise{model.experiment.seed, PERRIN_PURPOSE_NOISE, 0};
  kernels::Noised noised = kernels::q_sample(x0, rows, {noise, positions});
  result.input = model::channels_last(noised.x_t);
  result.target = std::move(noised.target);
  return result;
}

Draw draw(model::Model& model, const at::Tensor& x0, const std::vector<uint64_t>& positions, const StageStep& at) {
  std::vector<double> importance(positions.size());
  std::vector<perrin_time> times = draw_times(model, positions, importance);
  Draw result = shown_at(model, x0, positions, std::move(times));
  result.weight = weigh(model, result, at);
  for (size_t b = 0; b < positions.size(); ++b) result.weight[b] *= importance[b];
  result.importance = std::move(importance);
  result.drops = draw_drops(model, positions, at.stage);
  return result;
}

}  // namespace perrin::train
