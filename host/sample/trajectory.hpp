// One batch on its way between noise and data: what a sampler's callbacks see.
#pragma once

#include <functional>
#include <optional>

#include "host/sample/brownian.hpp"
#include "host/sample/guided.hpp"
#include "host/sample/request.hpp"

namespace perrin::sample {

class Trajectory {
 public:
  // Samples first .. first + n - 1 of the request; model and request are borrowed. `called`: after each call of
  // `denoise`.
  Trajectory(model::Model& model, const Request& request, int64_t first, int64_t n, std::function<void()> called);

  // From times.front() to times.back(). [n, ...] float32 where diffusion runs. Throws Error that names the component
  // whose tensor was of another shape, or the first that was not finite.
  at::Tensor run(const std::vector<perrin_time>& times);

  // What `run` began with, [n, ...], and what it was conditioned on; of a request that keeps them.
  const at::Tensor& start() const { return start_; }
  ConditionTensors conditions() const { return guided_.conditions(); }

  // The encoder's image of it, on the CPU.
  at::Tensor decode(const at::Tensor& z);

 private:
  static perrin_status* on_denoise(void* context, perrin_tensor* x, const perrin_time* at, perrin_tensor** denoised);
  static perrin_status* on_lincomb(void* context, uint32_t n, const double* a, perrin_tensor* const* x, double s,
                                   uint32_t draw, perrin_tensor** y);
  static perrin_status* on_time_at(void* context, double log_snr, perrin_time* at);
  static perrin_status* on_brownian(void* context, const perrin_time* from, const perrin_time* to,
                                    perrin_tensor** noise);
  static perrin_status* on_distance(void* context, perrin_tensor* x, perrin_tensor* y, perrin_tensor* previous,
                                    double absolute, double relative, double* value);
  static perrin_status* on_variance(void* context, perrin_tensor** v);

  std::vector<int64_t> sizes() const;
  at::Tensor initial(const perrin_time& at) const;
  at::Tensor own(const at::Tensor& whole) const;
  at::Tensor denoised(const at::Tensor& x, const perrin_time& at);
  size_t step_of(const perrin_time& at) const;

  model::Model& model_;
  const Request& request_;
  const int64_t offset_;  // of the batch in the request
  std::function<void()> called_;
  Conditions conditions_;
  Guided guided_;
  std::optional<Brownian> brownian_;
  std::vector<perrin_time> times_;
  bool first_call_ = true;
  at::Tensor start_;
};

}  // namespace perrin::sample
