#include "tests/unit/store/fixture.hpp"

namespace perrin::store {
namespace {

TEST_F(StoreTest, UnknownNamesAreErrors) {
  Writer::create(file, layout()).close();
  const Reader reader = Reader::open(file);
  EXPECT_CONTAINS(message_of([&] { reader.series("nope", "loss"); }), "no /metrics/nope");
  EXPECT_CONTAINS(message_of([&] { reader.series("train", "nope"); }), "no column \"nope\"");
  EXPECT_CONTAINS(message_of([&] { reader.image_steps("nope"); }), "no /images/nope");
  EXPECT_CONTAINS(message_of([&] { reader.image("samples", 0); }), "rows 0 to 0");
}

TEST_F(StoreTest, WhatIsNoFileSaysSo) {
  EXPECT_CONTAINS(message_of([&] { Reader::open(folder / "absent.h5"); }), "No such file");
  EXPECT_CONTAINS(message_of([&] { Reader::open(folder); }), "is not a file");
}

TEST_F(StoreTest, AFileThatIsNotHdf5SaysSo) {
  for (const std::string& text : {std::string(), std::string("hello"), std::string(4096, 'x')}) {
    write_bytes(file, {text.begin(), text.end()}, text.size());
    EXPECT_CONTAINS(message_of([&] { Reader::open(file); }), "is not an HDF5 file");
  }
}

TEST_F(StoreTest, ManyReadersOfOneFileInOneProcess) {
  Writer writer = Writer::create(file, layout());
  fill(writer, 0, 100);
  writer.close();
  const Reader one = Reader::open(file), two = Reader::open(file);
  EXPECT_EQ(one.series("train", "loss").value, two.series("train", "loss").value);
}

TEST_F(StoreTest, AnEmptyLayoutIsAValidRun) {
  Layout empty;
  Writer::create(file, empty).close();
  const Reader reader = Reader::open(file);
  EXPECT_TRUE(reader.layout().groups.empty());
  EXPECT_TRUE(reader.layout().plugins.empty());
  EXPECT_EQ(reader.layout().config_toml, "");
}

}  // namespace
}  // namespace perrin::store
