#include "dpm_solver.hpp"
#include "regular_part.hpp"

namespace perrin::samplers {
namespace {

// k-diffusion's PIDStepSizeController: the next step from the latest three errors.
class PidController {
 public:
  PidController(double h, double p, double i, double d, double order, double safety)
      : h_(h), b1_((p + i + d) / order), b2_(-(p + 2 * d) / order), b3_(d / order), safety_(safety) {}

  double h() const { return h_; }
  // Changes h; was a step with this error good enough?
  bool accept(double error) {
    const double inverse = 1 / (error + 1e-8);
    if (before_ == 0) before_ = before_that_ = inverse;
    const double factor = std::pow(inverse, b1_) * std::pow(before_, b2_) * std::pow(before_that_, b3_),
                 limited = 1 + std::atan(factor - 1);
    h_ *= limited;
    if (limited < safety_) return false;
    before_that_ = before_;
    before_ = inverse;
    return true;
  }

 private:
  double h_, b1_, b2_, b3_, safety_, before_ = 0, before_that_ = 0;
};

struct DpmAdaptive {
  static constexpr std::string_view id = "dpm-adaptive", version = "0.1.0";
  static constexpr std::string_view aliases = "dpm_adaptive";
  static constexpr uint32_t flags = PERRIN_SAMPLER_ADAPTIVE;
  static constexpr std::string_view doc =
      "DPM-Solver-12 and -23 with steps as long as the error allows (2206.00927 Sec. 3.4; k-diffusion's PID "
      "control). Of the step list only the ends count: its last level above sigma = 0 is where the last step to 0 "
      "begins.";
  static std::vector<Key> keys() {
    return {Key::integer("order", "3", "order of the solver; the error is its distance to the next lower one")
                .min(2)
                .max(3),
            Key::number("rtol", "0.05", "tolerated error of a step, relative to x").above(0),
            Key::number("atol", "0.0078", "tolerated error of a step where x is small").above(0),
            Key::number("h_init", "0.05", "first step in log(alpha / sigma)").above(0),
            Key::number("pcoeff", "0.0", "proportional share of the step size control"),
            Key::number("icoeff", "1.0", "integral share of the step size control"),
            Key::number("dcoeff", "0.0", "differential share of the step size control"),
            Key::number("accept_safety", "0.81", "a step is taken if the next would not shrink below this factor")
                .above(0)};
  }
  explicit DpmAdaptive(const Config& config)
      : order_(config.integer("order")),
        rtol_(config.number("rtol")),
        atol_(config.number("atol")),
        pid_(config.number("h_init"), config.number("pcoeff"), config.number("icoeff"), config.number("dcoeff"),
             static_cast<double>(config.integer("order")), config.number("accept_safety")) {}

  Handle sample(const Sampling& steps, Handle start) const {
    return through_regular_part(steps, std::move(start), [&](uint32_t first, uint32_t last, Handle x) {
      PidController pid = pid_;
      perrin_time t = steps[first];
      const double end = lambda(steps[last]);
      for (Handle before = x; lambda(t) < end - 1e-5;) {
        const perrin_time u = lambda(t) + pid.h() < end ? reachable_level(steps, lambda(t) + pid.h()) : steps[last];
        const auto [low, high] = step(steps, x, t, u);
        if (pid.accept(steps.distance(low, high, before, atol_, rtol_))) {
          before = low;
          x = high;
          t = u;
        }
        if (!(pid.h() > 1e-7)) throw Failure("the error of a step stays above the tolerance; raise rtol or atol");
      }
      return x;
    });
  }

 private:
  // Two solutions at u, of order_ - 1 and of order_.
  std::pair<Handle, Handle> step(const Sampling& steps, const Handle& x, const perrin_time& t,
                                 const perrin_time& u) const {
    const double h = lambda(u) - lambda(t);
    const DpmSolverStep solver(steps, x, t);
    const perrin_time s1 = reachable_level(steps, lambda(t) + h / static_cast<double>(order_));
    const Handle eps1 = solver.noise_at(solver.first(s1), s1), second = solver.second(s1, eps1, u);
    if (order_ == 2) return {solver.first(u), second};
    const perrin_time s2 = reachable_level(steps, lambda(t) + h * 2 / 3);
    return {second, solver.third(s2, solver.noise_at(solver.inner(s1, eps1, s2), s2), u)};
  }

  int64_t order_;
  double rtol_, atol_;
  PidController pid_;
};
PERRIN_SAMPLER(DpmAdaptive);

}  // namespace
}  // namespace perrin::samplers
