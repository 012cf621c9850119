// Components that show what the host gives while sampling: a guidance whose D is where the step leads, samplers that
// return what they were given, a denoiser with a learnt variance, one with normalised weights, a schedule that has to
// know the resolution, a weighting without an end. For tests.
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/matmul.h>

#include <limits>
#include <perrin/cpp/denoiser.hpp>
#include <perrin/cpp/guidance.hpp>
#include <perrin/cpp/sampler.hpp>
#include <perrin/cpp/schedule.hpp>
#include <perrin/cpp/weighting.hpp>

namespace {

using perrin::Handle;
using perrin::Key;
using perrin::Sampling;

Handle filled(const Handle& like, double value) {
  return Handle::adopt(perrin::wrap(at::full_like(perrin::tensor(like.get()), value)));
}

// D = first + next.t of `guide`.
struct Leads {
  static constexpr std::string_view id = "test.leads", version = "0.1.0", doc = "Where the step leads, for tests.";
  static std::vector<Key> keys() { return {}; }
  explicit Leads(const perrin::Config&) {}
  uint32_t branches(const perrin_time&) const { return PERRIN_BRANCH_CONDITIONAL; }
  Handle guide(const perrin_guidance_step& step) const {
    return filled(Handle::borrow(step.conditional), 10000 * step.first + step.next.t);
  }
};
PERRIN_GUIDANCE(Leads);

// A branch that needs an extension, without it.
struct Greedy {
  static constexpr std::string_view id = "test.greedy", version = "0.1.0", doc = "Asks for too much, for tests.";
  static std::vector<Key> keys() { return {Key::integer("mask", "8", "the branches")}; }
  explicit Greedy(const perrin::Config& config) : mask_(static_cast<uint32_t>(config.integer("mask"))) {}
  uint32_t branches(const perrin_time&) const { return mask_; }
  Handle guide(const perrin_guidance_step& step) const { return Handle::borrow(step.x); }
  uint32_t mask_;
};
PERRIN_GUIDANCE(Greedy);

// D at one level of the list.
struct OneLevel {
  static constexpr std::string_view id = "test.one-level", version = "0.1.0", doc = "D at one level, for tests.";
  static std::vector<Key> keys() { return {Key::integer("level", "0", "index into the list")}; }
  explicit OneLevel(const perrin::Config& config) : level_(static_cast<uint32_t>(config.integer("level"))) {}
  Handle sample(const Sampling& s, const Handle& x) const {
    for (uint32_t i = 0; i < level_; ++i) s.denoise(x, s[i]);
    return s.denoise(x, s[level_]);
  }
  uint32_t level_;
};
PERRIN_SAMPLER(OneLevel);

// The Brownian increment between two levels of the list.
struct Path {
  static constexpr std::string_view id = "test.path", version = "0.1.0", doc = "A Brownian increment, for tests.";
  static std::vector<Key> keys() {
    return {Key::integer("from", "0", "index into the list"), Key::integer("to", "1", "index into the list")};
  }
  explicit Path(const perrin::Config& config)
      : from_(static_cast<uint32_t>(config.integer("from"))), to_(static_cast<uint32_t>(config.integer("to"))) {}
  Handle sample(const Sampling& s, const Handle&) const { return s.brownian(s[from_], s[to_]); }
  uint32_t from_, to_;
};
PERRIN_SAMPLER(Path);

// 0 everywhere but in the first element: the largest RMS distance of x from 0 over the samples of the call.
struct Distance {
  static constexpr std::string_view id = "test.distance", version = "0.1.0", doc = "A distance, for tests.";
  static constexpr uint32_t flags = PERRIN_SAMPLER_ADAPTIVE;
  static std::vector<Key> keys() { return {}; }
  explicit Distance(const perrin::Config&) {}
  Handle sample(const Sampling& s, const Handle& x) const {
    return filled(x, s.distance(x, filled(x, 0), filled(x, 3), 0.5, 0.25));
  }
};
PERRIN_SAMPLER(Distance);

// x as it came, noise and variance.
struct Inverting {
  static constexpr std::string_view id = "test.inverting", version = "0.1.0", doc = "Data and levels, for tests.";
  static constexpr uint32_t flags = PERRIN_SAMPLER_INVERTS;
  static std::vector<Key> keys() { return {}; }
  explicit Inverting(const perrin::Config&) {}
  Handle sample(const Sampling& s, const Handle& x) const {
    for (uint32_t i = 0; i < s.steps(); ++i)
      if (!(s[i].sigma < s[i + 1].sigma)) throw perrin::Failure("the noise does not rise");
    if (s[0].sigma != 0) throw perrin::Failure("it does not start at data");
    return s.lincomb({{2, x}});
  }
};
PERRIN_SAMPLER(Inverting);

struct Variance {
  static constexpr std::string_view id = "test.variance", version = "0.1.0", doc = "The learnt variance, for tests.";
  static std::vector<Key> keys() { return {}; }
  explicit Variance(const perrin::Config&) {}
  Handle sample(const Sampling& s, const Handle& x) const {
    s.denoise(x, s[0]);
    return s.variance();
  }
};
PERRIN_SAMPLER(Variance);

// F = x, then -0.25 x as its variance.
class TwoHeads {
 public:
  static constexpr std::string_view id = "test.two-heads", version = "0.1.0", doc = "F = x, v = -x / 4, for tests.";
  static std::vector<Key> keys() { return {}; }
  explicit TwoHeads(const perrin::Config&) {}
  perrin_spec infer(const perrin_spec& x, const perrin_conditioning_spec*) {
    p_.add("unused", {1}, perrin::Init::zeros());
    perrin_spec both = x;
    both.sizes[0] *= 2;
    return both;
  }
  at::Tensor forward(const perrin_call&, const at::Tensor& x, const at::Tensor&, const perrin::Conditioning&) const {
    return at::cat(std::vector<at::Tensor>{x, x * -0.25}, 1);
  }
  perrin::Parameters& parameters() { return p_; }

 private:
  perrin::Parameters p_;
};
PERRIN_DENOISER(TwoHeads);

// x W^T V, of which the host keeps W's rows at their norm, or a vector, which has none.
class Normalised {
 public:
  static constexpr std::string_view id = "test.normalised", version = "0.1.0", doc = "Normalised rows, for tests.";
  static std::vector<Key> keys() {
    return {Key::boolean("normalise", "true", "the rows of `kept`"),
            Key::integer("rank", "2", "dimensions of `kept`").min(1).max(2)};
  }
  explicit Normalised(const perrin::Config& config)
      : normalise_(config.boolean("normalise")), rank_(config.integer("rank")) {}
  perrin_spec infer(const perrin_spec& x, const perrin_conditioning_spec*) {
    const std::vector<int64_t> sizes = rank_ == 2 ? std::vector<int64_t>{7, 2} : std::vector<int64_t>{2};
    kept_ = &p_.add("kept", sizes, perrin::Init::normal(3), {.normalise = normalise_});
    free_ = &p_.add("free", {7, 2}, perrin::Init::normal(3));
    p_.add("zeros", {1, 5}, perrin::Init::zeros(), {.no_decay = true, .normalise = normalise_});
    return x;
  }
  at::Tensor forward(const perrin_call&, const at::Tensor& x, const at::Tensor&, const perrin::Conditioning&) const {
    return at::matmul(at::matmul(x, kept_->t()), *free_);
  }
  perrin::Parameters& parameters() { return p_; }

 private:
  bool normalise_;
  int64_t rank_;
  perrin::Parameters p_;
  const at::Tensor *kept_ = nullptr, *free_ = nullptr;
};
PERRIN_DENOISER(Normalised);

// T is the number of values of a sample.
struct Resolution {
  static constexpr std::string_view id = "test.resolution", version = "0.1.0",
                                    doc = "As many levels as values, for tests.";
  static std::vector<Key> keys() { return {}; }
  explicit Resolution(const perrin::Config&) {}
  void infer(const perrin_spec& z) {
    steps_ = 1;
    for (uint32_t i = 0; i < z.rank; ++i) steps_ *= z.sizes[i];
  }
  perrin_time_domain domain() const {
    if (steps_ == 0) throw perrin::Failure("asked before it knows the resolution");
    return {0, static_cast<double>(steps_ - 1), static_cast<uint64_t>(steps_)};
  }
  perrin_time marginal(double t) const {
    const double u = (t + 1) / static_cast<double>(steps_ + 1);
    return {t, 1 - u, u};
  }
  int64_t steps_ = 0;
};
PERRIN_SCHEDULE(Resolution);

// 1, and infinite at the time `at`.
struct Endless {
  static constexpr std::string_view id = "test.endless", version = "0.1.0", doc = "No weight at one time, for tests.";
  static std::vector<Key> keys() { return {Key::number("at", "0", "the time")}; }
  explicit Endless(const perrin::Config& config) : at_(config.number("at")) {}
  double weight(const perrin_time& at, const perrin_coefficients&) const {
    return at.t == at_ ? std::numeric_limits<double>::infinity() : 1;
  }
  double at_;
};
PERRIN_WEIGHTING(Endless);

struct EndlessLate : Endless {
  static constexpr std::string_view id = "test.endless-late", version = "0.1.0",
                                    doc = "The same from the middle of training on, for tests.";
  using Endless::Endless;
  double weight_at_step(double progress, const perrin_time& at, const perrin_coefficients& c) const {
    return progress < 0.5 ? 1 : weight(at, c);
  }
};
PERRIN_WEIGHTING(EndlessLate);

}  // namespace

PERRIN_LIBRARY(PERRIN_NOTE_TIER_B)
