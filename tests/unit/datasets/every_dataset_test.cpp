// What every dataset of the library that needs no file must hold to at its defaults: a new one is covered with no new
// code.
#include <c10/core/ScalarType.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <numeric>
#include <thread>

#include "host/base/error.hpp"
#include "tests/unit/datasets/folder.hpp"
#include "tests/unit/plugins_b/every.hpp"

namespace perrin::testing {
namespace {

std::vector<std::string> without_files() {
  std::vector<std::string> ids = ids_without_files("dataset");
  std::erase_if(ids, [](const std::string& id) {
    return !message_of([&] { count_of(builtin("dataset", id, *required_values("dataset", id))); }).empty();
  });
  return ids;
}

uint64_t size_of(const perrin_field& field) {
  const uint64_t width = c10::elementSize(static_cast<c10::ScalarType>(field.spec.dtype));
  return std::accumulate(field.spec.sizes, field.spec.sizes + field.spec.rank, width, std::multiplies<uint64_t>());
}

// The bytes of each field of these samples, read in one call.
std::vector<std::string> read(const services::Component& dataset, const std::vector<uint64_t>& indices) {
  std::vector<std::string> bytes;
  for (const perrin_field& field : fields_of(dataset)) bytes.emplace_back(size_of(field) * indices.size(), '\xAA');
  std::vector<void*> buffers;
  for (std::string& each : bytes) buffers.push_back(each.data());
  dataset.invoke<&perrin_dataset::read>(uint64_t{indices.size()}, indices.data(), buffers.data());
  return bytes;
}

class EveryDataset : public ::testing::TestWithParam<std::string> {
 protected:
  services::Component made() const { return builtin("dataset", GetParam(), *required_values("dataset", GetParam())); }
};

// Alone, in a batch, in another order, by another instance, by several threads at once: the same bytes.
TEST_P(EveryDataset, gives_each_sample_whoever_asks_and_with_whom) {
  const services::Component dataset = made(), other = made();
  const uint64_t last = count_of(dataset) - 1;
  const std::vector<uint64_t> indices = {5, 0, last, 7, 5};
  const auto together = read(dataset, indices);
  std::vector<std::vector<std::string>> alone(indices.size());
  std::vector<std::thread> threads;
  for (size_t i = 0; i < indices.size(); ++i)
    threads.emplace_back([&, i] { alone[i] = read(i % 2 ? other : dataset, {indices[i]}); });
  for (std::thread& thread : threads) thread.join();
  for (size_t f = 0; f < together.size(); ++f) {
    std::string joined;
    for (const auto& sample : alone) joined += sample[f];
    EXPECT_EQ(together[f], joined) << name_of(fields_of(dataset)[f]);
  }
}

TEST_P(EveryDataset, keeps_its_labels_within_their_classes_and_refuses_what_it_does_not_have) {
  const services::Component dataset = made();
  std::vector<uint64_t> indices(200);
  std::iota(indices.begin(), indices.end(), 0);
  const auto fields = fields_of(dataset);
  const auto bytes = read(dataset, indices);
  for (size_t f = 0; f < fields.size(); ++f) {
    if (fields[f].n_classes == 0) continue;
    const auto* labels = reinterpret_cast<const int64_t*>(bytes[f].data());
    for (size_t i = 0; i < indices.size(); ++i) {
      EXPECT_GE(labels[i], 0);
      EXPECT_LT(labels[i], static_cast<int64_t>(fields[f].n_classes)) << name_of(fields[f]);
    }
  }
  EXPECT_NE(message_of([&] { read(dataset, {count_of(dataset)}); }), "");
}

perrin_status* find_file(void*, perrin_text, perrin_text path) {
  EXPECT_TRUE(std::filesystem::is_regular_file(std::string(path.data, path.size)));
  return nullptr;
}
perrin_status* pass_bytes(void*, perrin_text, uint64_t, const uint8_t*) { return nullptr; }

TEST_P(EveryDataset, says_what_it_reads) {
  const perrin_identity_sink sink{sizeof sink, 0, nullptr, find_file, pass_bytes};
  ASSERT_TRUE(made().has<&perrin_identity::declare>()) << "its latents would not be kept";
  made().invoke<&perrin_identity::declare>(&sink);
}

INSTANTIATE_TEST_SUITE_P(Defaults, EveryDataset, ::testing::ValuesIn(without_files()), id_as_name);

}  // namespace
}  // namespace perrin::testing
