#include "host/run/checkpoint.hpp"

#include <ATen/core/Tensor.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "tests/unit/run/composition.hpp"

namespace perrin::run::test {
namespace {

constexpr const char* kTied = "[dataset]\nuse='gaussian-mixture'\n[denoiser]\nuse='test.tied'\n";

// A composition three updates into its stage.
struct Trained {
  explicit Trained(const std::string& text, const std::vector<std::string>& set = {}, int updates = 3)
      : c(compose(text, set, false)), optimizer((c->parameters.train_only({"denoiser"}), c->parameters), c.stage()) {
    for (int step = 1; step <= updates; ++step) {
      float* g = c->parameters.gradients().data_ptr<float>();
      for (int64_t i = 0; i < c->parameters.gradients().numel(); ++i)
        g[i] = static_cast<float>((i * 7 + step) % 11) - 5;
      optimizer.update(step);
    }
  }
  void save(const std::filesystem::path& file) {
    save_checkpoint(file, c->parameters, optimizer, progress, c.loaded.hash);
  }

  Composition c;
  Optimizer optimizer;
  Progress progress{300, 19200, 1, 42};
};

// Of what is in checkpoints: padding between parameters is not.
void expect_equal(const Trained& a, const at::Tensor& x, const at::Tensor& y, const char* what) {
  for (const Parameter& p : a.c->parameters.group("denoiser")->parameters) {
    if (p.offset < 0) continue;
    EXPECT_TRUE(x.narrow(0, p.offset, p.count).equal(y.narrow(0, p.offset, p.count))) << what << " of " << p.name;
  }
}

TEST(Checkpoint, ComesBackBitForBitWithMomentsAverageBuffersAndProgress) {
  const Scratch scratch;
  for (const char* text : {kPoints, kTied}) {
    Trained a(text), b(text, {}, 0);
    const auto file = scratch.path / checkpoint_name(300);
    for (const Parameter& p : a.c->parameters.group("denoiser")->parameters)
      if (p.role == PERRIN_BUFFER) p.tensor.fill_(12345);
    a.save(file);
    const auto found = newest_checkpoint(scratch.path, nullptr);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->file, file);
    EXPECT_EQ(found->progress.step, 300);
    EXPECT_EQ(found->progress.position, 19200u);
    EXPECT_EQ(found->progress.stage, 1);
    EXPECT_EQ(found->progress.stage_step, 42);
    EXPECT_FALSE(a.c->parameters.values().equal(b.c->parameters.values()));
    load_checkpoint(file, b.c->parameters, &b.optimizer, b.c.loaded.hash);
    expect_equal(a, a.c->parameters.values(), b.c->parameters.values(), "values");
    expect_equal(a, a.optimizer.ema(), b.optimizer.ema(), "average");
    expect_equal(a, a.optimizer.first_moment(), b.optimizer.first_moment(), "first moment");
    expect_equal(a, a.optimizer.second_moment(), b.optimizer.second_moment(), "second moment");
    for (const Parameter& p : b.c->parameters.group("denoiser")->parameters)
      if (p.role == PERRIN_BUFFER) EXPECT_EQ(p.tensor.item<int64_t>(), 12345);
    load_averaged(file, b.c->parameters);
    expect_equal(a, a.optimizer.ema(), b.c->parameters.values(), "averaged values");
  }
}

TEST(Checkpoint, WithoutAnAverageSamplingTakesTheWeights) {
  const Scratch scratch;
  Trained a(kPoints, {"stage=[{ema_decay=0}]"}), b(kPoints, {"stage=[{ema_decay=0}]"}, 0);
  a.save(scratch.path / "step-1.safetensors");
  load_averaged(scratch.path / "step-1.safetensors", b.c->parameters);
  expect_equal(a, a.c->parameters.values(), b.c->parameters.values(), "values");
}

TEST(Checkpoint, OfAnotherModelIsRefusedWithTheTensorAndBothShapes) {
  const Scratch scratch;
  Trained a(kPoints), wide(kPoints, {"denoiser.width=32"}, 0), images(kImages, {}, 0);
  const auto file = scratch.path / "step-1.safetensors";
  a.save(file);
  const at::Tensor before = wide.c->parameters.values().clone();
  const std::string shapes = message_of([&] { load_averaged(file, wide.c->parameters); });
  EXPECT_NE(shapes.find("[16, 16] in the checkpoint and [32, 32] in the model"), std::string::npos) << shapes;
  EXPECT_NE(shapes.find("denoiser.time_embedding.linear_1.weight\""), std::string::npos) << shapes;
  EXPECT_NE(shapes.find(file.string()), std::string::npos) << shapes;
  const std::string absent = message_of([&] { load_averaged(file, images.c->parameters); });
  EXPECT_NE(absent.find("has no tensor \"denoiser.conv_in.weight\""), std::string::npos) << absent;
  const std::string other = message_of([&] { load_checkpoint(file, a.c->parameters, nullptr, "0000"); });
  EXPECT_NE(other.find("belongs to another experiment"), std::string::npos) << other;
}

TEST(Checkpoint, TheNewestThatVerifiesIsUsedAndTheOthersAreReported) {
  const Scratch scratch;
  Trained a(kTied);
  for (const int64_t step : {100, 200, 300, 400}) {
    a.progress.step = step;
    a.save(scratch.path / checkpoint_name(step));
  }
  const auto newest = newest_checkpoint(scratch.path, nullptr);
  ASSERT_TRUE(newest);
  EXPECT_EQ(newest->progress.step, 400);
  std::filesystem::remove(newest->file);
  std::filesystem::resize_file(scratch.path / checkpoint_name(300), 100);
  {  // one flipped bit
    std::fstream file(scratch.path / checkpoint_name(200), std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(-3, std::ios::end);
    const char byte = static_cast<char>(file.get() ^ 1);
    file.seekp(-3, std::ios::end);
    file.put(byte);
  }
  std::ofstream(scratch.path / "step-99999999.safetensors.tmp") << "left by a kill";
  std::vector<std::string> rejected;
  const auto found = newest_checkpoint(scratch.path, &rejected);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->progress.step, 100);
  ASSERT_EQ(rejected.size(), 2u);
  EXPECT_NE(rejected[0].find("step-00000300.safetensors"), std::string::npos) << rejected[0];
  EXPECT_NE(rejected[1].find("checksum"), std::string::npos) << rejected[1];
  EXPECT_FALSE(newest_checkpoint(scratch.path / "absent", nullptr));
}

TEST(Checkpoint, PruningKeepsTheNewest) {
  const Scratch scratch;
  for (const int64_t step : {1, 20, 300, 4000}) std::ofstream(scratch.path / checkpoint_name(step)) << "x";
  std::ofstream(scratch.path / "mine.safetensors") << "x";
  prune_checkpoints(scratch.path, 2);
  std::vector<std::string> left;
  for (const auto& entry : std::filesystem::directory_iterator(scratch.path)) left.push_back(entry.path().filename());
  std::sort(left.begin(), left.end());
  EXPECT_EQ(left,
            (std::vector<std::string>{"mine.safetensors", "step-00000300.safetensors", "step-00004000.safetensors"}));
}

}  // namespace
}  // namespace perrin::run::test
