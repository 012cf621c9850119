#include "host/store/safetensors.hpp"

#include <cstring>

#include "tests/unit/store/fixture.hpp"

namespace perrin::store {
namespace {

class SafeTensorsTest : public StoreTest {
 protected:
  std::filesystem::path path = folder / "a.safetensors";
  std::vector<float> weights = {1.5f, -2, 3, 4, 5, 6};
  std::vector<uint8_t> flags = {1, 0, 1};
  std::vector<TensorView> tensors() const {
    return {{"flags", Dtype::boolean, {3}, std::as_bytes(std::span(flags))},
            {"net.weight", Dtype::f32, {2, 3}, std::as_bytes(std::span(weights))},
            {"none", Dtype::i64, {0, 4}, {}}};
  }
};

TEST_F(SafeTensorsTest, TensorsAndMetadataComeBack) {
  write_safetensors(path, tensors(), {{"step", "12"}, {"name", "\"q\" ü"}});
  const SafeTensors file = SafeTensors::open(path);
  EXPECT_EQ(file.metadata(), (Metadata{{"step", "12"}, {"name", "\"q\" ü"}}));
  EXPECT_EQ(file.names(), (std::vector<std::string>{"flags", "net.weight", "none"}));
  const TensorView* weight = file.find("net.weight");
  ASSERT_NE(weight, nullptr);
  EXPECT_EQ(weight->shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(weight->dtype, Dtype::f32);
  EXPECT_EQ(std::memcmp(weight->bytes.data(), weights.data(), 24), 0);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(weight->bytes.data()) % 8, 0u);
  EXPECT_EQ(file.find("none")->bytes.size(), 0u);
  EXPECT_EQ(file.find("absent"), nullptr);
}

// Found by tests/fuzz/safetensors: numbers that are no sizes became some.
TEST_F(SafeTensorsTest, SizesAreWholeNumbersFromZeroOn) {
  const auto said = [&](const std::string& shape) {
    const std::string header = R"({"a":{"dtype":"F32","shape":)" + shape + R"(,"data_offsets":[0,0]}})";
    std::vector<char> bytes(8);
    bytes[0] = static_cast<char>(header.size());
    bytes.insert(bytes.end(), header.begin(), header.end());
    write_bytes(path, bytes, bytes.size());
    return message_of([&] { SafeTensors::open(path, Checksum::if_present); });
  };
  for (const char* size : {"-1", "9223372036854775808", "1e300", "0.5", "\"1\""})
    EXPECT_CONTAINS(said("[0," + std::string(size) + "]"), "for a size or place") << size;
  for (const char* shape : {"0", R"({"a":0})"}) EXPECT_CONTAINS(said(shape), "a shape that is no list") << shape;
}

// The example file of the format's specification (safetensors README, "Format"), written out byte by byte.
TEST_F(SafeTensorsTest, AForeignFileWithoutChecksumIsReadOnRequestOnly) {
  std::string header = R"({"a":{"dtype":"F16","shape":[1,2],"data_offsets":[0,4]}})";
  std::vector<char> bytes(8);
  bytes[0] = static_cast<char>(header.size());
  bytes.insert(bytes.end(), header.begin(), header.end());
  for (const char c : {0, 60, 0, 64}) bytes.push_back(c);
  write_bytes(path, bytes, bytes.size());
  EXPECT_CONTAINS(message_of([&] { SafeTensors::open(path); }), "no checksum");
  const SafeTensors file = SafeTensors::open(path, Checksum::if_present);
  EXPECT_EQ(file.find("a")->dtype, Dtype::f16);
}

TEST_F(SafeTensorsTest, ForeignHeadersThatLieAreErrors) {
  const auto refused = [&](const std::string& header, size_t data) {
    std::vector<char> bytes(8);
    bytes[0] = static_cast<char>(header.size() % 256);
    bytes[1] = static_cast<char>(header.size() / 256);
    bytes.insert(bytes.end(), header.begin(), header.end());
    bytes.resize(bytes.size() + data);
    write_bytes(path, bytes, bytes.size());
    return message_of([&] { SafeTensors::open(path, Checksum::if_present); });
  };
  const auto one = [](const char* shape, const char* offsets, const char* type = "U8") {
    return std::string(R"({"a":{"dtype":")") + type + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}";
  };
  EXPECT_CONTAINS(refused(one("[4]", "[0,5]"), 5), "does not fit its shape");
  EXPECT_CONTAINS(refused(one("[4]", "[0,4]"), 5), "1 bytes belong to no tensor");
  EXPECT_CONTAINS(refused(one("[4]", "[1,5]"), 5), "gap at byte 0");
  EXPECT_CONTAINS(refused(one("[4]", "[4,0]"), 5), "outside the file");
  EXPECT_CONTAINS(refused(one("[4]", "[2,6]"), 5), "outside the file");
  EXPECT_CONTAINS(refused(one("[4]", "[0,4]", "F9"), 4), "unknown type");
  EXPECT_CONTAINS(refused(one("[4294967296,4294967296]", "[0,0]"), 0), "too large");
  EXPECT_CONTAINS(refused("[]", 0), "not an object");
  EXPECT_CONTAINS(refused("{", 0), "cut or damaged");
  EXPECT_CONTAINS(refused(R"({"a":1})", 0), "cut or damaged");
  EXPECT_CONTAINS(refused(R"({"__metadata__":{"a":1}})", 0), "cut or damaged");
  EXPECT_CONTAINS(refused(std::string(2000, '['), 0), "cut or damaged");
}

TEST_F(SafeTensorsTest, WhatDoesNotFitIsRefusedAndTheOldFileStays) {
  write_safetensors(path, tensors(), {});
  const auto before = bytes_of(path);
  auto bad = tensors();
  bad[1].shape = {2, 4};
  EXPECT_CONTAINS(message_of([&] { write_safetensors(path, bad, {}); }), "needs 32 bytes for its shape, it has 24");
  bad = tensors();
  bad[1].name = "flags";
  EXPECT_CONTAINS(message_of([&] { write_safetensors(path, bad, {}); }), "there twice");
  EXPECT_CONTAINS(message_of([&] { write_safetensors(path, tensors(), {{"a", "\xff"}}); }), "not UTF-8");
  EXPECT_CONTAINS(message_of([&] { write_safetensors(folder / "no" / "a", tensors(), {}); }), "No such file");
  EXPECT_EQ(bytes_of(path), before);
}

}  // namespace
}  // namespace perrin::store
