#include "host/sample/generate.hpp"

#include <ATen/autocast_mode.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <perrin/kind/encoder.h>
#include <perrin/kind/guidance.h>
#include <perrin/kind/sampler.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "host/base/error.hpp"
#include "host/kernels/lincomb.hpp"
#include "host/kernels/tensors.hpp"
#include "host/run/autocast.hpp"
#include "host/run/objective.hpp"
#include "host/sample/steps.hpp"
#include "host/services/status.hpp"
#include "host/services/tensor.hpp"

namespace perrin::sample {
namespace {

constexpr uint32_t kBoth = PERRIN_BRANCH_CONDITIONAL | PERRIN_BRANCH_UNCONDITIONAL;

// One batch on its way from x_T to x_0: what the sampler's callbacks see.
class Trajectory {
 public:
  Trajectory(run::Model& model, const Request& request, int64_t first, int64_t n, std::function<void()> called)
      : model_(model), request_(request), called_(std::move(called)) {
    for (int64_t i = 0; i < n; ++i) samples_.push_back(static_cast<uint64_t>(first + i));
    if (!request.labels.empty())
      labels_.assign(request.labels.begin() + first, request.labels.begin() + first + n);
  }

  at::Tensor run(const std::vector<perrin_time>& times) {
    const perrin_sampling sampling = {sizeof sampling, static_cast<uint32_t>(times.size() - 1), times.data(), this,
                                      denoise,         lincomb,                                 time_at};
    const services::TensorHandle x = services::wrap(initial(times.front()));
    perrin_tensor* result = nullptr;
    model_.sampler.invoke<&perrin_sampler::sample>(&sampling, x.get(), &result);
    const services::TensorHandle z(result);
    return decode(z.get());
  }

 private:
  static perrin_status* denoise(void* context, perrin_tensor* x, const perrin_time* at, perrin_tensor** denoised) {
    return services::as_status([&] {
      *denoised = services::wrap(static_cast<Trajectory*>(context)->guided(services::unwrap(x), *at)).release();
    });
  }
  static perrin_status* lincomb(void* context, uint32_t n, const double* a, perrin_tensor* const* x, double s,
                                uint32_t draw, perrin_tensor** y) {
    return services::as_status([&] {
      auto& self = *static_cast<Trajectory*>(context);
      if (n < 1 || n > kernels::kMaxTerms) throw Error("lincomb takes 1 to 16 terms", "sampler", "split the sum");
      std::vector<std::pair<double, at::Tensor>> terms;
      for (uint32_t i = 0; i < n; ++i) terms.emplace_back(a[i], services::unwrap(x[i]));
      *y = services::wrap(self.combine(terms, s, PERRIN_PURPOSE_SAMPLER, draw)).release();
    });
  }
  static perrin_status* time_at(void* context, double log_snr, perrin_time* at) {
    return services::as_status([&] { *at = static_cast<Trajectory*>(context)->model_.times.at_log_snr(log_snr); });
  }

  at::Tensor combine(const std::vector<std::pair<double, at::Tensor>>& terms, double s, uint32_t purpose, uint32_t draw) const {
    std::vector<at::Tensor> x;
    std::vector<double> a;
    for (const auto& [coefficient, tensor] : terms) {
      if (tensor.sizes() != terms.front().second.sizes())
        throw Error("lincomb got tensors of different shapes", "sampler", "report it to the plugin's author");
      x.push_back(tensor.to(at::kFloat).contiguous());
      a.push_back(coefficient);
    }
    return kernels::lincomb(x, a, s, {{request_.seed, purpose, draw}, samples_});
  }

  // x_T: standard normals at the scale that x_t has at the first level for data of unit variance.
  at::Tensor initial(const perrin_time& at) const {
    std::vector<int64_t> sizes(model_.shapes.z.sizes, model_.shapes.z.sizes + model_.shapes.z.rank);
    sizes.insert(sizes.begin(), static_cast<int64_t>(samples_.size()));
    return combine({{0.0, at::zeros(sizes, at::TensorOptions(at::kFloat).device(services::run_device()))}}, std::hypot(at.alpha, at.sigma), PERRIN_PURPOSE_SAMPLE, 0);
  }

  // D of each branch that the guidance asks for, in one call of the denoiser, then combined.
  at::Tensor guided(const at::Tensor& x, const perrin_time& at) {
    if (request_.cancelled && request_.cancelled()) throw services::Fault(PERRIN_CANCELLED, "interrupted while sampling");
    uint32_t mask = 0;
    model_.guidance.invoke<&perrin_guidance::branches>(&at, &mask);
    if (mask == 0 || (mask & ~kBoth) != 0)
      throw Error("the guidance asked for no branch or an unknown one", model_.guidance.id(), "report it to the plugin's author");
    // Without conditioner both branches are the same prediction.
    const uint32_t evaluated = model_.conditioner ? mask : PERRIN_BRANCH_CONDITIONAL;
    const std::vector<at::Tensor> D = denoised(x, at, evaluated);
    if (called_) called_();
    const at::Tensor& conditional = D.front();
    const at::Tensor& unconditional = D.back();
    const services::TensorHandle c = mask & PERRIN_BRANCH_CONDITIONAL ? services::wrap(conditional) : nullptr;
    const services::TensorHandle u = mask & PERRIN_BRANCH_UNCONDITIONAL ? services::wrap(unconditional) : nullptr;
    perrin_tensor* result = nullptr;
    model_.guidance.invoke<&perrin_guidance::combine>(&at, c.get(), u.get(), &result);
    const services::TensorHandle handle(result);
    const at::Tensor& out = services::unwrap(handle.get());
    return model_.experiment.sampling.clip_denoised ? out.clamp(-1, 1) : out;
  }

  // One D per branch of `mask`: the conditional one first.
  std::vector<at::Tensor> denoised(const at::Tensor& x, const perrin_time& at, uint32_t mask) {
    const auto n = static_cast<int64_t>(samples_.size());
    const int64_t branches = mask == kBoth ? 2 : 1;
    const perrin_coefficients c = model_.coefficients({at}).front();
    at::Tensor input = c.c_in == 1 ? x : x * c.c_in;
    if (branches == 2) input = at::cat({input, input});
    if (input.dim() == 4) input = input.contiguous(at::MemoryFormat::ChannelsLast);
    const perrin_call call = call_for(branches);
    const at::Tensor F =
        run::predict(model_, call, input, std::vector<perrin_coefficients>(static_cast<size_t>(n * branches), c),
                     conditioning(call, mask));
    std::vector<at::Tensor> result;
    for (int64_t b = 0; b < branches; ++b)
      result.push_back(combine({{c.c_skip, x}, {c.c_out, F.narrow(0, b * n, n)}}, 0, 0, 0));
    return result;
  }

  perrin_call call_for(int64_t branches) {
    positions_ = samples_;
    if (branches == 2) positions_.insert(positions_.end(), samples_.begin(), samples_.end());
    return {sizeof(perrin_call), 0, request_.seed, 0, static_cast<uint32_t>(positions_.size()), positions_.data()};
  }

  // Encoded once for each set of branches, then reused at every step.
  const perrin_conditioning* conditioning(const perrin_call& call, uint32_t mask) {
    if (!model_.conditioner) return nullptr;
    auto& slot = conditioning_[mask];
    if (!slot) {
      std::vector<int64_t> labels = labels_.empty() ? std::vector<int64_t>(samples_.size(), 0) : labels_;
      std::vector<uint8_t> drop(samples_.size(), mask == PERRIN_BRANCH_UNCONDITIONAL || labels_.empty());
      if (mask == kBoth) {
        labels.insert(labels.end(), labels.begin(), labels.end());
        drop.resize(2 * samples_.size(), 1);
      }
      // Only label fields can be made from a request; the conditioner says which one it misses.
      std::vector<at::Tensor> fields;
      for (const perrin_field& field : model_.shapes.fields)
        fields.push_back(field.n_classes > 0 ? at::tensor(labels) : at::Tensor());
      slot = std::make_unique<run::ConditioningHandles>(model_, call, fields, drop.data());
    }
    return slot->get();
  }

  at::Tensor decode(perrin_tensor* z) {
    const perrin_call call = call_for(1);
    perrin_tensor* x = nullptr;
    model_.encoder.invoke<&perrin_encoder::decode>(&call, z,
                          &x);
    const services::TensorHandle handle(x);
    return services::unwrap(handle.get()).to(at::kCPU, at::kFloat).contiguous();
  }

  run::Model& model_;
  const Request& request_;
  std::function<void()> called_;
  std::vector<uint64_t> samples_, positions_;
  std::vector<int64_t> labels_;
  std::map<uint32_t, std::unique_ptr<run::ConditioningHandles>> conditioning_;
};

}  // namespace

at::Tensor generate(run::Model& model, const Request& request) {
  const at::NoGradGuard no_grad;
  const run::Autocast autocast(request.bf16);
  const auto& sampling = model.experiment.sampling;
  const std::vector<perrin_time> times = sampling_times(model.times, sampling.steps, sampling.spacing, sampling.offset);
  const int64_t batches = (request.count + request.batch_size - 1) / request.batch_size;
  // A sampler of higher order calls more often than once per step; then the total grows with it.
  int64_t calls = 0;
  const auto called = [&] {
    ++calls;
    if (request.progress) request.progress(calls, std::max(calls, batches * sampling.steps));
  };
  std::vector<at::Tensor> parts;
  for (int64_t first = 0; first < request.count; first += request.batch_size) {
    Trajectory trajectory(model, request, first, std::min(request.batch_size, request.count - first), called);
    parts.push_back(trajectory.run(times));
  }
  return at::cat(parts);
}

std::vector<int64_t> grid_labels(const run::Model& model, int64_t count, int64_t columns, std::optional<int64_t> only) {
  uint64_t classes = 0;
  for (const perrin_field& field : model.shapes.fields) classes = std::max(classes, field.n_classes);
  if (!model.conditioner || classes == 0) {
    if (only) throw Error("the run has no classes to choose from", "--class", "leave --class out");
    return {};
  }
  if (only && (*only < 0 || *only >= static_cast<int64_t>(classes)))
    throw Error("there is no class " + std::to_string(*only), "--class", "give 0 to " + std::to_string(classes - 1));
  std::vector<int64_t> labels;
  for (int64_t i = 0; i < count; ++i)
    labels.push_back(only ? *only : i / columns % static_cast<int64_t>(classes));
  return labels;
}

}  // namespace perrin::sample
