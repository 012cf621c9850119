// A folder of files for a test, and what a dataset makes of it.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/unit/plugins_a/components.hpp"

namespace perrin::testing {

namespace fs = std::filesystem;

inline std::string bytes_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
inline void write_file(const fs::path& file, const std::string& bytes) {
  fs::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}
inline std::string committed(const std::string& name) { return bytes_of(fs::path(PERRIN_TEST_DATA) / name); }

// Removed with this object.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (fs::temp_directory_path() / "perrin-datasets-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~TemporaryFolder() { fs::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  fs::path operator/(const std::string& name) const { return path_ / name; }
  std::string string() const { return path_.string(); }

 private:
  fs::path path_;
};

// What one sample is: a value per field.
struct Sample {
  std::vector<uint8_t> image;
  int64_t label = -1;
  std::string caption;
};

inline std::string name_of(const perrin_field& field) { return {field.spec.name.data, field.spec.name.size}; }

inline std::vector<perrin_field> fields_of(const services::Component& dataset) {
  uint32_t n = 0;
  const perrin_field* fields = nullptr;
  dataset.invoke<&perrin_dataset::fields>(&n, &fields);
  return {fields, fields + n};
}
inline uint64_t count_of(const services::Component& dataset) {
  uint64_t n = 0;
  dataset.invoke<&perrin_dataset::count>(&n);
  return n;
}

// Sample `index` by `read`, or at a position of training by `read_augmented`.
inline Sample read_sample(const services::Component& dataset, uint64_t index, const uint64_t* position = nullptr) {
  Sample sample;
  std::vector<void*> buffers;
  for (const perrin_field& field : fields_of(dataset)) {
    uint64_t size = 1;
    for (uint32_t i = 0; i < field.spec.rank; ++i) size *= static_cast<uint64_t>(field.spec.sizes[i]);
    if (name_of(field) == "image") sample.image.resize(size), buffers.push_back(sample.image.data());
    if (name_of(field) == "label") buffers.push_back(&sample.label);
    if (name_of(field) == "caption") sample.caption.resize(size), buffers.push_back(sample.caption.data());
  }
  if (position)
    dataset.invoke<&perrin_dataset::read_augmented>(perrin_stream{3, PERRIN_PURPOSE_AUGMENT, 0}, uint64_t{1}, &index,
                                                    position, buffers.data());
  else
    dataset.invoke<&perrin_dataset::read>(uint64_t{1}, &index, buffers.data());
  sample.caption.resize(std::char_traits<char>::length(sample.caption.c_str()));
  return sample;
}

}  // namespace perrin::testing
