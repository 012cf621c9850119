#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "host/app/front/show_summary.hpp"
#include "host/app/front/show_text.hpp"
#include "host/console/text_width.hpp"
#include "tests/unit/store/fixture.hpp"

namespace perrin::app {
namespace {

using store::message_of;

class ShowTest : public store::StoreTest {
 protected:
  // A run like the trainer's: losses per term and per tenth of the schedule, system figures, one resume.
  void write_run(bool resumed) {
    store::Layout l = layout();
    l.params = {
        {"experiment.name", "toy"}, {"denoiser.use", "unet"}, {"schedule.use", "cosine"}, {"stage.train.lr", "1e-3"}};
    l.groups = {{"train", {{"loss", false, "", ""}, {"loss_l2", false, "", ""}, {"lr", false, "", ""}}},
                {"system", {{"throughput", false, "1/s", ""}, {"memory", true, "B", ""}}}};
    for (int i = 0; i < 10; ++i) l.groups[0].columns.push_back({"loss_t" + std::to_string(i), false, "", ""});
    store::Writer writer = store::Writer::create(file, l);
    for (int64_t step = 0; step < 400; ++step) {
      const double loss = 2.0 / static_cast<double>(step + 1);
      std::vector<double> row = {loss, loss, 1e-3};
      for (int i = 0; i < 10; ++i) row.push_back(step % 3 == 0 ? loss * (i + 1) : NAN);
      writer.append("train", step, 1e9 + static_cast<double>(step), row);
      writer.append("system", step, 1e9, std::vector<double>{512, 3.0 * 1024 * 1024 * 1024});
    }
    for (int64_t step = 0; step < 400; step += 50) writer.append_image("grey", step, std::vector<uint8_t>(15, 1));
    if (!resumed) writer.set_status("finished");
    writer.close();
    if (resumed) store::Writer::resume(file, 199).close();
  }

  std::string text(console::Terminal terminal) const { return show_text(store::Reader::open(file), file, terminal); }
};

TEST_F(ShowTest, AFinishedRunShowsEveryPart) {
  write_run(false);
  const std::string out = text({false, false, true, 100});
  for (const char* part :
       {"run-1", "finished, step 399", "composition", "unet.so", "cosine", "train/loss (log)", "loss_l2", "lr",
        "train by time", "loss_t9", "512 1/s", "3.00 GiB", "grey", "3x5x1", "0 50 100 ... 300 350"})
    EXPECT_CONTAINS(out, part);
  EXPECT_EQ(out.find("segment"), std::string::npos) << "one start only";
  EXPECT_EQ(out.find('\x1b'), std::string::npos) << "no terminal, no colour";
}

TEST_F(ShowTest, AResumedRunShowsItsSegments) {
  write_run(true);
  const std::string out = text({false, false, true, 100});
  EXPECT_CONTAINS(out, "running, step 199");
  EXPECT_CONTAINS(out, "segment");
  EXPECT_CONTAINS(out, "404");  // 200 rows in two groups and 4 images
}

TEST_F(ShowTest, NoLineIsWiderThanTheTerminal) {
  write_run(false);
  for (const int width : {40, 60, 80, 200})
    for (const bool unicode : {false, true}) {
      std::istringstream lines(text({true, true, unicode, width}));
      for (std::string line; std::getline(lines, line);) EXPECT_LE(console::display_width(line), width) << line;
    }
}

TEST_F(ShowTest, ARunWithoutRowsSaysSo) {
  store::Writer writer = store::Writer::create(file, layout());
  EXPECT_CONTAINS(text({false, false, true, 80}), "running, no rows yet");
}

TEST_F(ShowTest, JsonHoldsTheFigures) {
  write_run(false);
  const auto json = nlohmann::json::parse(show_json(store::Reader::open(file), file));
  EXPECT_EQ(json["status"], "finished");
  EXPECT_EQ(json["metrics"]["train"]["rows"], 400);
  EXPECT_EQ(json["metrics"]["train"]["last_step"], 399);
  EXPECT_EQ(json["metrics"]["train"]["columns"]["loss"]["first"], 2.0);
  EXPECT_EQ(json["metrics"]["train"]["columns"]["loss"]["last"], 2.0 / 400);
  EXPECT_EQ(json["images"]["grey"]["steps"].size(), 8u);
  EXPECT_TRUE(json["images"]["samples"]["steps"].empty());
  EXPECT_EQ(json["plugins"][0]["id"], "unet");
  EXPECT_EQ(json["params"]["denoiser.use"], "unet");
}

TEST(ShowSummary, LeavesOutWhatIsNotFinite) {
  const Summary s = summary_of(std::vector<double>{NAN, 4, 1, INFINITY, 3});
  EXPECT_EQ(s.first, 4);
  EXPECT_EQ(s.last, 3);
  EXPECT_EQ(s.low, 1);
  EXPECT_EQ(s.high, 4);
  EXPECT_EQ(s.late, 3);
  EXPECT_TRUE(std::isnan(summary_of({}).late));
}

}  // namespace
}  // namespace perrin::app
