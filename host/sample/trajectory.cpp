#include "host/sample/trajectory.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <perrin/kind/encoder.h>
#include <perrin/kind/sampler.h>

#include <algorithm>
#include <cmath>

#include "host/base/error.hpp"
#include "host/kernels/lincomb.hpp"
#include "host/kernels/tensors.hpp"
#include "host/model/call.hpp"
#include "host/model/latent.hpp"
#include "host/sample/checks.hpp"
#include "host/sample/distance.hpp"
#include "host/services/spec.hpp"
#include "host/services/status.hpp"
#include "host/services/tensor.hpp"

namespace perrin::sample {
namespace {

Conditions conditions_of(const model::Model& model, const Request& request, int64_t first, int64_t n) {
  Conditions c;
  c.seed = request.seed;
  const int64_t every = request.equal_every > 0 ? request.equal_every : request.count;
  for (int64_t i = 0; i < n; ++i) c.samples.push_back(static_cast<uint64_t>((first + i) % every));
  if (!request.labels.empty()) c.labels.assign(request.labels.begin() + first, request.labels.begin() + first + n);
  c.given = request.given.narrow(first, n);
  c.negative = request.negative.narrow(first, n);
  c.toward = request.toward.narrow(first, n);
  for (const auto& [name, tensor] : request.conditions) c.made[name] = tensor.narrow(0, first, n);
  if (!request.way.empty()) c.way.assign(request.way.begin() + first, request.way.begin() + first + n);
  if (model.guidance.has<&perrin_negative_condition::label>())
    model.guidance.invoke<&perrin_negative_condition::label>(&c.negative_label);
  return c;
}

// Row b goes way[b] of the great circle from a to b: rows stay as long as noise is.
at::Tensor slerp(const at::Tensor& a, const at::Tensor& b, const std::vector<double>& way) {
  std::vector<at::Tensor> rows;
  for (int64_t i = 0; i < a.size(0); ++i) {
    const at::Tensor x = a[i], y = b[i];
    const double cosine = (x * y).sum().item<double>() / (x.norm() * y.norm()).item<double>();
    const double angle = std::acos(std::clamp(cosine, -1.0, 1.0)), w = way[static_cast<size_t>(i)];
    if (std::sin(angle) < 1e-6)
      rows.push_back(x.lerp(y, w));
    else
      rows.push_back(x * (std::sin((1 - w) * angle) / std::sin(angle)) + y * (std::sin(w * angle) / std::sin(angle)));
  }
  return at::stack(rows);
}

bool less_noise(const perrin_time& a, const perrin_time& b) { return a.sigma * b.alpha < b.sigma * a.alpha; }

}  // namespace

Trajectory::Trajectory(model::Model& model, const Request& request, int64_t first, int64_t n,
                       std::function<void()> called)
    : model_(model),
      request_(request),
      offset_(first),
      called_(std::move(called)),
      conditions_(conditions_of(model, request, first, n)),
      guided_(model, conditions_) {}

at::Tensor Trajectory::run(const std::vector<perrin_time>& times) {
  times_ = times;
  const perrin_sampling sampling = {sizeof sampling, static_cast<uint32_t>(times_.size() - 1),
                                    times_.data(),   this,
                                    on_denoise,      on_lincomb,
                                    on_time_at,      on_brownian,
                                    on_distance,     on_variance};
  const services::TensorHandle x = services::wrap(initial(times_.front()));
  if (request_.kept) start_ = services::unwrap(x.get()).cpu().clone();
  perrin_tensor* result = nullptr;
  model_.sampler.invoke<&perrin_sampler::sample>(&sampling, x.get(), &result);
  return services::take(result);
}

at::Tensor Trajectory::decode(const at::Tensor& z) {
  const perrin_call call = model::evaluation_call(request_.seed, conditions_.samples);
  return model::decode_latent(model_, call, z).to(at::kCPU, at::kFloat).contiguous();
}

std::vector<int64_t> Trajectory::sizes() const {
  return services::batch_sizes(model_.shapes.z, static_cast<int64_t>(conditions_.samples.size()));
}

// The request's own start, or x_T: standard normals at the scale that x_t has at the first level for data of unit
// variance.
at::Tensor Trajectory::initial(const perrin_time& at) const {
  const auto options = at::TensorOptions(at::kFloat).device(model_.session->device());
  if (request_.start.defined())
    return own(request_.start).to(options).contiguous();
  const kernels::BatchNoise noise{{request_.seed, PERRIN_PURPOSE_SAMPLE, 0}, conditions_.samples};
  if (request_.init.defined()) {
    const at::Tensor data = own(request_.init).to(options).contiguous();
    return kernels::lincomb(std::span(&data, 1), std::array{at.alpha}, at.sigma, noise);
  }
  const at::Tensor zero = at::zeros(sizes(), options);
  const double scale = std::hypot(at.alpha, at.sigma);
  const auto drawn = [&](const kernels::BatchNoise& from) {
    return kernels::lincomb(std::span(&zero, 1), std::array{0.0}, scale, from);
  };
  if (conditions_.way.empty() || !conditions_.toward.empty()) return drawn(noise);
  return slerp(drawn(noise), drawn({{request_.toward_seed, PERRIN_PURPOSE_SAMPLE, 0}, conditions_.samples}),
               conditions_.way);
}

at::Tensor Trajectory::denoised(const at::Tensor& x, const perrin_time& at) {
  if (request_.cancelled && request_.cancelled()) throw services::Fault(PERRIN_CANCELLED, "interrupted while sampling");
  check_level(model_.sampler, at);
  const Checked asked{model_.sampler, "what is to be denoised"};
  asked.shape(x, sizes());
  asked.finite(x, at);
  const size_t step = step_of(at), last = times_.size() - 1;
  const at::Tensor D = guided_.D(x, at, times_[step], times_[std::min(step + 1, last)], first_call_);
  first_call_ = false;
  if (called_) called_();
  const at::Tensor clipped = model_.experiment.sampling.clip_denoised ? D.clamp(-1, 1) : D;
  if (!request_.mask.defined()) return clipped;
  const at::Tensor mask = own(request_.mask).to(D.options()), known = own(request_.init).to(D.options());
  return (known + mask * (clipped - known)).contiguous();
}

// This batch's part of a tensor of the whole request.
at::Tensor Trajectory::own(const at::Tensor& whole) const {
  return whole.narrow(0, offset_, static_cast<int64_t>(conditions_.samples.size()));
}

// The step of the list that `at` belongs to: it begins at `at` or before it, or is the first.
size_t Trajectory::step_of(const perrin_time& at) const {
  const bool falling = less_noise(times_.back(), times_.front());
  const auto beyond = [&](const perrin_time& level) { return falling ? less_noise(level, at) : less_noise(at, level); };
  const auto next = std::find_if(times_.begin(), times_.end(), beyond);
  return next == times_.begin() ? 0 : static_cast<size_t>(next - times_.begin()) - 1;
}

perrin_status* Trajectory::on_denoise(void* context, perrin_tensor* x, const perrin_time* at,
                                      perrin_tensor** denoised) {
  return services::as_status([&] {
    *denoised = services::lend(services::wrap(static_cast<Trajectory*>(context)->denoised(services::unwrap(x), *at)));
  });
}

perrin_status* Trajectory::on_lincomb(void* context, uint32_t n, const double* a, perrin_tensor* const* x, double s,
                                      uint32_t draw, perrin_tensor** y) {
  return services::as_status([&] {
    const auto& self = *static_cast<Trajectory*>(context);
    if (n < 1 || n > kernels::kMaxTerms) throw Error("lincomb takes 1 to 16 terms", "sampler", "split the sum");
    if (!std::isfinite(s) || !std::all_of(a, a + n, [](double weight) { return std::isfinite(weight); }))
      Checked{self.model_.sampler, "a weight of a linear combination"}.refuse("is not finite");
    std::vector<at::Tensor> terms;
    for (uint32_t i = 0; i < n; ++i) {
      terms.push_back(services::unwrap(x[i]).to(at::kFloat).contiguous());
      if (terms.back().sizes() != terms.front().sizes())
        throw Error("lincomb got tensors of different shapes", "sampler", "report it to the plugin's author");
    }
    const kernels::BatchNoise noise{{self.request_.seed, PERRIN_PURPOSE_SAMPLER, draw}, self.conditions_.samples};
    *y = services::lend(services::wrap(kernels::lincomb(terms, {a, n}, s, noise)));
  });
}

perrin_status* Trajectory::on_time_at(void* context, double log_snr, perrin_time* at) {
  return services::as_status([&] {
    const auto& self = *static_cast<Trajectory*>(context);
    if (std::isnan(log_snr)) Checked{self.model_.sampler, "the log SNR that was asked for"}.refuse("is NaN");
    *at = self.model_.times.at_log_snr(log_snr);
  });
}

perrin_status* Trajectory::on_brownian(void* context, const perrin_time* from, const perrin_time* to,
                                       perrin_tensor** noise) {
  return services::as_status([&] {
    auto& self = *static_cast<Trajectory*>(context);
    for (const perrin_time* at : {from, to}) check_level(self.model_.sampler, *at);
    if (!self.brownian_) self.brownian_.emplace(self.request_.seed, self.conditions_.samples, self.sizes());
    *noise = services::lend(services::wrap(self.brownian_->increment(*from, *to).to(self.model_.session->device())));
  });
}

perrin_status* Trajectory::on_distance(void* context, perrin_tensor* x, perrin_tensor* y, perrin_tensor* previous,
                                       double absolute, double relative, double* value) {
  return services::as_status([&] {
    const auto& self = *static_cast<Trajectory*>(context);
    *value = distance(services::unwrap(x), services::unwrap(y), services::unwrap(previous), absolute, relative);
    if (!std::isfinite(*value)) Checked{self.model_.sampler, "the distance between two steps"}.refuse("is not finite");
  });
}

perrin_status* Trajectory::on_variance(void* context, perrin_tensor** v) {
  return services::as_status([&] {
    const auto& self = *static_cast<Trajectory*>(context);
    if (!self.guided_.variance().defined()) {
      throw services::Fault(PERRIN_UNSUPPORTED,
                            "the denoiser predicts no variance: its output has as many channels as its input");
    }
    *v = services::lend(services::wrap(self.guided_.variance()));
  });
}

}  // namespace perrin::sample
