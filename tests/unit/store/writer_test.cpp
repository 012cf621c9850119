#include <cmath>
#include <thread>

#include "tests/unit/store/fixture.hpp"

namespace perrin::store {
namespace {

TEST_F(StoreTest, EveryPartComesBackAsItWasWritten) {
  {
    Writer writer = Writer::create(file, layout());
    fill(writer, 0, 3000);
    writer.set_status("finished");
    writer.close();
  }
  const Reader reader = Reader::open(file);
  const Layout wanted = layout(), &found = reader.layout();
  EXPECT_EQ(found.run_id, wanted.run_id);
  EXPECT_EQ(found.sweep_id, "");
  EXPECT_EQ(found.config_hash, wanted.config_hash);
  EXPECT_EQ(found.config_toml, wanted.config_toml);
  EXPECT_EQ(found.config_json, wanted.config_json);
  EXPECT_EQ(found.params, wanted.params);
  EXPECT_EQ(found.provenance, wanted.provenance);
  ASSERT_EQ(found.plugins.size(), 2u);
  EXPECT_EQ(found.plugins[1].id, "cosine");
  EXPECT_EQ(found.plugins[1].file, "schedules.so");
  ASSERT_EQ(found.groups.size(), 2u);
  EXPECT_EQ(found.groups[0].columns[1].name, "samples");
  EXPECT_TRUE(found.groups[0].columns[1].integer);
  EXPECT_EQ(found.groups[0].columns[0].doc, "weighted loss");
  EXPECT_EQ(found.groups[1].columns[0].unit, "B");
  ASSERT_EQ(found.images.size(), 2u);
  EXPECT_EQ(found.images[0].tag, "samples");
  EXPECT_EQ(found.images[0].width, 6);
  EXPECT_EQ(reader.status(), "finished");
  EXPECT_EQ(reader.start_time().size(), 20u);
  ASSERT_EQ(reader.segments().size(), 1u);

  const Series loss = reader.series("train", "loss");
  ASSERT_EQ(loss.step.size(), 3000u);
  for (size_t i = 0; i < 3000; ++i) {
    ASSERT_EQ(loss.step[i], static_cast<int64_t>(i));
    ASSERT_EQ(loss.value[i], 1.0 / static_cast<double>(i + 1));
    ASSERT_EQ(loss.wall_time[i], 1e9 + static_cast<double>(i));
  }
  EXPECT_EQ(reader.series("train", "samples").value[2999], 2999 * 8);
  EXPECT_EQ(reader.rows("memory"), 300);
  EXPECT_EQ(reader.image_steps("samples").size(), 300u);
  EXPECT_EQ(reader.image("samples", 7), std::vector<uint8_t>(72, 70));
  EXPECT_TRUE(reader.image_steps("grey").empty());
}

TEST_F(StoreTest, NaNAndInfinityComeBack) {
  Writer writer = Writer::create(file, layout());
  const double row[] = {NAN, -3, INFINITY};
  writer.append("train", 1, 0, row);
  writer.close();
  const Reader reader = Reader::open(file);
  EXPECT_TRUE(std::isnan(reader.series("train", "loss").value.at(0)));
  EXPECT_EQ(reader.series("train", "samples").value.at(0), -3);
  EXPECT_EQ(reader.series("train", "lr").value.at(0), INFINITY);
}

TEST_F(StoreTest, AnExistingFileIsRefusedAndLeftAlone) {
  write_bytes(file, {'x'}, 1);
  EXPECT_CONTAINS(message_of([&] { Writer::create(file, layout()); }), "is there already");
  EXPECT_EQ(bytes_of(file).size(), 1u);
}

TEST_F(StoreTest, AChangeOfStructureIsRefused) {
  Writer writer = Writer::create(file, layout());
  const double one[] = {1.0}, fraction[] = {1.0, 0.5, 0.0}, nan[] = {1.0, NAN, 0.0};
  EXPECT_CONTAINS(message_of([&] { writer.append("new", 0, 0, one); }), "no group \"new\"");
  EXPECT_CONTAINS(message_of([&] { writer.append("train", 0, 0, one); }), "3 columns, the row has 1");
  EXPECT_CONTAINS(message_of([&] { writer.append("train", 0, 0, fraction); }), "train/samples\" holds whole numbers");
  EXPECT_CONTAINS(message_of([&] { writer.append("train", 0, 0, nan); }), "train/samples\" holds whole numbers");
  EXPECT_CONTAINS(message_of([&] { writer.append_image("new", 0, {}); }), "no images \"new\"");
  EXPECT_CONTAINS(message_of([&] { writer.append_image("samples", 0, {}); }), "72 bytes, this one has 0");
  EXPECT_CONTAINS(message_of([&] { writer.set_status("done"); }), "none of running");
  writer.close();
  writer.close();
  EXPECT_CONTAINS(message_of([&] { writer.append("memory", 0, 0, one); }), "is closed");
  EXPECT_EQ(Reader::open(file).rows("train"), 0);
}

TEST_F(StoreTest, ALayoutThatBreaksARuleIsRefused) {
  const auto with = [&](auto change) {
    Layout bad = layout();
    change(bad);
    return message_of([&] { Writer::create(file, bad); });
  };
  EXPECT_CONTAINS(with([](Layout& l) { l.groups[1].name = "train"; }), "\"train\" is there twice");
  EXPECT_CONTAINS(with([](Layout& l) { l.groups[0].columns[0].name = "step"; }), "\"step\" is there twice");
  EXPECT_CONTAINS(with([](Layout& l) { l.groups[0].name = "a/b"; }), "without '/'");
  EXPECT_CONTAINS(with([](Layout& l) { l.images[0].channels = 2; }), "1 or 3 channels");
  EXPECT_CONTAINS(with([](Layout& l) { l.params[1] = l.params[0]; }), "there twice");
  EXPECT_FALSE(std::filesystem::exists(file));
}

TEST_F(StoreTest, ResumeDropsWhatCameAfterTheCheckpoint) {
  {
    Writer writer = Writer::create(file, layout());
    fill(writer, 0, 2000);
    writer.set_status("interrupted");
  }
  {
    Writer writer = Writer::resume(file, 1499);
    EXPECT_EQ(Reader::open(file).status(), "running");
    fill(writer, 1500, 1600);
    writer.set_status("finished");
  }
  const Reader reader = Reader::open(file);
  const Series loss = reader.series("train", "loss");
  ASSERT_EQ(loss.step.size(), 1600u);
  for (size_t i = 0; i < 1600; ++i) ASSERT_EQ(loss.value[i], 1.0 / static_cast<double>(i + 1)) << i;
  EXPECT_EQ(reader.image_steps("samples").size(), 160u);
  EXPECT_EQ(reader.image("samples", 155), std::vector<uint8_t>(72, static_cast<uint8_t>(1550)));
  ASSERT_EQ(reader.segments().size(), 2u);
  EXPECT_EQ(reader.segments()[1].step, 1499);
  EXPECT_EQ(reader.segments()[1].dropped, 500 + 50 + 50);
  EXPECT_EQ(reader.layout().params, layout().params);
  EXPECT_FALSE(std::filesystem::exists(file.string() + ".tmp"));
}

// A copy of the open file is what a kill between the last words and the end leaves.
TEST_F(StoreTest, AFinishedFileThatAKillLeftOpenIsClosed) {
  const std::filesystem::path killed = folder / "killed.h5";
  Writer writer = Writer::create(file, layout());
  fill(writer, 0, 25);
  writer.set_status("finished");
  writer.sync();
  std::filesystem::copy_file(file, killed);
  writer.close();
  EXPECT_TRUE(Reader::open(file).closed());
  ASSERT_FALSE(Reader::open(killed).closed());

  Writer::close_killed(killed);
  const Reader mended = Reader::open(killed), whole = Reader::open(file);
  EXPECT_TRUE(mended.closed());
  EXPECT_EQ(mended.status(), "finished");
  EXPECT_EQ(mended.segments().size(), 1u);
  EXPECT_EQ(mended.series("train", "loss").value, whole.series("train", "loss").value);
  EXPECT_EQ(mended.series("train", "loss").wall_time, whole.series("train", "loss").wall_time);
  EXPECT_EQ(mended.image_steps("samples"), whole.image_steps("samples"));
  const auto bytes = bytes_of(killed);
  Writer::close_killed(killed);
  EXPECT_EQ(bytes_of(killed), bytes);
}

TEST_F(StoreTest, ARunThatIsStillBeingWrittenCannotBeResumed) {
  Writer writer = Writer::create(file, layout());
  EXPECT_CONTAINS(message_of([&] { Writer::resume(file, 0); }), "still being written");
  fill(writer, 0, 10);
  writer.close();
  EXPECT_NO_THROW(Writer::resume(file, 5));
}

TEST_F(StoreTest, AReaderSeesTheRowsOfAnOpenFileAfterSync) {
  Writer writer = Writer::create(file, layout());
  fill(writer, 0, 1234);
  writer.sync();
  EXPECT_EQ(Reader::open(file).rows("train"), 1234);
  fill(writer, 1234, 1300);
  writer.sync();
  EXPECT_EQ(Reader::open(file).rows("train"), 1300);
}

TEST_F(StoreTest, ThreadsMayAppendAtOnceAndTheQueueIsBounded) {
  Layout wide = layout();
  wide.images.push_back({"large", 1024, 1024, 3});
  Writer writer = Writer::create(file, wide);
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t)
    threads.emplace_back([&, t] {
      const std::vector<uint8_t> large(3 << 20, 9);
      for (int i = 0; i < 20; ++i) writer.append_image("large", t, large);
      for (int i = 0; i < 20'000; ++i) {
        const double row[] = {1, static_cast<double>(t), 2};
        writer.append("train", i, 0, row);
      }
    });
  for (auto& thread : threads) thread.join();
  writer.close();
  const Reader reader = Reader::open(file);
  EXPECT_EQ(reader.rows("train"), 40'000);
  EXPECT_EQ(reader.image_steps("large").size(), 40u);
  double sum = 0;
  for (const double value : reader.series("train", "samples").value) sum += value;
  EXPECT_EQ(sum, 20'000);
}

TEST_F(StoreTest, AWriterThatIsDroppedOrMovedClosesItsFile) {
  {
    Writer first = Writer::create(file, layout());
    fill(first, 0, 5);
    Writer second = std::move(first);
    fill(second, 5, 9);
    second = Writer::create(folder / "other.h5", layout());
  }
  EXPECT_EQ(Reader::open(file).rows("train"), 9);
  EXPECT_EQ(Reader::open(folder / "other.h5").rows("train"), 0);
}

}  // namespace
}  // namespace perrin::store
