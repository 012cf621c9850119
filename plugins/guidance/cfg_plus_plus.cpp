#include "perrin/cpp/guidance.hpp"

namespace perrin::guidance {
namespace {

struct CfgPlusPlus {
  static constexpr std::string_view id = "cfg++", version = "0.1.0";
  static constexpr std::string_view doc =
      "Steps to the guided D with the noise of the unconditional one (2406.08070 Algorithm 2): with ddim exactly the "
      "paper's, with other samplers classifier-free guidance of the same scale at each step.";
  static std::vector<Key> keys() {
    return {Key::number("scale", "0.6", "the paper's lambda: 0: unconditional, 1: the whole way to the conditional D")
                .min(0)
                .max(1)
                .alias("lambda")};
  }
  explicit CfgPlusPlus(const Config& config) : lambda_(config.number("scale")) {}

  uint32_t branches(const perrin_time&) const {
    return (lambda_ > 0 ? PERRIN_BRANCH_CONDITIONAL : 0) | PERRIN_BRANCH_UNCONDITIONAL;
  }

  // 2406.08070 Algorithm 2, from t to s: x_s = alpha_s (D_u + lambda (D_c - D_u)) + sigma_s eps_u. DDIM's step for a D
  // is (alpha_s - k alpha_t) D + k x_t with k = sigma_s / sigma_t, and eps_u = (x_t - alpha_t D_u) / sigma_t; so the
  // two are one for D = D_u + w (D_c - D_u), w = lambda alpha_s / (alpha_s - k alpha_t). Where no step leads on, w =
  // lambda. A sampler that looks between t and s sees the step's own w: one of the shorter step would grow without
  // bound.
  Handle guide(const perrin_guidance_step& step) const {
    const Handle D_c = Handle::borrow(step.conditional), D_u = Handle::borrow(step.unconditional);
    if (lambda_ == 0) return D_u;
    const perrin_time &t = step.from, &s = step.next;
    const double part = t.sigma > 0 ? s.alpha - s.sigma / t.sigma * t.alpha : 0;
    const double w = part != 0 ? lambda_ * s.alpha / part : lambda_;
    return combination({w, D_c}, {1 - w, D_u});
  }

 private:
  double lambda_;
};
PERRIN_GUIDANCE(CfgPlusPlus);

}  // namespace
}  // namespace perrin::guidance
