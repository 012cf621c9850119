// What a sample is shown depends on its position in the run alone.
#include <ATen/core/Tensor.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <set>

#include "host/run/objective.hpp"
#include "host/run/pipeline.hpp"
#include "tests/unit/run/composition.hpp"

namespace perrin::run::test {
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
    const Draw d = draw(model, x, batch.positions, 0.5);
    for (size_t b = 0; b < batch.positions.size() && rows.size() < kPositions - first; ++b) {
      const auto i = static_cast<int64_t>(b);
      rows.push_back({batch.positions[b], batch.indices[b], d.times[b].t, d.times[b].alpha, d.times[b].sigma,
                      d.weight[b], d.drop[b], batch.fields[1][i].item<int64_t>(), bytes_of(x[i]), bytes_of(d.input[i]),
                      bytes_of(d.target[i])});
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
  expect_same_rows("points, uniform", kPoints);
  expect_same_rows("points, stratified", std::string(kPoints) + "[timesteps]\nuse='stratified'\n");
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
}  // namespace perrin::run::test
