// A denoiser for points in the plane with one parameter of every sort: with and without weight decay, tied, a buffer, a
// scratch tensor. -DCRASH_AT=n: it ends the process in its n-th training step.
#include <ATen/ops/matmul.h>
#include <signal.h>

#include <perrin/cpp/denoiser.hpp>

namespace {

using perrin::Init;
using perrin::Key;

class Tied {
 public:
  static constexpr std::string_view id = "test.tied", version = "0.1.0";
  static constexpr std::string_view doc = "x W^T W with a bias in between, for tests.";
  static std::vector<Key> keys() { return {}; }
  explicit Tied(const perrin::Config&) {}

  perrin_spec infer(const perrin_spec& x, const perrin_conditioning_spec*) {
    weight_ = &p_.add("in.weight", {3, 2}, Init::normal(0.5));
    bias_ = &p_.add("in.bias", {3}, Init::constant(0.25), {.no_decay = true});
    tied_ = &p_.add("out.weight", {3, 2}, Init::zeros(), {.tie_to = "in.weight"});
    scale_ = &p_.add("out.scale", {2}, Init::ones());
    p_.add("seen", {1}, Init::constant(7), {.role = PERRIN_BUFFER, .dtype = at::kLong});
    p_.add("workspace", {5}, Init::zeros(), {.role = PERRIN_SCRATCH});
    return x;
  }

  // x: [B, 2] -> [B, 2].
  at::Tensor forward([[maybe_unused]] const perrin_call& call, const at::Tensor& x, const at::Tensor&,
                     const perrin::Conditioning&) const {
#ifdef CRASH_AT
    if (call.training != 0 && call.step == CRASH_AT) raise(SIGSEGV);
#endif
    return at::matmul(at::matmul(x, weight_->t()).add(*bias_), *tied_).mul(*scale_);
  }

  perrin::Parameters& parameters() { return p_; }

 private:
  perrin::Parameters p_;
  const at::Tensor *weight_ = nullptr, *bias_ = nullptr, *tied_ = nullptr, *scale_ = nullptr;
};
PERRIN_DENOISER(Tied);

}  // namespace

PERRIN_LIBRARY(PERRIN_NOTE_TIER_B)
