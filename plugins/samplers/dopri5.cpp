#include "regular_part.hpp"

namespace perrin::samplers {
namespace {

// Dormand and Prince, J. Comput. Appl. Math. 6 (1980), Table 2: rows of a, and the fourth-order weights. The last row
// of a has the fifth-order weights, so that the last stage is the next step's first.
constexpr double c[] = {0, 1. / 5, 3. / 10, 4. / 5, 8. / 9, 1, 1};
constexpr double a2[] = {1. / 5};
constexpr double a3[] = {3. / 40, 9. / 40};
constexpr double a4[] = {44. / 45, -56. / 15, 32. / 9};
constexpr double a5[] = {19372. / 6561, -25360. / 2187, 64448. / 6561, -212. / 729};
constexpr double a6[] = {9017. / 3168, -355. / 33, 46732. / 5247, 49. / 176, -5103. / 18656};
constexpr double a7[] = {35. / 384, 0, 500. / 1113, 125. / 192, -2187. / 6784, 11. / 84};
constexpr double b4[] = {5179. / 57600, 0, 7571. / 16695, 393. / 640, -92097. / 339200, 187. / 2100, 1. / 40};

// One step from t to u of dz/dlambda = e^lambda D, z = x / sigma (2211.01095 Proposition 4.1).
struct Step {
  const Sampling& steps;
  Handle x;
  perrin_time t, u;
  Handle D[7];  // of the stages; D[0] is given
  perrin_time at[7] = {t};

  // x at `to` from the first stages: sigma (z + h sum_j a_j e^lambda_j D_j)
  template <size_t n>
  Handle sum(const double (&a)[n], const perrin_time& to) const {
    return sum(a, to, std::make_index_sequence<n>());
  }
  template <size_t n, size_t... j>
  Handle sum(const double (&a)[n], const perrin_time& to, std::index_sequence<j...>) const {
    const double h = lambda(u) - lambda(t);
    return steps.lincomb({{to.sigma / t.sigma, x}, {to.sigma * h * a[j] * at[j].alpha / at[j].sigma, D[j]}...});
  }
  // Evaluates stage n and returns its x.
  template <size_t n>
  Handle stage(const double (&a)[n]) {
    at[n] = c[n] < 1 ? reachable_level(steps, lambda(t) + c[n] * (lambda(u) - lambda(t))) : u;
    const Handle x_n = sum(a, at[n]);
    D[n] = steps.denoise(x_n, at[n]);
    return x_n;
  }
};

struct Dopri5 {
  static constexpr std::string_view id = "dopri5", version = "0.1.0";
  static constexpr std::string_view aliases = "rk45 dormand-prince";
  static constexpr uint32_t flags = PERRIN_SAMPLER_ADAPTIVE;
  static constexpr std::string_view doc =
      "Dormand-Prince 5(4) on the probability flow in log SNR (2011.13456 Sec. 4.3), with steps as long as the error "
      "allows. Of the step list only the ends count, and the first interval as the first step's length: its last "
      "level above sigma = 0 is where the last step to 0 begins.";
  static std::vector<Key> keys() {
    return {Key::number("rtol", "1e-3", "tolerated error of a step, relative to x").above(0),
            Key::number("atol", "1e-4", "tolerated error of a step where x is small").above(0)};
  }
  explicit Dopri5(const Config& config) : rtol_(config.number("rtol")), atol_(config.number("atol")) {}

  Handle sample(const Sampling& steps, Handle start) const {
    return through_regular_part(steps, std::move(start), [&](uint32_t first, uint32_t last, Handle x) {
      const double end = lambda(steps[last]);
      perrin_time t = steps[first];
      Handle D = steps.denoise(x, t), before = x;
      double h = lambda(steps[first + 1]) - lambda(t), most = 5;
      while (lambda(t) < end) {
        const bool is_last = lambda(t) + h > end - 1e-9;
        Step step{steps, x, t, is_last ? steps[last] : reachable_level(steps, lambda(t) + h), {D}};
        step.stage(a2), step.stage(a3), step.stage(a4), step.stage(a5), step.stage(a6);
        const Handle high = step.stage(a7);
        const double error = steps.distance(high, step.sum(b4, step.u), before, atol_, rtol_);
        h = (lambda(step.u) - lambda(t)) * std::clamp(0.9 * std::pow(error + 1e-16, -0.2), 0.2, most);
        if (!(h > 1e-7)) throw Failure("the error of a step stays above the tolerance; raise rtol or atol");
        most = error > 1 ? 1 : 5;  // no longer step right after one that was too long
        if (error > 1) continue;
        before = x = high;
        t = step.u;
        D = step.D[6];
      }
      return x;
    });
  }

 private:
  double rtol_, atol_;
};
PERRIN_SAMPLER(Dopri5);

}  // namespace
}  // namespace perrin::samplers
