// A run's life without a command line: two in one process, from two threads, each with sinks of its own, leave the
// rows, weights and pictures that each leaves alone.
#include "host/life/live.hpp"

#include <gtest/gtest.h>

#include <barrier>
#include <thread>

#include "host/record/results_file.hpp"
#include "host/record/sinks.hpp"
#include "host/store/reader.hpp"
#include "host/store/safetensors.hpp"
#include "tests/unit/composition/composition.hpp"

namespace perrin::test {
namespace {

std::string experiment(int seed) {
  return "[experiment]\nname='t'\nseed=" + std::to_string(seed) +
         "\n[dataset]\nuse='gaussian-mixture'\nshape=[1,8,8]\ncount=64\n[denoiser]\nuse='unet'\nchannels=[8]\ngroups="
         "4\n"
         "[schedule]\nuse='cosine'\n[[stage]]\nsteps=30\nbatch_size=4\nlog_every=1\ncheckpoint_every=10\nsample_every="
         "15\n"
         "optimizer={use='adamw',lr=1e-2}\n[sampler]\nsteps=4\n[samples]\ncount=4\ncolumns=2\n";
}

// Words and statuses of a run, where a program would show them.
struct Words final : record::Sink {
  void text(std::string_view line) override { lines.emplace_back(line); }
  void file(const std::filesystem::path& path) override { files.push_back(path.filename().string()); }
  void status(std::string_view status, std::string_view why) override {
    lines.push_back(std::string(status) + (why.empty() ? "" : ": " + std::string(why)));
  }
  std::vector<std::string> lines, files;
};

// One run in a folder of its own.
struct OneRun {
  explicit OneRun(int seed) : loaded(config::load_text(experiment(seed), "t.toml", {}, catalogue())) {}

  life::End live(const std::function<bool()>& stop = {}) {
    auto session = std::make_shared<services::Session>();
    life::Composition composition(loaded, registry(), session);
    life::prepare(composition, loaded, registry(), {});
    record::Sink nobody;
    life::identify(composition, loaded, 0, nobody, stop);
    const runs::Folder folder = runs::create_folder(loaded, scratch.path / "run");
    auto writer =
        store::Writer::create(folder.results(), life::layout_of(composition, loaded, registry(), folder, {"a test"}));
    record::Sinks sinks({std::make_shared<record::ResultsFile>(std::move(writer)), words});
    const life::Start start{{}, {}, runs::origin_of(composition.model, composition.inputs, loaded, registry()), {}};
    return life::live(composition, loaded, folder, sinks, start, stop);
  }

  std::filesystem::path file(const std::string& name) const { return scratch.path / "run" / name; }
  store::Reader results() const { return store::Reader::open(file("run.h5")); }

  // All that a rerun repeats bit for bit.
  std::vector<double> numbers() const {
    const store::Reader reader = results();
    std::vector<double> all;
    for (const char* column : {"loss", "grad_norm"}) {
      const std::vector<double> values = reader.series("train", column).value;
      all.insert(all.end(), values.begin(), values.end());
    }
    for (const int64_t row : {0, 1})
      for (const uint8_t pixel : reader.image("samples", row)) all.push_back(pixel);
    return all;
  }

  config::Loaded loaded;
  Scratch scratch;
  std::shared_ptr<Words> words = std::make_shared<Words>();
};

TEST(Live, LeavesAWholeRun) {
  OneRun run(1);
  const life::End end = run.live();
  EXPECT_TRUE(end.finished);
  EXPECT_EQ(end.step, 30);
  EXPECT_EQ(end.picture, run.file("samples/step-00000030.png"));
  EXPECT_TRUE(std::filesystem::exists(end.picture));
  const store::Reader reader = run.results();
  EXPECT_EQ(reader.status(), "finished");
  EXPECT_EQ(reader.rows("train"), 30);
  EXPECT_EQ(reader.image_steps("samples"), (std::vector<int64_t>{15, 30}));
  ASSERT_EQ(reader.rows("summary"), 1);
  const std::vector<double> losses = reader.series("train", "loss").value;
  const std::string stage = run.loaded.experiment.stages[0].name;
  EXPECT_EQ(reader.series("summary", "loss_" + stage).value.front(), losses.back());
  EXPECT_EQ(end.losses.at(stage), (std::pair{losses.front(), losses.back()}));
  EXPECT_EQ(run.words->files, (std::vector<std::string>{"step-00000010.safetensors", "step-00000020.safetensors",
                                                        "step-00000030.safetensors"}));
  EXPECT_EQ(run.words->lines.back(), "finished");
  EXPECT_EQ(run.words->lines.size(), 1u) << "nothing to be said of it";
}

TEST(Live, StopsAndSaysSo) {
  OneRun run(1);
  int asked = 0;
  const life::End end = run.live([&] { return ++asked > 12; });
  EXPECT_FALSE(end.finished);
  EXPECT_EQ(run.results().status(), "interrupted");
  EXPECT_EQ(run.words->lines.back(), "interrupted");
  EXPECT_EQ(run.words->files.back(), "step-" + std::string(8 - std::to_string(end.step).size(), '0') +
                                         std::to_string(end.step) + ".safetensors");
}

TEST(Live, AFailureReachesEverySinkAndTheCaller) {
  OneRun run(1);
  const std::function<bool()> breaks = []() -> bool { throw Error("the building is on fire", "the cellar"); };
  int asked = 0;
  const std::string said = message_of([&] { run.live([&] { return ++asked > 12 && breaks(); }); });
  EXPECT_NE(said.find("the building is on fire"), std::string::npos);
  EXPECT_EQ(run.results().status(), "failed");
  EXPECT_NE(run.words->lines.back().find("failed: error: the building is on fire"), std::string::npos);
}

TEST(Live, TwoSideBySideLeaveWhatEachLeavesAlone) {
  OneRun alone(3), other_alone(8);
  alone.live();
  other_alone.live();
  ASSERT_NE(alone.numbers(), other_alone.numbers());
  OneRun beside(3), other_beside(8);
  std::barrier begin(2);
  std::thread other([&] {
    begin.arrive_and_wait();
    other_beside.live();
  });
  begin.arrive_and_wait();
  beside.live();
  other.join();
  EXPECT_EQ(alone.numbers(), beside.numbers());
  EXPECT_EQ(other_alone.numbers(), other_beside.numbers());
}

}  // namespace
}  // namespace perrin::test
