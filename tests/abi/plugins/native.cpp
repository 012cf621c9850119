// A tier B plugin: the loss of plain.c on at::Tensor, and a loss that leaves grad mode off.
#include <ATen/TensorOperators.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/square.h>
#include <c10/core/GradMode.h>

#include "perrin/cpp/torch_loss.hpp"

namespace {

struct NativeL2 {
  static constexpr std::string_view id = "native-l2", version = "1.0", doc = "Mean squared error.";
  static std::vector<perrin::Key> keys() { return {}; }
  explicit NativeL2(const perrin::Config&) {}
  at::Tensor values(const perrin_call&, const at::Tensor& prediction, const at::Tensor& target) const {
    return at::mean(at::square(prediction - target).flatten(1), {1});
  }
};
PERRIN_TORCH_LOSS(NativeL2);

struct Switcher : NativeL2 {
  static constexpr std::string_view id = "switcher", doc = "Leaves grad mode off.";
  using NativeL2::NativeL2;
  at::Tensor values(const perrin_call& call, const at::Tensor& prediction, const at::Tensor& target) const {
    c10::GradMode::set_enabled(false);
    return NativeL2::values(call, prediction, target);
  }
};
PERRIN_TORCH_LOSS(Switcher);

}  // namespace

PERRIN_LIBRARY(PERRIN_NOTE_TIER_B)
