// Components that give what they must not while samples are made, each by its key `how`. For tests.
#include <ATen/ops/full_like.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <limits>
#include <perrin/cpp/denoiser.hpp>
#include <perrin/cpp/encoder.hpp>
#include <perrin/cpp/guidance.hpp>
#include <perrin/cpp/parameterization.hpp>
#include <perrin/cpp/sampler.hpp>

namespace {

using perrin::Handle;
using perrin::Key;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

std::vector<Key> how_key() { return {Key::string("how", "\"nan\"", "what is wrong")}; }

at::Tensor wrong(const std::string& how, const at::Tensor& x) {
  if (how == "inf") return at::full_like(x, std::numeric_limits<double>::infinity());
  if (how == "shape") return x.narrow(1, 0, 1).contiguous();
  if (how == "batch") return x.narrow(0, 0, 1).contiguous();
  if (how == "double") return x.to(at::kDouble);
  return at::full_like(x, kNan);
}
Handle wrong(const std::string& how, const Handle& x) {
  return Handle::adopt(perrin::wrap(wrong(how, perrin::tensor(x.get()))));
}

struct LyingSampler {
  static constexpr std::string_view id = "test.lying-sampler", version = "0.1.0", doc = "Wrong samples, for tests.";
  static std::vector<Key> keys() { return how_key(); }
  explicit LyingSampler(const perrin::Config& config) : how_(config.string("how")) {}
  Handle sample(const perrin::Sampling& s, const Handle& x) const {
    if (how_ == "asks nan") return s.denoise(wrong("nan", x), s[0]);
    if (how_ == "asks batch") return s.denoise(wrong("batch", x), s[0]);
    if (how_ == "level") return s.denoise(x, {kNan, 1, -1});
    if (how_ == "weight") return s.lincomb({{kNan, x}});
    if (how_ == "brownian") return s.brownian(s[0], {0, kNan, 1});
    if (how_ == "time") s.time_at(kNan);
    if (how_ == "once") return ++calls_ == 1 ? wrong("nan", x) : x;
    return wrong(how_, s.denoise(x, s[0]));
  }
  std::string how_;
  mutable int calls_ = 0;
};
PERRIN_SAMPLER(LyingSampler);

struct LyingGuidance {
  static constexpr std::string_view id = "test.lying-guidance", version = "0.1.0", doc = "A wrong D, for tests.";
  static std::vector<Key> keys() { return how_key(); }
  explicit LyingGuidance(const perrin::Config& config) : how_(config.string("how")) {}
  uint32_t branches(const perrin_time&) const { return PERRIN_BRANCH_CONDITIONAL; }
  Handle combine(const perrin_time&, const Handle& D, const Handle&) const { return wrong(how_, D); }
  std::string how_;
};
PERRIN_GUIDANCE(LyingGuidance);

// x0, but not at the levels in between.
struct LyingParameterization {
  static constexpr std::string_view id = "test.lying-parameterization", version = "0.1.0", doc = "NaN, for tests.";
  static std::vector<Key> keys() { return {}; }
  explicit LyingParameterization(const perrin::Config&) {}
  perrin_coefficients coefficients(const perrin_time& at) const {
    return {1, at.t, 0, at.t > 0 && at.t < 999 ? kNan : 1, 1, 0};
  }
};
PERRIN_PARAMETERIZATION(LyingParameterization);

class LyingDenoiser {
 public:
  static constexpr std::string_view id = "test.lying-denoiser", version = "0.1.0", doc = "A wrong F, for tests.";
  static std::vector<Key> keys() { return how_key(); }
  explicit LyingDenoiser(const perrin::Config& config) : how_(config.string("how")) {}
  perrin_spec infer(const perrin_spec& x, const perrin_conditioning_spec*) {
    p_.add("unused", {1}, perrin::Init::zeros());
    return x;
  }
  at::Tensor forward(const perrin_call&, const at::Tensor& x, const at::Tensor&, const perrin::Conditioning&) const {
    return how_ == "none" ? x : wrong(how_, x);
  }
  perrin::Parameters& parameters() { return p_; }

 private:
  std::string how_;
  perrin::Parameters p_;
};
PERRIN_DENOISER(LyingDenoiser);

class LyingEncoder {
 public:
  static constexpr std::string_view id = "test.lying-encoder", version = "0.1.0", doc = "Wrong images, for tests.";
  static std::vector<Key> keys() { return how_key(); }
  explicit LyingEncoder(const perrin::Config& config) : how_(config.string("how")) {}
  perrin_spec infer(const perrin_spec& x) { return x; }
  at::Tensor encode(const perrin_call&, const at::Tensor& x) const { return how_ == "encode" ? wrong("nan", x) : x; }
  at::Tensor decode(const perrin_call&, const at::Tensor& z) const { return how_ == "encode" ? z : wrong(how_, z); }
  perrin::Parameters& parameters() { return p_; }

 private:
  std::string how_;
  perrin::Parameters p_;
};
PERRIN_ENCODER(LyingEncoder);

}  // namespace
