// What a sample is shown depends on its position in the run alone.
#include <ATen/core/Tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <numeric>
#include <set>

#include "host/data/pipeline.hpp"
#include "host/services/host.hpp"
#include "host/train/objective/objective.hpp"
#include "tests/unit/composition/composition.hpp"

namespace perrin::test {
namespace {

constexpr uint64_t kPositions = 64;

// All that training draws for one position, as bytes.
struct Row {
  uint64_t position = 0, index = 0;
  double t = 0, alpha = 0, sigma = 0, weight = 0;
  int drop = 0;
  int64_t label = 0;
  std::string data, input, target;
  bool operator==(const Row&) const = default;
};

std::string bytes_of(const at::Tensor& row) {
  const at::Tensor c = row.contiguous();
  return {static_cast<const char*>(c.const_data_ptr()), c.nbytes()};
}

std::vector<Row> draw_rows(Model& model, int64_t batch_size, int threads, uint64_t first = 0) {
  Pipeline pipeline(model.dataset, model.experiment.seed, first, batch_size, threads);
  std::vector<Row> rows;
  while (rows.size() < kPositions - first) {
    const Batch batch = pipeline.next();
    const at::Tensor x = images(model, batch);
    const Draw d = draw(model, x, batch.positions, {model.experiment.stages[0]});
    for (size_t b = 0; b < batch.positions.size() && rows.size() < kPositions - first; ++b) {
      const auto i = static_cast<int64_t>(b);
      rows.push_back({batch.positions[b], batch.indices[b], d.times[b].t, d.times[b].alpha, d.times[b].sigma,
                      d.weight[b], d.drops[0][b], batch.fields[1][i].item<int64_t>(), bytes_of(x[i]),
                      bytes_of(d.input[i]), bytes_of(d.target[i])});
    }
  }
  return rows;
}

void expect_same_rows(const std::string& what, const std::string& text) {
  const Composition c = compose(text);
  const std::vector<Row> rows = draw_rows(*c, 64, 0);
  int cases = 0;
  for (const int64_t batch : {1, 7, 64}) {
    for (const int threads : {0, 1, 2}) {
      const std::vector<Row> other = draw_rows(*c, batch, threads);
      for (size_t i = 0; i < kPositions; ++i)
        EXPECT_TRUE(rows[i] == other[i]) << what << ": position " << i << ", batch " << batch << ", threads "
                                         << threads;
      ++cases;
    }
  }
  const std::vector<Row> late = draw_rows(*c, 7, 1, 23);  // as a resumed run starts
  for (size_t i = 0; i < late.size(); ++i) EXPECT_TRUE(late[i] == rows[23 + i]) << "resumed at 23, position " << 23 + i;

  std::set<std::string> inputs;
  std::set<double> times;
  int drops = 0;
  for (const Row& row : rows) inputs.insert(row.input), times.insert(row.t), drops += row.drop;
  EXPECT_EQ(inputs.size(), kPositions) << "no two positions see the same";
  EXPECT_GT(times.size(), 50u);
  EXPECT_GT(drops, 16);
  EXPECT_LT(drops, 48);
  std::printf("%s: %zu positions drawn alike in %d ways (batch 1, 7, 64; 0, 1, 2 threads); %zu times, %d dropped\n",
              what.c_str(), rows.size(), cases, times.size(), drops);
}

TEST(Draw, BatchSizeAndLoaderThreadsChangeNothingThatASampleSees) {
  const Composition c = compose(kPoints);
  for (const perrin_component* law : c->timesteps.library().components("timesteps")) {
    const std::string id(law->id.data, law->id.size);
    expect_same_rows("points, " + id, std::string(kPoints) + "[timesteps]\nuse='" + id + "'\n");
  }
  expect_same_rows("images, v, min-snr",
                   std::string(kImages) + "[parameterization]\nuse='v'\n[weighting]\nuse='min-snr'\n");
}

TEST(Draw, AnotherSeedDrawsOtherNumbersOfTheSameData) {
  const Composition a = compose(kPoints), b = compose(kPoints, {"experiment.seed=6"});
  const std::vector<Row> x = draw_rows(*a, 64, 0), y = draw_rows(*b, 64, 0);
  int same_index = 0;
  for (size_t i = 0; i < kPositions; ++i) {
    same_index += x[i].index == y[i].index;
    EXPECT_NE(x[i].input, y[i].input) << i;
  }
  EXPECT_LT(same_index, 8);
}

std::string with(const char* kind, const std::string& use) {
  return std::string(kPoints) + "[" + kind + "]\nuse='" + use + "'\n";
}

// A law of the noise level meets the schedule: log SNR as drawn, clamped, between the whole times of a discrete one.
TEST(Draw, ALawOfTheNoiseLevelFindsItsTime) {
  const Composition c = compose(with("timesteps", "log-normal"));
  std::vector<uint64_t> positions(4000);
  std::iota(positions.begin(), positions.end(), 0);
  const Draw d = draw(*c, at::zeros({4000, 2}), positions, {c.stage()});
  double sum = 0, squares = 0;
  for (const perrin_time& at : d.times) {
    EXPECT_TRUE(at.t >= 0 && at.t <= 999) << at.t;
    EXPECT_NEAR(at.alpha * at.alpha + at.sigma * at.sigma, 1, 1e-12);
    const double log_sigma = std::log(at.sigma / at.alpha);
    EXPECT_NEAR(log_snr(c->times.at(at.t)), -2 * log_sigma, 1e-9);
    sum += log_sigma / 4000, squares += log_sigma * log_sigma / 4000;
  }
  // N(-1.2, 1.2^2) without what lies beyond the linear schedule's ends, -4.6 (0.2 %) and 5.1.
  const double deviation = std::sqrt(squares - sum * sum);
  std::printf("ln(sigma / alpha) of 4000 samples on the linear schedule: mean %.3f, deviation %.3f\n", sum, deviation);
  EXPECT_NEAR(sum, -1.2, 4 * 1.2 / std::sqrt(4000));
  EXPECT_NEAR(deviation, 1.2, 4 * 1.2 / std::sqrt(8000));
}

TEST(Draw, AWeightingThatChangesSeesTheStageGoOn) {
  const Composition c = compose(with("weighting", "curriculum"), {"stage.steps=100"});
  std::vector<uint64_t> positions(256);
  std::iota(positions.begin(), positions.end(), 0);
  const auto open = [&](int64_t done) {
    const Draw d = draw(*c, at::zeros({256, 2}), positions, {c.stage(), done + 1, done});
    double noisiest_waiting = 0, cleanest_open = 999;
    for (size_t i = 0; i < 256; ++i) {
      if (d.weight[i] == 0) noisiest_waiting = std::max(noisiest_waiting, d.times[i].t);
      if (d.weight[i] == 1) cleanest_open = std::min(cleanest_open, d.times[i].t);
    }
    EXPECT_LT(noisiest_waiting, cleanest_open) << done;
    return std::accumulate(d.weight.begin(), d.weight.end(), 0.0);
  };
  EXPECT_LT(open(0), open(20));
  EXPECT_LT(open(20), open(40));
  EXPECT_EQ(open(50), 256);
  EXPECT_EQ(open(99), 256);
}

TEST(Draw, AWeightThatIsNotFiniteIsNamedWithItsLevel) {
  // Not at an end, where the composition is refused already.
  const Composition c = compose(with("weighting", "test.endless") + "at=1\n", {"schedule.steps=3", "sampler.steps=1"});
  std::vector<uint64_t> positions(32);
  for (size_t i = 0; i < positions.size(); ++i) positions[i] = i;
  const std::string message = message_of([&] { draw(*c, at::zeros({32, 2}), positions, {c.stage()}); });
  EXPECT_NE(message.find("the weighting has no finite weight at t = 1.0"), std::string::npos) << message;
  EXPECT_NE(message.find("test.endless"), std::string::npos) << message;
}

// The objective of the first batch of 32.
struct First {
  explicit First(const Composition& c, int64_t stage_step = 0)
      : batch(Pipeline(c->dataset, c->experiment.seed, 0, 32, 0).next()) {
    static auto* registry = new loader::Registry(services::loader_host());
    for (const config::Loss& loss : c.stage().losses)
      terms.push_back({loss.component.name, loss.weight, loss.start,
                       services::Component(*registry, loss.component, c->experiment.seed), nullptr});
    value = objective(*c, batch, terms, {c.stage(), 1, stage_step}, &drawn);
  }
  Batch batch;
  std::vector<LossTerm> terms;
  Draw drawn;
  Objective value;
};

const std::string two_terms =
    "[[stage]]\n[[stage.loss]]\nuse='l2'\n[[stage.loss]]\nuse='l2'\nname='again'\nweight=0.5\n";

TEST(Objective, ALearntWeightingIsAppliedToTheFirstTermAlone) {
  const Composition edm = compose(with("weighting", "edm") + two_terms),
                    c = compose(with("weighting", "learnt-uncertainty") + two_terms);
  const First a(edm), b(c);
  ASSERT_EQ(b.value.terms.size(), 2u);
  EXPECT_EQ(a.value.total.item<double>(), b.value.total.item<double>()) << "u = 0 at the start";

  c->parameters.train_only({"denoiser", "weighting"});
  const ParameterGroup& group = *c->parameters.group("weighting");
  EXPECT_EQ(group.count(), 128);
  for (const Parameter& p : group.parameters)
    if (p.role == PERRIN_PARAMETER) p.tensor.detach().fill_(0.1);
  const First trained(c);
  EXPECT_EQ(trained.value.terms[0].per_sample, a.value.terms[0].per_sample) << "the trace keeps unweighted values";
  EXPECT_NE(trained.value.terms[0].value, a.value.terms[0].value);
  EXPECT_EQ(trained.value.terms[1].value, a.value.terms[1].value);

  // u written out in float64 from the parameters: sqrt(2 / n) sum_j w cos(f_j c + phi_j), c = ln(sigma / alpha) / 4.
  double expected = 0;
  for (size_t i = 0; i < 32; ++i) {
    const perrin_time& at = trained.drawn.times[i];
    double u = 0;
    for (int64_t j = 0; j < 128; ++j)
      u += 0.1 * std::sqrt(2.0 / 128) *
           std::cos(group.parameters[0].tensor[j].item<double>() * std::log(at.sigma / at.alpha) / 4 +
                    group.parameters[1].tensor[j].item<double>());
    expected += (trained.drawn.weight[i] * trained.value.terms[0].per_sample[i] / std::exp(u) + u) / 32;
  }
  EXPECT_NEAR(trained.value.terms[0].value / expected, 1, 1e-5);

  c->parameters.zero_gradients();
  trained.value.total.backward();
  for (const Parameter& p : group.parameters)
    if (p.role == PERRIN_PARAMETER) EXPECT_GT(p.tensor.grad().norm().item<double>(), 0);
}

TEST(Objective, ALawThatFollowsTheLossIsShownTheUnweightedFirstTerm) {
  const Composition c =
      compose(with("timesteps", "importance") + "history=1\nbuckets=1\n[weighting]\nuse='min-snr'\n" + two_terms);
  const First first(c);
  observe(*c, first.drawn, first.value);
  uint64_t n = 0;
  const uint8_t* bytes = nullptr;
  c->timesteps.invoke<&perrin_state::save>(&n, &bytes);
  ASSERT_EQ(n, 4 * sizeof(double));
  double state[4];  // buckets, history, losses seen, the latest
  std::memcpy(state, bytes, n);
  EXPECT_EQ(state[2], 32);
  EXPECT_EQ(state[3], static_cast<double>(first.value.terms[0].per_sample.back()));

  const Composition uniform = compose(kPoints);
  const First other(uniform);
  observe(*uniform, other.drawn, other.value);  // nothing to show it to
}

TEST(DataOrder, EachEpochIsAPermutationAndNoTwoAreAlike) {
  for (const uint64_t count : {1, 2, 7, 64, 1000}) {
    std::vector<std::vector<uint64_t>> epochs;
    for (uint64_t epoch = 0; epoch < 3; ++epoch) {
      std::vector<uint64_t> order;
      for (uint64_t i = 0; i < count; ++i) order.push_back(dataset_index(5, epoch * count + i, count));
      EXPECT_EQ(std::set<uint64_t>(order.begin(), order.end()).size(), count) << "epoch " << epoch << " of " << count;
      EXPECT_LT(*std::max_element(order.begin(), order.end()), count);
      epochs.push_back(order);
    }
    if (count < 64) continue;
    EXPECT_NE(epochs[0], epochs[1]);
    EXPECT_NE(epochs[1], epochs[2]);
    EXPECT_NE(epochs[0].front(), 0u);
  }
}

}  // namespace
}  // namespace perrin::test
