#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/group_norm.h>
#include <ATen/ops/silu.h>
#include <torch/csrc/autograd/custom_function.h>

#include "host/kernels/group_norm.hpp"
#include "host/kernels/ops.hpp"
#include "host/kernels/ops_internal.hpp"

namespace perrin::kernels {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Of ATen operators, for dtypes and devices without a kernel.
at::Tensor composition(const at::Tensor& x, int64_t groups, const std::optional<at::Tensor>& weight,
                       const std::optional<at::Tensor>& bias, const std::optional<at::Tensor>& scale,
                       const std::optional<at::Tensor>& shift, double eps, bool silu) {
  at::Tensor h = at::group_norm(x, groups, weight, bias, eps);
  std::vector<int64_t> broadcast(static_cast<size_t>(x.dim()), 1);
  broadcast[0] = x.size(0), broadcast[1] = x.size(1);
  if (scale.has_value()) h = h * (scale->reshape(broadcast) + 1);
  if (shift.has_value()) h = h + shift->reshape(broadcast);
  return silu ? at::silu(h) : h;
}

// x as the kernel can read it: contiguous in one of the two orders.
at::Tensor dense(const at::Tensor& x, at::MemoryFormat* format) {
  *format = x.dim() == 4   ? x.suggest_memory_format()
            : x.dim() == 5 ? x.suggest_memory_format()
                           : at::MemoryFormat::Contiguous;
  return x.contiguous(*format);
}

// An absent parameter is an undefined tensor.
at::Tensor given(const std::optional<at::Tensor>& t) { return t.value_or(at::Tensor()); }

at::Tensor float_or_empty(const at::Tensor& t) { return t.defined() ? t.to(at::kFloat).contiguous() : t; }

float* data_or_null(const at::Tensor& t) { return t.defined() ? t.mutable_data_ptr<float>() : nullptr; }

GroupNorm describe(const at::Tensor& x, at::MemoryFormat format, int64_t groups, const at::Tensor& weight,
                   const at::Tensor& bias, const at::Tensor& scale, const at::Tensor& shift, double eps, bool silu) {
  const int64_t per_sample = x.size(0) == 0 ? 0 : x.numel() / x.size(0);
  return {.batch = x.size(0),
          .channels = x.size(1),
          .pixels = per_sample / x.size(1),
          .groups = groups,
          .channels_last = format != at::MemoryFormat::Contiguous,
          .silu = silu,
          .eps = eps,
          .weight = data_or_null(weight),
          .bias = data_or_null(bias),
          .scale = data_or_null(scale),
          .shift = data_or_null(shift)};
}

Bfloat16* bf16(const at::Tensor& t) { return reinterpret_cast<Bfloat16*>(t.mutable_data_ptr<at::BFloat16>()); }

class GroupNormSilu : public torch::autograd::Function<GroupNormSilu> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x_any, int64_t groups,
                            const std::optional<at::Tensor>& weight_, const std::optional<at::Tensor>& bias_,
                            const std::optional<at::Tensor>& scale_, const std::optional<at::Tensor>& shift_,
                            double eps, bool silu) {
    const at::Tensor weight = given(weight_), bias = given(bias_), scale = given(scale_), shift = given(shift_);
    at::MemoryFormat format;
    const at::Tensor x = dense(x_any, &format);
    const at::Tensor w = float_or_empty(weight), b = float_or_empty(bias), s = float_or_empty(scale),
                     t = float_or_empty(shift);
    const GroupNorm norm = describe(x, format, groups, w, b, s, t, eps, silu);
    const at::Tensor y = at::empty_like(x);
    const at::Tensor mean = at::empty({norm.batch, groups}, x.options().dtype(at::kFloat).memory_format({}));
    const at::Tensor rstd = at::empty_like(mean);
    float *m = mean.mutable_data_ptr<float>(), *r = rstd.mutable_data_ptr<float>();
    if (x.scalar_type() == at::kFloat) {
      group_norm_forward(norm, x.const_data_ptr<float>(), y.mutable_data_ptr<float>(), m, r, torch_threads());
    } else {
      group_norm_forward<Bfloat16>(norm, bf16(x), bf16(y), m, r, torch_threads());
    }
    context->save_for_backward({x, mean, rstd, weight, bias, scale, shift});
    context->saved_data["groups"] = groups;
    context->saved_data["eps"] = eps;
    context->saved_data["silu"] = silu;
    return y;
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    TORCH_CHECK_NOT_IMPLEMENTED(
        !at::GradMode::is_enabled(),
        "perrin::group_norm_silu is differentiable once: its backward was called with "
        "create_graph=True. Use float64, or at::group_norm and at::silu, for second derivatives.");
    const auto saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &mean = saved[1], &rstd = saved[2];
    at::MemoryFormat format;
    dense(x, &format);
    const at::Tensor dy = grads[0].to(x.scalar_type()).contiguous(format);
    const at::Tensor w = float_or_empty(saved[3]), b = float_or_empty(saved[4]), s = float_or_empty(saved[5]),
                     t = float_or_empty(saved[6]);
    const GroupNorm norm = describe(x, format, context->saved_data["groups"].toInt(), w, b, s, t,
                                    context->saved_data["eps"].toDouble(), context->saved_data["silu"].toBool());
    const at::Tensor dx = at::empty_like(x);
    const auto like = [](const at::Tensor& p) { return p.defined() ? at::empty_like(p) : p; };
    const at::Tensor dw = like(w), db = like(b), ds = like(s), dt = like(t);
    const GroupNormGradients gradients{data_or_null(dw), data_or_null(db), data_or_null(ds), data_or_null(dt)};
    const float *m = mean.const_data_ptr<float>(), *r = rstd.const_data_ptr<float>();
    if (x.scalar_type() == at::kFloat) {
      group_norm_backward(norm, x.const_data_ptr<float>(), dy.const_data_ptr<float>(), m, r,
                          dx.mutable_data_ptr<float>(), gradients, torch_threads());
    } else {
      group_norm_backward<Bfloat16>(norm, bf16(x), bf16(dy), m, r, bf16(dx), gradients, torch_threads());
    }
    const auto back = [](const at::Tensor& g, const at::Tensor& p) { return g.defined() ? g.to(p.scalar_type()) : g; };
    return {dx, {}, back(dw, saved[3]), back(db, saved[4]), back(ds, saved[5]), back(dt, saved[6]), {}, {}};
  }
};

void check(const at::Tensor& x, int64_t groups, const at::Tensor& per_channel, const char* name, bool per_sample) {
  TORCH_CHECK(x.dim() >= 2, "perrin::group_norm_silu: x has shape ", x.sizes(), ", expected (N, C, ...)");
  TORCH_CHECK(groups > 0 && x.size(1) % groups == 0, "perrin::group_norm_silu: ", groups, " groups do not divide ",
              x.size(1), " channels");
  if (!per_channel.defined()) return;
  const bool fits = per_sample ? per_channel.numel() == x.size(0) * x.size(1) : per_channel.numel() == x.size(1);
  TORCH_CHECK(fits, "perrin::group_norm_silu: ", name, " has shape ", per_channel.sizes(), ", expected ",
              per_sample ? "(N, C)" : "(C)", " for x ", x.sizes());
}

}  // namespace

at::Tensor group_norm_silu(const at::Tensor& x, int64_t groups, const std::optional<at::Tensor>& weight,
                           const std::optional<at::Tensor>& bias, const std::optional<at::Tensor>& scale,
                           const std::optional<at::Tensor>& shift, double eps, bool silu) {
  check(x, groups, given(weight), "weight", false);
  check(x, groups, given(bias), "bias", false);
  check(x, groups, given(scale), "scale", true);
  check(x, groups, given(shift), "shift", true);
  const bool fused = x.device().is_cpu() && (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16);
  if (!fused || x.numel() == 0) return composition(x, groups, weight, bias, scale, shift, eps, silu);
  return GroupNormSilu::apply(x, groups, weight, bias, scale, shift, eps, silu);
}

}  // namespace perrin::kernels
