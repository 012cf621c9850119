#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/softmax.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cmath>

#include "host/kernels/attention.hpp"
#include "host/kernels/ops.hpp"
#include "host/kernels/ops_internal.hpp"

namespace perrin::kernels {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// (N, H, L, D) over (N, L, H, D) memory.
at::Tensor empty_heads(const at::Tensor& like) {
  return at::empty({like.size(0), like.size(2), like.size(1), like.size(3)}, like.options()).transpose(1, 2);
}

at::Tensor adjacent(const at::Tensor& t) { return t.stride(3) == 1 ? t : t.contiguous(); }

template <class T>
HeadView<T> view(const at::Tensor& t) {
  return {static_cast<T*>(t.mutable_data_ptr()), t.stride(0), t.stride(1), t.stride(2)};
}

Attention describe(const at::Tensor& q, const at::Tensor& k, double scale) {
  return {q.size(0), q.size(1), q.size(2), k.size(2), q.size(3), scale};
}

template <class T>
void forward_as(const Attention& a, const variable_list& in, const at::Tensor& o, const at::Tensor& lse) {
  attention_forward<T>(a, view<const T>(in[0]), view<const T>(in[1]), view<const T>(in[2]), view<T>(o),
                       lse.mutable_data_ptr<float>(), torch_threads());
}

template <class T>
void backward_as(const Attention& a, const variable_list& in, const at::Tensor& lse, const variable_list& grads) {
  attention_backward<T>(a, view<const T>(in[0]), view<const T>(in[1]), view<const T>(in[2]), view<const T>(in[3]),
                        view<const T>(in[4]), lse.const_data_ptr<float>(), view<T>(grads[0]), view<T>(grads[1]),
                        view<T>(grads[2]), torch_threads());
}

class FusedAttention : public torch::autograd::Function<FusedAttention> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& q_any, const at::Tensor& k_any,
                            const at::Tensor& v_any, double scale) {
    const at::Tensor q = adjacent(q_any), k = adjacent(k_any), v = adjacent(v_any);
    const at::Tensor o = empty_heads(q);
    const at::Tensor lse = at::empty({q.size(0), q.size(1), q.size(2)}, q.options().dtype(at::kFloat));
    const Attention a = describe(q, k, scale);
    q.scalar_type() == at::kFloat ? forward_as<float>(a, {q, k, v}, o, lse)
                                  : forward_as<Bfloat16>(a, {q, k, v}, o, lse);
    context->save_for_backward({q, k, v, o, lse});
    context->saved_data["scale"] = scale;
    return o;
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    TORCH_CHECK_NOT_IMPLEMENTED(!at::GradMode::is_enabled(),
                                "perrin::attention is differentiable once: its backward was called with "
                                "create_graph=True. Use float64, or matmul and softmax, for second derivatives.");
    const auto saved = context->get_saved_variables();
    const at::Tensor &q = saved[0], &k = saved[1], &v = saved[2], &o = saved[3], &lse = saved[4];
    const at::Tensor grad_o = adjacent(grads[0].to(q.scalar_type()));
    const variable_list result = {empty_heads(q), empty_heads(k), empty_heads(v), {}};
    const Attention a = describe(q, k, context->saved_data["scale"].toDouble());
    q.scalar_type() == at::kFloat ? backward_as<float>(a, {q, k, v, o, grad_o}, lse, result)
                                  : backward_as<Bfloat16>(a, {q, k, v, o, grad_o}, lse, result);
    return result;
  }
};

void check(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  const bool fits = q.dim() == 4 && k.dim() == 4 && v.sizes() == k.sizes() && q.size(0) == k.size(0) &&
                    q.size(1) == k.size(1) && q.size(3) == k.size(3);
  TORCH_CHECK(fits, "perrin::attention: q has shape ", q.sizes(), ", k ", k.sizes(), ", v ", v.sizes(),
              ", expected (N, H, Lq, D), (N, H, Lk, D), (N, H, Lk, D)");
  TORCH_CHECK(q.scalar_type() == k.scalar_type() && q.scalar_type() == v.scalar_type(), "perrin::attention: q is ",
              q.scalar_type(), ", k ", k.scalar_type(), ", v ", v.scalar_type());
}

bool takes_kernel(const at::Tensor& q, const at::Tensor& k, double scale) {
  if (!q.device().is_cpu() || q.size(3) % 8 != 0 || q.numel() == 0 || k.numel() == 0 || !(scale > 0)) return false;
  return q.scalar_type() == at::kBFloat16 || (q.scalar_type() == at::kFloat && (q.size(3) <= 32 || k.size(2) <= 64));
}

}  // namespace

at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, std::optional<double> scale_) {
  check(q, k, v);
  const double scale = scale_.value_or(1 / std::sqrt(static_cast<double>(q.size(3))));
  if (takes_kernel(q, k, scale)) return FusedAttention::apply(q, k, v, scale);
  if (q.scalar_type() == at::kDouble) {
    return at::matmul(at::softmax(at::matmul(q * scale, k.transpose(-1, -2)), -1), v);
  }
  return at::scaled_dot_product_attention(q, k, v, {}, 0.0, false, scale);
}

}  // namespace perrin::kernels
