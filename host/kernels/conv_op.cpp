#include <ATen/autocast_mode.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/linear.h>
#include <torch/csrc/autograd/custom_function.h>

#include "host/kernels/conv3x3.hpp"
#include "host/kernels/ops.hpp"
#include "host/kernels/ops_internal.hpp"

namespace perrin::kernels {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr auto kLast = at::MemoryFormat::ChannelsLast;

Conv3x3 describe(const at::Tensor& x, const at::Tensor& weight) {
  return {x.size(0), x.size(2), x.size(3), weight.size(1), weight.size(0)};
}

template <class T>
KernelView<T> view(const at::Tensor& w) {
  return {static_cast<T*>(w.mutable_data_ptr()), w.stride(0), w.stride(1), w.stride(2), w.stride(3)};
}

at::Tensor empty_image(const at::Tensor& x, int64_t channels) {
  return at::empty({x.size(0), channels, x.size(2), x.size(3)}, x.options().memory_format(kLast));
}

class Winograd : public torch::autograd::Function<Winograd> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x_any, const at::Tensor& weight,
                            const std::optional<at::Tensor>& bias) {
    const at::Tensor x = x_any.contiguous(kLast);
    const at::Tensor y = empty_image(x, weight.size(0));
    const at::Tensor b = bias.has_value() ? bias->contiguous() : at::Tensor();
    conv3x3(describe(x, weight), x.const_data_ptr<float>(), view<const float>(weight),
            b.defined() ? b.const_data_ptr<float>() : nullptr, y.mutable_data_ptr<float>(), torch_threads());
    context->save_for_backward({x, weight});
    context->saved_data["bias"] = bias.has_value();
    return y;
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    TORCH_CHECK_NOT_IMPLEMENTED(
        !at::GradMode::is_enabled(),
        "perrin::conv2d is differentiable once: its backward was called with create_graph=True. "
        "Use float64, or at::conv2d, for second derivatives.");
    const auto saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1];
    const at::Tensor dy = grads[0].contiguous(kLast);
    at::Tensor dx, dw, db;
    const Conv3x3 shape = describe(x, weight);
    if (context->needs_input_grad(0)) {
      dx = empty_image(x, x.size(1));
      const Conv3x3 back{shape.batch, shape.height, shape.width, shape.out, shape.in};
      conv3x3(back, dy.const_data_ptr<float>(), view<const float>(weight).turned(), nullptr,
              dx.mutable_data_ptr<float>(), torch_threads());
    }
    const bool needs_bias = context->saved_data["bias"].toBool() && context->needs_input_grad(2);
    if (context->needs_input_grad(1) || needs_bias) {
      dw = at::empty_like(weight);
      if (needs_bias) db = at::empty({weight.size(0)}, weight.options());
      conv3x3_weight_gradient(shape, x.const_data_ptr<float>(), dy.const_data_ptr<float>(), view<float>(dw),
                              needs_bias ? db.mutable_data_ptr<float>() : nullptr, torch_threads());
    }
    return {dx, dw, db};
  }
};

// The order of an image of one channel or one pixel is ambiguous: it may be read as channels-last.
bool channels_last(const at::Tensor& x) { return x.is_contiguous(kLast); }

bool takes_winograd(const at::Tensor& x, const at::Tensor& w, int64_t stride, int64_t padding) {
  return w.size(2) == 3 && w.size(3) == 3 && stride == 1 && padding == 1 && x.scalar_type() == at::kFloat &&
         w.scalar_type() == at::kFloat && w.size(0) % 16 == 0 && w.size(1) % 16 == 0 && x.size(1) == w.size(1);
}

bool takes_product(const at::Tensor& x, const at::Tensor& w, int64_t stride, int64_t padding) {
  return w.size(2) == 1 && w.size(3) == 1 && stride == 1 && padding == 0 && x.size(1) == w.size(1);
}

}  // namespace

at::Tensor conv2d(const at::Tensor& x, const at::Tensor& weight, const std::optional<at::Tensor>& bias, int64_t stride,
                  int64_t padding) {
  const bool ours = x.device().is_cpu() && x.dim() == 4 && weight.dim() == 4 && x.numel() > 0 && channels_last(x) &&
                    !at::autocast::is_autocast_enabled(at::kCPU);
  if (ours && takes_winograd(x, weight, stride, padding)) return Winograd::apply(x, weight, bias);
  if (x.device().is_cpu() && x.dim() == 4 && weight.dim() == 4 && channels_last(x) &&
      takes_product(x, weight, stride, padding)) {
    return at::linear(x.permute({0, 2, 3, 1}), weight.flatten(1), bias).permute({0, 3, 1, 2});
  }
  return at::conv2d(x, weight, bias, stride, padding);
}

}  // namespace perrin::kernels
