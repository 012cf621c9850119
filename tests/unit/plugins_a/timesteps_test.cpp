// Timestep laws: their distributions, that no batch size changes them, and that importance keeps means as they are.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <functional>
#include <map>
#include <numeric>
#include <set>

#include "host/kernels/random.hpp"
#include "host/services/status.hpp"
#include "tests/unit/plugins_a/components.hpp"

namespace perrin::testing {
namespace {

using Numbers = std::vector<double>;

const perrin_time_domain thousand{0, 999, 1000}, continuous{1e-3, 1, 0};
// ln(sigma / alpha) of the ends: -6.2 and 4.4, those of 2206.00364.
const perrin_time cleanest{0, 1, 0.002}, noisiest{1, 1, 80};

std::vector<std::string> all_laws() {
  std::vector<std::string> ids;
  for (const perrin_component* c : builtin("timesteps", "uniform").library().components("timesteps"))
    ids.emplace_back(services::view(c->id));
  return ids;
}

bool of_noise_level(const services::Component& law) { return law.has<&perrin_timesteps::draw_log_snr>(); }

struct Drawn {
  Numbers t;  // or log SNR
  Numbers importance;
};

// Of samples first .. first + n - 1.
Drawn draw(const services::Component& law, const perrin_time_domain& domain, uint64_t first, uint64_t n,
           uint64_t seed = 7) {
  std::vector<uint64_t> samples(n);
  std::iota(samples.begin(), samples.end(), first);
  Drawn d{Numbers(n), Numbers(n)};
  const perrin_stream stream{seed, PERRIN_PURPOSE_TIMESTEP, 0};
  if (of_noise_level(law))
    law.invoke<&perrin_timesteps::draw_log_snr>(
        &cleanest, &noisiest, stream, n, static_cast<const uint64_t*>(samples.data()), d.t.data(), d.importance.data());
  else
    law.invoke<&perrin_timesteps::draw>(&domain, stream, n, static_cast<const uint64_t*>(samples.data()), d.t.data(),
                                        d.importance.data());
  return d;
}

void observe(const services::Component& law, const perrin_time_domain& domain, const Numbers& t,
             const Numbers& losses) {
  law.invoke<&perrin_timesteps::observe>(&domain, uint64_t{t.size()}, t.data(), losses.data());
}

// How far along the domain: the upper end of what t stands for.
double fraction(const perrin_time_domain& domain, double t) {
  return domain.steps ? (t + 1) / static_cast<double>(domain.steps)
                      : (t - domain.t_min) / (domain.t_max - domain.t_min);
}

// A law after training has gone on for a while, with losses that rise steeply towards the noisy end.
services::Component trained(const std::string& id, const perrin_time_domain& domain, Values values = {}) {
  services::Component law = builtin("timesteps", id, std::move(values));
  if (!law.has<&perrin_timesteps::observe>()) return law;
  const Numbers t = draw(builtin("timesteps", "uniform"), domain, 0, 20000).t;
  Numbers losses;
  for (double value : t) losses.push_back(0.1 + std::pow(fraction(domain, value), 3));
  observe(law, domain, t, losses);
  return law;
}

double normal_cdf(double z) { return 0.5 * std::erfc(-z / std::sqrt(2.0)); }

// Laws that are meant not to be uniform, with importance 1: P(fraction <= x), or P(log SNR <= l), at their defaults.
const std::map<std::string, std::function<double(double)>> stated = {
    // 2403.03206 Eq. 19
    {"logit-normal", [](double x) { return x <= 0   ? 0
                                           : x >= 1 ? 1
                                                    : normal_cdf(std::log(x / (1 - x))); }},
    // 2403.03206 Eq. 20: P(f(u) <= x) = 1 - f^-1(x), as f falls
    {"mode",
     [](double x) {
       double low = 0, high = 1;
       for (int i = 0; i < 60; ++i) {
         const double u = (low + high) / 2, f = 1 - u - 1.29 * (std::pow(std::cos(M_PI * u / 2), 2) - 1 + u);
         (f > x ? low : high) = u;
       }
       return 1 - low;
     }},
    // 2206.00364 Table 1: ln sigma ~ N(-1.2, 1.2^2) between the ends
    {"log-normal",
     [](double log_snr) {
       const auto above = [](double log_sigma) { return normal_cdf((log_sigma + 1.2) / 1.2); };
       const double low = above(std::log(0.002)), high = above(std::log(80.0));
       return (high - above(-log_snr / 2)) / (high - low);
     }},
};

// The largest |P_n - P|, P_n being the importance-weighted share of draws up to each point; both as functions of the
// fraction along the domain.
double kolmogorov(const services::Component& law, const perrin_time_domain& domain, const Drawn& d,
                  const std::function<double(double)>& P) {
  const auto n = static_cast<double>(d.t.size());
  std::map<double, double> mass;
  for (size_t i = 0; i < d.t.size(); ++i)
    mass[of_noise_level(law) ? d.t[i] : fraction(domain, d.t[i])] += d.importance[i] / n;
  double sum = 0, worst = 0;
  for (const auto& [x, m] : mass) {
    if (of_noise_level(law) || domain.steps == 0) worst = std::max(worst, std::abs(sum - P(x)));
    sum += m;
    worst = std::max(worst, std::abs(sum - P(x)));
  }
  return worst;
}

// Kolmogorov-Smirnov at n = 20000, seed 7: a law of that distribution stays below 1.95 / sqrt(n) with probability
// 0.999; with importance the bound grows with its root mean square.
TEST(Timesteps, FollowTheirDensities) {
  constexpr uint64_t n = 20000;
  for (const std::string& id : all_laws())
    for (const perrin_time_domain& domain : {thousand, continuous, perrin_time_domain{0, 6, 7}}) {
      const auto law = trained(id, domain);
      const Drawn d = draw(law, domain, 0, n);
      const auto found = stated.find(id);
      const double distance = kolmogorov(
          law, domain, d, found != stated.end() ? found->second : [](double x) { return x; });
      double squares = 0;
      for (double w : d.importance) squares += w * w / n;
      const double bound = (squares < 1 + 1e-9 ? 1.95 : 3.9) * std::sqrt(squares / n);
      std::printf("%-12s T = %4d: distance from its %s %.5f, bound %.5f\n", id.c_str(), static_cast<int>(domain.steps),
                  found != stated.end() ? "density" : "uniform mean", distance, bound);
      EXPECT_LT(distance, bound) << id << ". A law that is not uniform needs its density in `stated`";
      if (found != stated.end()) EXPECT_EQ(d.importance, Numbers(n, 1)) << id;
    }
}

TEST(Timesteps, ImportanceKeepsMeansAsTheyAre) {
  constexpr uint64_t n = 40000;
  const std::pair<const char*, std::function<double(double)>> functions[] = {
      {"x^2", [](double x) { return x * x; }},
      {"e^-4x", [](double x) { return std::exp(-4 * x); }},
      {"x < 0.3", [](double x) { return x < 0.3; }},
      {"cos 9x", [](double x) { return std::cos(9 * x); }}};
  for (const std::string& id : all_laws()) {
    if (stated.count(id)) continue;
    for (const perrin_time_domain& domain : {thousand, continuous, perrin_time_domain{0, 6, 7}}) {
      const auto law = trained(id, domain, id == "importance" ? Values{{"buckets", int64_t{3}}} : Values{});
      const Drawn d = draw(law, domain, 0, n);
      for (const auto& [name, f] : functions) {
        const uint64_t points = domain.steps ? domain.steps : 1000000;
        double mean = 0, sum = 0, squares = 0;
        for (uint64_t i = 0; i < points; ++i)
          mean += f((static_cast<double>(i) + (domain.steps ? 1 : 0.5)) / static_cast<double>(points)) / double(points);
        for (uint64_t i = 0; i < n; ++i) {
          const double value = d.importance[i] * f(fraction(domain, d.t[i]));
          sum += value / n, squares += value * value / n;
        }
        EXPECT_LT(std::abs(sum - mean), 4 * std::sqrt((squares - sum * sum) / n))
            << id << " T = " << domain.steps << ": the mean of " << name << " is " << mean << ", was " << sum;
      }
    }
  }
}

TEST(Timesteps, DoNotDependOnTheBatchSize) {
  for (const std::string& id : all_laws())
    for (const perrin_time_domain& domain : {thousand, continuous}) {
      const auto law = trained(id, domain);
      const Drawn whole = draw(law, domain, 0, 448);
      for (uint64_t batch : {1u, 7u, 64u})
        for (uint64_t first = 0; first < 448; first += batch) {
          const Drawn part = draw(law, domain, first, batch);
          const auto at = static_cast<std::ptrdiff_t>(first);
          ASSERT_TRUE(std::equal(part.t.begin(), part.t.end(), whole.t.begin() + at)) << id << " batch " << batch;
          ASSERT_TRUE(std::equal(part.importance.begin(), part.importance.end(), whole.importance.begin() + at)) << id;
        }
      const Drawn other = draw(law, domain, 0, 448, 8);
      EXPECT_NE(whole.t, other.t) << id << " ignores the seed";
    }
}

TEST(Timesteps, StayInTheDomain) {
  const perrin_time_domain domains[] = {thousand, continuous, {0, 0, 1}, {0, 1, 2}};
  for (const std::string& id : all_laws())
    for (const perrin_time_domain& domain : domains) {
      const auto law = trained(id, domain);
      if (of_noise_level(law)) continue;
      std::set<double> seen;
      for (double t : draw(law, domain, 0, 20000).t) {
        ASSERT_TRUE(t >= domain.t_min && t <= domain.t_max) << id << " " << t;
        if (domain.steps) ASSERT_EQ(t, std::floor(t)) << id;
        seen.insert(t);
      }
      if (domain.steps && !stated.count(id) && id != "importance") EXPECT_EQ(seen.size(), domain.steps) << id;
    }
}

// Pearson's chi square over 50 bins: mean 49, deviation sqrt(2 * 49) = 9.9; below 49 + 5 * 9.9 = 98.5.
TEST(Timesteps, VisitEveryPartEquallyOften) {
  constexpr uint64_t n = 200000, bins = 50;
  for (const char* id : {"uniform", "stratified", "antithetic", "systematic", "sobol", "importance"}) {
    Numbers count(bins);
    for (double t : draw(builtin("timesteps", id), thousand, 0, n).t) count[static_cast<size_t>(t) * bins / 1000] += 1;
    double chi = 0;
    for (double c : count) chi += std::pow(c - double(n) / bins, 2) / (double(n) / bins);
    std::printf("%-10s chi square over %d bins: %.1f\n", id, static_cast<int>(bins), chi);
    EXPECT_LT(chi, 98.5) << id;
  }
}

// One position over 4000 seeds, by Kolmogorov-Smirnov; `stratified` fixes each position's stratum.
TEST(Timesteps, OfOnePositionAreUniformOverSeeds) {
  for (const char* id : {"uniform", "antithetic", "systematic", "sobol"})
    for (uint64_t position : {0u, 1u, 6u, 1000u}) {
      const auto law = builtin("timesteps", id);
      Drawn d;
      for (uint64_t seed = 0; seed < 4000; ++seed)
        d.t.push_back(draw(law, {0, 1, 0}, position, 1, seed).t[0]), d.importance.push_back(1);
      EXPECT_LT(kolmogorov(law, {0, 1, 0}, d, [](double x) { return x; }), 1.95 / std::sqrt(4000))
          << id << " position " << position;
    }
}

TEST(Stratified, VisitsEachStratumOnceABlock) {
  for (int64_t strata : {1, 2, 7, 64, 100})
    for (const perrin_time_domain& domain : {thousand, continuous}) {
      const auto law = builtin("timesteps", "stratified", {{"strata", strata}});
      const auto n = static_cast<uint64_t>(strata);
      const double whole = domain.steps ? 1000 : domain.t_max - domain.t_min;
      for (uint64_t block = 0; block < 20; ++block) {
        Numbers t = draw(law, domain, block * n, n).t;
        std::sort(t.begin(), t.end());
        for (uint64_t k = 0; k < n; ++k) {
          const double lower = domain.t_min + whole * double(k) / double(n), upper = lower + whole / double(n);
          ASSERT_GE(t[k], lower - 1) << "strata " << strata << " block " << block;
          ASSERT_LE(t[k], upper) << "strata " << strata << " block " << block;
        }
      }
    }
}

// Deviation of the mean time of 8 samples in a row, of the schedule of 1000, over 800 such batches.
double mean_deviation(const services::Component& law) {
  const Numbers t = draw(law, thousand, 0, 6400).t;
  double squares = 0;
  for (size_t batch = 0; batch < 800; ++batch) {
    const double sum = std::accumulate(t.begin() + long(8 * batch), t.begin() + long(8 * batch + 8), 0.0);
    squares += std::pow(sum / 8 - 499.5, 2) / 800;
  }
  return std::sqrt(squares);
}

// Small batches within a block see the whole range as well: any 8 of 64 in a row have a mean near the middle.
TEST(Timesteps, SpreadConsecutiveSamples) {
  const double uniform = mean_deviation(builtin("timesteps", "uniform"));  // 1000 / sqrt(12 * 8) = 102
  std::printf("deviation of a batch of 8's mean time: uniform %.1f", uniform);
  for (const char* id : {"stratified", "sobol", "antithetic"}) {
    const double deviation = mean_deviation(builtin("timesteps", id));
    std::printf(", %s %.1f", id, deviation);
    EXPECT_LT(deviation, uniform / 3) << id;
  }
  // 8 equally spaced times with a common offset: that of a uniform number on 1/8 of the schedule, 125 / sqrt(12)
  // = 36.1. 8 of a group of 64 are not quite equally spaced; 64 in order would have 1000 / sqrt(12) = 289.
  const double whole = mean_deviation(builtin("timesteps", "systematic", {{"group", int64_t{8}}}));
  const double part = mean_deviation(builtin("timesteps", "systematic"));
  std::printf(", systematic %.1f in groups of 8 and %.1f in groups of 64\n", whole, part);
  EXPECT_NEAR(whole, 125 / std::sqrt(12), 0.05 * 125 / std::sqrt(12));
  EXPECT_LT(part, 0.6 * uniform);
}

TEST(Antithetic, PairsMirrorEachOther) {
  for (const perrin_time_domain& domain : {thousand, continuous}) {
    const Numbers t = draw(builtin("timesteps", "antithetic"), domain, 0, 1000).t;
    for (size_t i = 0; i < t.size(); i += 2) ASSERT_DOUBLE_EQ(t[i] + t[i + 1], domain.t_min + domain.t_max);
  }
}

// 2107.00630 App. I.1: u_0 + i / k modulo 1.
TEST(Systematic, GroupsAreEquallySpaced) {
  for (int64_t group : {1, 5, 64}) {
    const auto law = builtin("timesteps", "systematic", {{"group", group}});
    const auto k = static_cast<uint64_t>(group);
    std::set<double> offsets;
    for (uint64_t block = 0; block < 20; ++block) {
      Numbers t = draw(law, {0, 1, 0}, block * k, k).t;
      std::sort(t.begin(), t.end());
      offsets.insert(t[0]);
      for (size_t i = 1; i < k; ++i) ASSERT_NEAR(t[i] - t[i - 1], 1.0 / double(k), 1e-14);
      ASSERT_LT(t[0], 1.0 / double(k));
    }
    EXPECT_EQ(offsets.size(), 20u);
  }
}

// A (0, 1)-sequence in base 2: of each aligned 2^m consecutive points one lies in each interval of length 2^-m.
TEST(Sobol, AlignedBlocksFillEveryDyadicInterval) {
  const auto law = builtin("timesteps", "sobol");
  for (uint64_t seed : {1u, 2u})
    for (int m = 0; m <= 10; ++m)
      for (uint64_t block : {0u, 1u, 5u, 1000u}) {
        const uint64_t n = uint64_t{1} << m;
        std::set<uint64_t> cells;
        for (double x : draw(law, {0, 1, 0}, block * n, n, seed).t) cells.insert(static_cast<uint64_t>(x * double(n)));
        ASSERT_EQ(cells.size(), n) << "m " << m << " block " << block << " seed " << seed;
      }
}

// max over x of |share of the points in [0, x) - x|.
double star_discrepancy(Numbers x) {
  std::sort(x.begin(), x.end());
  const auto n = static_cast<double>(x.size());
  double worst = 0;
  for (size_t i = 0; i < x.size(); ++i)
    worst = std::max({worst, std::abs(x[i] - double(i) / n), std::abs(double(i + 1) / n - x[i])});
  return worst;
}

// Independent points: about N^-1/2. One in each interval of width 1 / N: at most 2 / N; equally spaced: at most 1 / N.
TEST(Timesteps, LowDiscrepancyFallsFasterThanChance) {
  std::printf("star discrepancy       N =");
  for (int m = 4; m <= 12; m += 2) std::printf("%9d", 1 << m);
  std::printf("   slope\n");
  for (const char* id : {"uniform", "stratified", "systematic", "sobol"}) {
    Numbers values;
    for (int m = 4; m <= 12; m += 2) {
      const int64_t N = int64_t{1} << m;
      Values group;
      if (id == std::string("stratified")) group = {{"strata", N}};
      if (id == std::string("systematic")) group = {{"group", N}};
      double mean = 0;
      for (uint64_t seed = 0; seed < 20; ++seed)
        mean += star_discrepancy(draw(builtin("timesteps", id, group), {0, 1, 0}, 0, uint64_t(N), seed).t) / 20;
      values.push_back(mean);
      if (id == std::string("sobol")) EXPECT_LE(mean, 2.0 / double(N));
      if (id == std::string("systematic")) EXPECT_LE(mean, 1.0 / double(N) * (1 + 1e-9));
    }
    const double slope = std::log2(values.back() / values.front()) / 8;
    std::printf("%-26s", id);
    for (double value : values) std::printf(" %.6f", value);
    std::printf("   %.2f\n", slope);
    if (id == std::string("uniform"))
      EXPECT_NEAR(slope, -0.5, 0.1);
    else
      EXPECT_LT(slope, -0.9) << id;
  }
}

TEST(LogNormal, IsCutOffAtTheSchedulesEnds) {
  const auto law = builtin("timesteps", "log-normal");
  const auto drawn = [&](perrin_time clean, perrin_time noisy) {
    std::vector<uint64_t> samples(1000);
    std::iota(samples.begin(), samples.end(), 0);
    Numbers l(1000), importance(1000);
    law.invoke<&perrin_timesteps::draw_log_snr>(
        static_cast<const perrin_time*>(&clean), static_cast<const perrin_time*>(&noisy), perrin_stream{7, 4, 0},
        uint64_t{1000}, static_cast<const uint64_t*>(samples.data()), l.data(), importance.data());
    return l;
  };
  for (double l : drawn({0, 0.8, 0.6}, {1, 0.6, 0.8}))  // far from its mean: log SNR 0.575 .. -0.575
    ASSERT_TRUE(std::abs(l) <= 2 * std::log(0.8 / 0.6) + 1e-9) << l;
  for (double l : drawn({0, 1, 0}, {1, 0, 1})) ASSERT_TRUE(std::isfinite(l));  // all levels
  const std::string refused = message_of([&] { drawn({0, 1, 1e10}, {1, 1, 1e12}); });
  EXPECT_NE(refused.find("bring `mean` within"), std::string::npos) << refused;
}

// ---- importance
// ------------------------------------------------------------------------------------------------------

const perrin_time_domain four{0, 3, 4};

services::Component small_importance() { return builtin("timesteps", "importance", {{"history", int64_t{2}}}); }

// guided-diffusion 22e0df8, resample.py: LossSecondMomentResampler(history_per_term=2) of 4 times after the same
// losses; weights() gives 1 for all times until each has 2, and then the p below.
TEST(Importance, DrawsAsThePeersResampler) {
  const auto law = small_importance();
  const double p[] = {0.29762999693633, 0.376409248357079, 0.266234755319325, 0.059725999387266};
  observe(law, four, {0, 0, 1, 1, 2, 2, 3}, {9, 0.5, 2, 0, 1, 1, 0.1});
  for (double w : draw(law, four, 0, 100).importance) ASSERT_EQ(w, 1);
  observe(law, four, {3, 0}, {0.3, 1.5});
  const Drawn d = draw(law, four, 0, 20000);
  Numbers share(4);
  for (size_t i = 0; i < d.t.size(); ++i) {
    const auto t = static_cast<size_t>(d.t[i]);
    share[t] += 1.0 / 20000;
    ASSERT_NEAR(d.importance[i] * 4 * p[t], 1, 1e-12);
  }
  for (size_t t = 0; t < 4; ++t) EXPECT_NEAR(share[t], p[t], 4 * std::sqrt(p[t] * (1 - p[t]) / 20000));
}

// What it is for (2102.09672 Sec. 3.3): a mean loss that varies less.
TEST(Importance, LowersTheVarianceOfTheLoss) {
  const auto loss = [](double t) { return 0.1 + std::pow((t + 1) / 1000, 3); };
  const auto deviation = [&](const services::Component& law) {
    const Drawn d = draw(law, thousand, 0, 20000);
    double sum = 0, squares = 0;
    for (size_t i = 0; i < d.t.size(); ++i) {
      const double value = d.importance[i] * loss(d.t[i]);
      sum += value / 20000, squares += value * value / 20000;
    }
    return std::sqrt(squares - sum * sum);
  };
  const double uniform = deviation(builtin("timesteps", "uniform")),
               important = deviation(trained("importance", thousand));
  std::printf("deviation of a sample's loss of mean 0.35: uniform %.3f, importance %.4f\n", uniform, important);
  EXPECT_LT(important, uniform / 20);
}

std::vector<uint8_t> save(const services::Component& law) {
  uint64_t n = 0;
  const uint8_t* bytes = nullptr;
  law.invoke<&perrin_state::save>(&n, &bytes);
  return {bytes, bytes + n};
}
void load(const services::Component& law, const std::vector<uint8_t>& bytes) {
  law.invoke<&perrin_state::load>(uint64_t{bytes.size()}, bytes.data());
}

TEST(Importance, StateRoundTripsBitForBit) {
  for (const perrin_time_domain& domain : {thousand, continuous, four}) {
    const auto law = trained("importance", domain), fresh = builtin("timesteps", "importance");
    const std::vector<uint8_t> state = save(law), untouched = save(fresh);
    load(fresh, state);
    EXPECT_EQ(save(fresh), state);
    const Drawn a = draw(law, domain, 0, 1000), b = draw(fresh, domain, 0, 1000);
    EXPECT_EQ(a.t, b.t);
    EXPECT_EQ(a.importance, b.importance);
    observe(law, domain, {a.t[0]}, {5});
    observe(fresh, domain, {a.t[0]}, {5});
    EXPECT_EQ(save(law), save(fresh));
    load(fresh, untouched);
    EXPECT_EQ(save(fresh), untouched);
  }
}

TEST(Importance, OtherBytesAreRefusedAndChangeNothing) {
  const auto law = small_importance();
  observe(law, four, {0, 0, 1, 1, 2, 2, 3, 3}, {1, 2, 3, 4, 5, 6, 7, 8});
  const std::vector<uint8_t> state = save(law);
  ASSERT_EQ(state.size(), 8u * (2 + 4 + 4 * 2));
  std::vector<std::vector<uint8_t>> bad = {{}, {1}, std::vector<uint8_t>(16, 0xff), save(trained("importance", four))};
  for (size_t n : {8u, 15u, 64u, 111u}) bad.emplace_back(state.begin(), state.begin() + static_cast<std::ptrdiff_t>(n));
  bad.push_back(state);
  bad.back().resize(state.size() + 8);
  const auto with = [&](size_t index, double value) {
    std::vector<uint8_t> bytes = state;
    std::memcpy(bytes.data() + 8 * index, &value, 8);
    bad.push_back(std::move(bytes));
  };
  with(0, -4), with(0, 3.5), with(0, 1e300), with(0, NAN), with(1, 3), with(2, 0.5), with(3, -1), with(9, INFINITY);
  for (uint64_t seed = 0; seed < 200; ++seed) {
    std::vector<uint32_t> words(28);
    random::bits({seed, 1, 0}, 0, 0, words);
    bad.emplace_back(112);
    std::memcpy(bad.back().data(), words.data(), 112);
  }
  for (size_t i = 0; i < bad.size(); ++i) {
    try {
      load(law, bad[i]);
      ADD_FAILURE() << "state " << i << " was taken";
    } catch (const services::PluginError& error) {
      EXPECT_EQ(error.code, PERRIN_INVALID_DATA) << i;
      EXPECT_NE(std::string(error.what()).find("not a loss history of this configuration"), std::string::npos);
    }
    ASSERT_EQ(save(law), state) << "state " << i;
  }
}

TEST(Importance, RefusesAHistoryOfAnotherSchedule) {
  const auto law = trained("importance", four);
  const std::string refused = message_of([&] { observe(law, thousand, {0}, {1}); });
  EXPECT_NE(refused.find("another number of times"), std::string::npos) << refused;
}

}  // namespace
}  // namespace perrin::testing
