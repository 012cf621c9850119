// What is measured after a run is added to its file, and stays there whatever happens to the file next.
#include <sys/stat.h>

#include <limits>
#include <thread>

#include "host/store/add_evaluation.hpp"
#include "tests/unit/store/fixture.hpp"

namespace perrin::store {
namespace {

class EvaluationTest : public StoreTest {
 protected:
  static Evaluation evaluation(double value) {
    return {"2026-01-01T00:00:00Z",
            400,
            {{"command", "perrin eval RUN --set \"ü\""}, {"checkpoint", "step-00000400.safetensors"}},
            {{"fid", "", "lower is better", value, 50'000}, {"time", "s", "", 0.5, 1}},
            {{"error", "", "of x_0", "log_snr", "", "ln(alpha^2 / sigma^2)", {-1, 0, 1}, {0.5, 0.25, value}}}};
  }

  void write_run() {
    Writer writer = Writer::create(file, layout());
    fill(writer, 0, 100);
    writer.set_status("finished");
    writer.close();
  }

  std::vector<Evaluation> held() const { return Reader::open(file).layout().evaluations; }
};

void expect_equal(const Evaluation& a, const Evaluation& b) {
  EXPECT_EQ(a.time, b.time);
  EXPECT_EQ(a.step, b.step);
  EXPECT_EQ(a.facts, b.facts);
  ASSERT_EQ(a.numbers.size(), b.numbers.size());
  for (size_t i = 0; i < a.numbers.size(); ++i) {
    EXPECT_EQ(a.numbers[i].name, b.numbers[i].name);
    EXPECT_EQ(a.numbers[i].unit, b.numbers[i].unit);
    EXPECT_EQ(a.numbers[i].doc, b.numbers[i].doc);
    EXPECT_EQ(a.numbers[i].value, b.numbers[i].value);
    EXPECT_EQ(a.numbers[i].n, b.numbers[i].n);
  }
  ASSERT_EQ(a.curves.size(), b.curves.size());
  for (size_t i = 0; i < a.curves.size(); ++i) {
    EXPECT_EQ(a.curves[i].name, b.curves[i].name);
    EXPECT_EQ(a.curves[i].doc, b.curves[i].doc);
    EXPECT_EQ(a.curves[i].axis, b.curves[i].axis);
    EXPECT_EQ(a.curves[i].axis_doc, b.curves[i].axis_doc);
    EXPECT_EQ(a.curves[i].at, b.curves[i].at);
    EXPECT_EQ(a.curves[i].values, b.curves[i].values);
  }
}

TEST_F(EvaluationTest, IsAddedBesideAllElse) {
  write_run();
  add_evaluation(file, evaluation(3.5));
  add_evaluation(file, evaluation(2.5));
  const Reader reader = Reader::open(file);
  ASSERT_EQ(reader.layout().evaluations.size(), 2u);
  expect_equal(reader.layout().evaluations[0], evaluation(3.5));
  expect_equal(reader.layout().evaluations[1], evaluation(2.5));
  EXPECT_EQ(reader.status(), "finished");
  EXPECT_TRUE(reader.closed());
  EXPECT_EQ(reader.rows("train"), 100);
  EXPECT_EQ(reader.image_steps("samples").size(), 10u);
  EXPECT_EQ(reader.segments().size(), 1u) << "an evaluation is no start";
  EXPECT_FALSE(std::filesystem::exists(file.string() + ".tmp"));
}

TEST_F(EvaluationTest, StaysWhenTheRunGoesOnAndIsKilled) {
  write_run();
  add_evaluation(file, evaluation(3.5));
  {
    Writer writer = Writer::resume(file, 49, layout());  // the layout of a program that knows of no evaluation
    fill(writer, 50, 60);
    writer.sync();
    ASSERT_EQ(held().size(), 1u) << "while the run is written";
    std::filesystem::copy_file(file, folder / "killed.h5");
  }
  file = folder / "killed.h5";
  ASSERT_FALSE(Reader::open(file).closed());
  add_evaluation(file, evaluation(2.5));
  ASSERT_EQ(held().size(), 2u);
  expect_equal(held()[0], evaluation(3.5));
  EXPECT_TRUE(Reader::open(file).closed());
  EXPECT_EQ(Reader::open(file).status(), "running") << "how the run ended is not for an evaluation to say";
  EXPECT_EQ(Reader::open(file).rows("train"), 60);
}

TEST_F(EvaluationTest, StaysWhenADamagedFileIsRescued) {
  write_run();
  add_evaluation(file, evaluation(3.5));
  const auto kept = folder / "run.h5.damaged-1";
  std::filesystem::rename(file, kept);
  Writer::rescue(kept, file, 49, layout()).close();
  ASSERT_EQ(held().size(), 1u);
  expect_equal(held()[0], evaluation(3.5));
}

TEST_F(EvaluationTest, IsRefusedWhileTheRunIsWritten) {
  Writer writer = Writer::create(file, layout());
  EXPECT_CONTAINS(message_of([&] { add_evaluation(file, evaluation(1)); }), "still being written by another process");
  writer.close();
  add_evaluation(file, evaluation(1));
  EXPECT_EQ(held().size(), 1u);
}

TEST_F(EvaluationTest, TwoAtOnceBothStay) {
  write_run();
  std::vector<std::thread> all;
  for (int i = 0; i < 4; ++i) all.emplace_back([&, i] { add_evaluation(file, evaluation(i)); });
  for (std::thread& one : all) one.join();
  EXPECT_EQ(held().size(), 4u);
}

TEST_F(EvaluationTest, WhatCannotBeWrittenLeavesTheFileAsItWas) {
  write_run();
  const std::vector<char> before = bytes_of(file);
  Evaluation twice = evaluation(1);
  twice.numbers.push_back(twice.numbers.front());
  EXPECT_CONTAINS(message_of([&] { add_evaluation(file, twice); }), "\"fid\" is empty or there twice");
  Evaluation uneven = evaluation(1);
  uneven.curves[0].at.pop_back();
  EXPECT_CONTAINS(message_of([&] { add_evaluation(file, uneven); }), "needs an axis");
  std::filesystem::create_directory(file.string() + ".tmp");  // nothing can be written beside it
  EXPECT_NE(message_of([&] { add_evaluation(file, evaluation(1)); }), "");
  EXPECT_EQ(bytes_of(file), before);
}

TEST_F(EvaluationTest, NothingMeasuredIsFine) {
  write_run();
  add_evaluation(file, {"2026-01-01T00:00:00Z", 0, {}, {}, {}});
  EXPECT_EQ(held().size(), 1u);
}

}  // namespace
}  // namespace perrin::store
