#include "host/runs/checkpoint.hpp"

#include <ATen/core/Tensor.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "host/store/safetensors.hpp"
#include "tests/unit/composition/composition.hpp"

namespace perrin::test {
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
    save_checkpoint(file, c->parameters, optimizer.training(), progress, c.loaded.hash);
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
    const Training kept = b.optimizer.training();
    load_checkpoint(file, b.c->parameters, &kept, b.c.loaded.hash);
    expect_equal(a, a.c->parameters.values(), b.c->parameters.values(), "values");
    expect_equal(a, a.optimizer.averaged(), b.optimizer.averaged(), "average");
    const std::vector<StateTensor> moments = a.optimizer.state(), loaded = b.optimizer.state();
    ASSERT_EQ(moments.size(), loaded.size());
    for (size_t i = 0; i < moments.size(); ++i)
      EXPECT_TRUE(moments[i].tensor.equal(loaded[i].tensor)) << moments[i].name;
    for (const Parameter& p : b.c->parameters.group("denoiser")->parameters)
      if (p.role == PERRIN_BUFFER) EXPECT_EQ(p.tensor.item<int64_t>(), 12345);
    load_averaged(file, b.c->parameters);
    expect_equal(a, a.optimizer.averaged(), b.c->parameters.values(), "averaged values");
  }
}

TEST(Checkpoint, WithoutAnAverageSamplingTakesTheWeights) {
  const Scratch scratch;
  Trained a(kPoints, {"stage=[{ema_decay=0}]"}), b(kPoints, {"stage=[{ema_decay=0}]"}, 0);
  a.save(scratch.path / "step-1.safetensors");
  load_averaged(scratch.path / "step-1.safetensors", b.c->parameters);
  expect_equal(a, a.c->parameters.values(), b.c->parameters.values(), "values");
}

// The names that perrin.checkpoint/1 has had since its first version.
TEST(Checkpoint, NamesOfTheDefaultOptimizersStateStay) {
  const Scratch scratch;
  Trained a(kTied);
  a.save(scratch.path / "step-1.safetensors");
  const store::SafeTensors file = store::SafeTensors::open(scratch.path / "step-1.safetensors");
  for (const char* of : {"denoiser.in.weight", "denoiser.in.bias", "denoiser.out.scale"})
    for (const char* what : {"", "ema.", "adamw.first_moment.", "adamw.second_moment."})
      EXPECT_NE(file.find(std::string(what) + of), nullptr) << what << of;
  EXPECT_EQ(file.names().size(), 3u * 4 + 1) << "and the buffer, not what is tied or scratch";
}

// A law of timesteps that has watched some losses.
struct Watching {
  Composition c;
  Optimizer optimizer;
  explicit Watching(const std::string& keys, int observed)
      : c(compose(kTied, {"timesteps={" + keys + "}"}, false)), optimizer(c->parameters, c.stage()) {
    for (int i = 0; i < observed; ++i) {
      const double t[] = {static_cast<double>(1 + i % 1000), 500}, losses[] = {0.5 + i % 13, 2.0 / (1 + i)};
      c->timesteps.invoke<&perrin_timesteps::observe>(&c->times.domain(), uint64_t{2}, t, losses);
    }
  }
  void save(const std::filesystem::path& file) {
    save_checkpoint(file, c->parameters, optimizer.training(), {}, c.loaded.hash, {{"timesteps", &c->timesteps}});
  }
  void load(const std::filesystem::path& file, const std::string& hash) {
    const Training kept = optimizer.training();
    load_checkpoint(file, c->parameters, &kept, hash, {{"timesteps", &c->timesteps}});
  }
  std::vector<uint8_t> state() const {
    uint64_t n = 0;
    const uint8_t* bytes = nullptr;
    c->timesteps.invoke<&perrin_state::save>(&n, &bytes);
    return {bytes, bytes + n};
  }
};

TEST(Checkpoint, HoldsWhatTheTimestepLawHasSeen) {
  const Scratch scratch;
  for (const int observed : {0, 3000}) {
    Watching a("use='importance',history=2", observed), b("use='importance',history=2", 17);
    EXPECT_NE(a.state(), b.state());
    a.save(scratch.path / "step-1.safetensors");
    b.load(scratch.path / "step-1.safetensors", a.c.loaded.hash);
    EXPECT_EQ(a.state(), b.state()) << observed;
  }
}

TEST(Checkpoint, AStateThatIsMissingOrForeignIsAnError) {
  const Scratch scratch;
  const auto with = scratch.path / "step-1.safetensors", without = scratch.path / "step-2.safetensors";
  Watching a("use='importance'", 100), other("use='importance',history=3", 0), plain("use='uniform'", 0);
  a.save(with);
  plain.save(without);
  const std::string missing = message_of([&] { a.load(without, plain.c.loaded.hash); });
  EXPECT_NE(missing.find("lacks what the timesteps (importance) had learnt"), std::string::npos) << missing;
  const std::string refused = message_of([&] { other.load(with, a.c.loaded.hash); });
  EXPECT_NE(refused.find("is not a state of the timesteps (importance)"), std::string::npos) << refused;
  EXPECT_NE(refused.find(with.string()), std::string::npos) << refused;
  const std::string unwanted = message_of([&] { plain.load(with, a.c.loaded.hash); });
  EXPECT_NE(unwanted.find("\"state.timesteps\" that no component"), std::string::npos) << unwanted;
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
}  // namespace perrin::test
