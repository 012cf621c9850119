// Files that were cut or changed are clean Errors or still right; nothing crashes, nothing is printed.
#include <hdf5.h>

#include <cstring>
#include <random>

#include "host/store/safetensors.hpp"
#include "tests/unit/store/fixture.hpp"

namespace perrin::store {
namespace {

class DamageTest : public StoreTest {
 protected:
  // "" if everything could be read, else the message.
  static std::string read_all(const std::filesystem::path& path) {
    try {
      const Reader reader = Reader::open(path);
      for (const Group& group : reader.layout().groups)
        for (const Column& column : group.columns) reader.series(group.name, column.name);
      for (const ImageTag& tag : reader.layout().images)
        for (size_t i = 0; i < reader.image_steps(tag.tag).size(); ++i) reader.image(tag.tag, static_cast<int64_t>(i));
      return {};
    } catch (const Error& error) {
      return error.message();
    }
  }

  std::vector<char> finished_run() {
    Writer writer = Writer::create(file, layout());
    fill(writer, 0, 300);
    writer.close();
    return bytes_of(file);
  }
};

TEST_F(DamageTest, AResultsFileCutAtEveryKilobyteIsAnError) {
  const auto bytes = finished_run();
  int cuts = 0;
  for (size_t n = 0; n < bytes.size(); n += n < 64 ? 1 : 1024, ++cuts) {
    write_bytes(folder / "cut.h5", bytes, n);
    const std::string message = read_all(folder / "cut.h5");
    ASSERT_NE(message, "") << "cut at " << n << " of " << bytes.size();
    EXPECT_CONTAINS(message, "cut.h5");
    ASSERT_TRUE(message.find("is cut or damaged") != message.npos ||
                message.find("is not an HDF5 file") != message.npos)
        << message;
  }
  std::printf("%d cuts of %zu bytes: all refused\n", cuts, bytes.size());
}

// A killed writer's file may be cut as well: rows are complete or the file is refused, never zeros.
TEST_F(DamageTest, AFileOfARunningWriterCutAtEveryKilobyteNeverGivesWrongRows) {
  Writer writer = Writer::create(file, layout());
  fill(writer, 0, 3000);
  writer.sync();
  const auto bytes = bytes_of(file);
  int refused = 0;
  for (size_t n = 1024; n < bytes.size(); n += 4096) {
    write_bytes(folder / "cut.h5", bytes, n);
    try {
      const Series loss = Reader::open(folder / "cut.h5").series("train", "loss");
      for (size_t i = 0; i < loss.step.size(); ++i)
        ASSERT_EQ(loss.value[i], 1.0 / static_cast<double>(i + 1)) << "cut at " << n;
    } catch (const Error& error) {
      ++refused;
    }
  }
  std::printf("%zu bytes: %d cuts refused, no wrong row\n", bytes.size(), refused);
  EXPECT_GT(refused, 10);
}

TEST_F(DamageTest, ChangedBytesOfAResultsFileNeverCrashTheReader) {
  const auto bytes = finished_run();
  std::mt19937 random(7);  // the seed of this test
  int refused = 0;
  constexpr int kTrials = 600;
  for (int trial = 0; trial < kTrials; ++trial) {
    auto changed = bytes;
    const size_t at = trial < 200 ? static_cast<size_t>(trial) : random() % bytes.size();
    changed[at] = static_cast<char>(changed[at] ^ (1 << random() % 8));
    write_bytes(folder / "changed.h5", changed, changed.size());
    refused += read_all(folder / "changed.h5") != "";
  }
  std::printf("%d flipped bits: %d refused, no crash\n", kTrials, refused);
  EXPECT_GT(refused, 0);
}

TEST_F(DamageTest, AnotherSchemaNamesBoth) {
  const auto make = [&](const char* schema, bool fixed_length = true) {
    const hid_t id = H5Fcreate(file.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    if (schema) {
      const hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
      H5Tset_size(type, fixed_length ? std::strlen(schema) : H5T_VARIABLE);
      const hid_t attribute = H5Acreate2(id, "schema", type, space, H5P_DEFAULT, H5P_DEFAULT);
      fixed_length ? H5Awrite(attribute, type, schema) : H5Awrite(attribute, type, &schema);
      H5Aclose(attribute), H5Sclose(space), H5Tclose(type);
    }
    H5Fclose(id);
    return read_all(file);
  };
  EXPECT_CONTAINS(make("perrin.run/2"), "has schema \"perrin.run/2\", expected \"perrin.run/1\"");
  EXPECT_CONTAINS(make("keras"), "has schema \"keras\"");
  EXPECT_CONTAINS(make("perrin.run/2", false), "has schema \"perrin.run/2\", expected \"perrin.run/1\"");
  EXPECT_CONTAINS(make(nullptr), "has schema \"none\"");
}

class CheckpointDamageTest : public StoreTest {
 protected:
  std::filesystem::path path = folder / "step-10.safetensors";
  std::vector<char> checkpoint() {
    std::vector<float> weights(20'000);
    for (size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<float>(i);
    const std::vector<TensorView> tensors = {
        {"ema", Dtype::f32, {100, 100}, std::as_bytes(std::span(weights).first(10'000))},
        {"net", Dtype::f32, {10'000}, std::as_bytes(std::span(weights).last(10'000))}};
    write_safetensors(path, tensors, {{"step", "10"}});
    return bytes_of(path);
  }
  std::string open(const std::vector<char>& bytes, size_t n) {
    write_bytes(folder / "bad", bytes, n);
    return message_of([&] { SafeTensors::open(folder / "bad"); });
  }
};

TEST_F(CheckpointDamageTest, ACheckpointCutAnywhereIsAnError) {
  const auto bytes = checkpoint();
  uint64_t header = 0;
  std::memcpy(&header, bytes.data(), 8);
  int cuts = 0;
  for (size_t n = 0; n < bytes.size(); n += n < header + 16 ? 1 : 1024, ++cuts)
    EXPECT_CONTAINS(open(bytes, n), "cut or damaged");
  EXPECT_CONTAINS(open(bytes, bytes.size() - 1), "cut or damaged");
  auto longer = bytes;
  longer.push_back(0);
  EXPECT_CONTAINS(open(longer, longer.size()), "cut or damaged");
  std::printf("%d cuts of %zu bytes: all refused\n", cuts, bytes.size());
}

TEST_F(CheckpointDamageTest, EveryFlippedBitIsAnError) {
  const auto bytes = checkpoint();
  std::mt19937 random(11);  // the seed of this test
  uint64_t header = 0;
  std::memcpy(&header, bytes.data(), 8);
  int flips = 0;
  const auto flip = [&](size_t at, int bit) {
    auto changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ (1 << bit));
    EXPECT_CONTAINS(open(changed, changed.size()), "cut or damaged");
    ++flips;
  };
  for (size_t at = 0; at < header + 8; ++at)
    for (int bit = 0; bit < 8; ++bit) flip(at, bit);
  for (int i = 0; i < 500; ++i)
    flip(8 + header + random() % (bytes.size() - 8 - header), static_cast<int>(random() % 8));
  std::printf("%d flipped bits: all refused\n", flips);
}

}  // namespace
}  // namespace perrin::store
