// Many sinks as one, and the log.
#include "host/record/sinks.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "host/base/error.hpp"
#include "host/record/log_file.hpp"
#include "tests/unit/composition/composition.hpp"

namespace perrin::test {
namespace {

using record::LogFile;
using record::Sink;
using record::Sinks;

// Notes what it hears; fails at `failing`.
struct Heard final : Sink {
  explicit Heard(bool needed = false, std::string failing = {}) : is_needed(needed), failing(std::move(failing)) {}
  bool needed() const override { return is_needed; }
  void row(std::string_view group, int64_t step, double, std::span<const double> values) override {
    hear("row " + std::string(group) + " " + std::to_string(step) + " of " + std::to_string(values.size()));
  }
  void image(std::string_view tag, int64_t, const store::Image&, const std::filesystem::path&) override {
    hear("image " + std::string(tag));
  }
  void text(std::string_view line) override { hear("text " + std::string(line)); }
  void file(const std::filesystem::path& path) override { hear("file " + path.string()); }
  void work(const record::Work& work) override { hear("work " + std::string(work.what)); }
  void summary(int64_t, double, std::span<const double>) override { hear("summary"); }
  void status(std::string_view status, std::string_view why) override {
    hear("status " + std::string(status) + std::string(why));
  }
  void sync() override { hear("sync"); }
  void close() override { hear("close"); }

  void hear(const std::string& what) {
    if (!failing.empty() && what.starts_with(failing)) throw Error("the tracker is full", "", "");
    heard.push_back(what);
  }
  bool is_needed;
  std::string failing;
  std::vector<std::string> heard;
};

void tell_everything(Sink& sink) {
  const std::vector<double> values = {1, 2};
  sink.text("begun");
  sink.row("train", 1, 0, values);
  sink.work({"diffusion", "step", 1, 2});
  sink.image("samples", 1, {}, "a.png");
  sink.file("step-1");
  sink.sync();
  sink.summary(1, 0, values);
  sink.status("finished", "");
  sink.close();
}

const std::vector<std::string> kEverything = {"text begun",    "row train 1 of 2", "work diffusion",
                                              "image samples", "file step-1",      "sync",
                                              "summary",       "status finished",  "close"};

TEST(Sinks, EachHearsEverything) {
  const auto a = std::make_shared<Heard>(true), b = std::make_shared<Heard>();
  Sinks sinks({a, b});
  tell_everything(sinks);
  EXPECT_EQ(a->heard, kEverything);
  EXPECT_EQ(b->heard, kEverything);
}

TEST(Sinks, OneThatFailsIsToldNothingMoreAndTheOthersAreToldWhy) {
  const auto file = std::make_shared<Heard>(true), tracker = std::make_shared<Heard>(false, "image");
  Sinks sinks({tracker, file});
  tell_everything(sinks);
  EXPECT_EQ(tracker->heard, (std::vector<std::string>{"text begun", "row train 1 of 2", "work diffusion"}));
  std::vector<std::string> wanted = kEverything;
  wanted.insert(wanted.begin() + 4, "text warning: the tracker is full; the run goes on without it");
  EXPECT_EQ(file->heard, wanted);
}

TEST(Sinks, TheFailureOfANeededOneIsThrownWhenAllWereTold) {
  const auto file = std::make_shared<Heard>(true, "sync"), tracker = std::make_shared<Heard>();
  Sinks sinks({file, tracker});
  EXPECT_NE(message_of([&] { tell_everything(sinks); }).find("the tracker is full"), std::string::npos);
  EXPECT_EQ(tracker->heard.back(), "sync");
}

TEST(LogFile, WhatWasSaidBeforeThereWasAFileComesFirst) {
  const Scratch folder;
  LogFile log;
  log.text("early");
  EXPECT_EQ(log.waiting(), std::vector<std::string>{"early"});
  log.open(folder.path / "run.log");
  EXPECT_TRUE(log.waiting().empty());
  log.text("late");
  log.status("failed", "the disk is full");
  std::ifstream file(folder.path / "run.log");
  const std::string all((std::istreambuf_iterator<char>(file)), {});
  EXPECT_EQ(all, "early\nlate\nfailed: the disk is full\n");
}

}  // namespace
}  // namespace perrin::test
