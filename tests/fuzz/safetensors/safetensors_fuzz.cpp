// Any bytes as a file of weights, and what begins with "{" as an index of shards too: tensors that lie in the file and
// fit their shapes, or one clean Error. What was read reads back the same from what we write of it. Everything else is
// a finding.
#include <algorithm>
#include <filesystem>
#include <fstream>

#include "host/base/error.hpp"
#include "host/store/weight_file.hpp"
#include "tests/fuzz/input.hpp"

namespace {

using namespace perrin;
using fuzz::require;

// In memory, for this process.
const std::filesystem::path& folder() {
  static const struct Folder {
    std::filesystem::path path = "/dev/shm/perrin-fuzz-" + std::to_string(::getpid());
    Folder() { std::filesystem::create_directory(path); }
    ~Folder() { std::filesystem::remove_all(path); }
  } own;
  return own.path;
}

std::vector<store::TensorView> tensors_of(const store::SafeTensors& file) {
  std::vector<store::TensorView> all;
  for (const std::string& name : file.names()) all.push_back(*file.find(name));
  return all;
}

bool same(const store::TensorView& a, const store::TensorView& b) {
  return a.name == b.name && a.dtype == b.dtype && a.shape == b.shape && std::ranges::equal(a.bytes, b.bytes);
}

void check(const store::SafeTensors& file, size_t size) {
  size_t bytes = 0;
  for (const store::TensorView& tensor : tensors_of(file)) {
    size_t bits = store::dtype_bits(tensor.dtype);
    for (const int64_t n : tensor.shape) {
      require(n >= 0);
      bits *= static_cast<size_t>(n);
    }
    require(tensor.bytes.size() * 8 == bits);
    bytes += tensor.bytes.size();
  }
  require(bytes <= size);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input = fuzz::text_of(data, size);
  try {
    if (input.starts_with('{')) {
      const auto index = folder() / "m.safetensors.index.json";
      std::ofstream(index, std::ios::binary) << input;
      store::write_safetensors(folder() / "a", {}, {});
      store::open_weights(index);
    }
    const fuzz::MemoryFile given(input);
    const store::SafeTensors file = store::open_weights(given.path());
    check(file, size);
    store::Metadata metadata = file.metadata();
    std::erase_if(metadata, [](const auto& entry) { return entry.first.starts_with("perrin."); });
    store::write_safetensors(folder() / "w", tensors_of(file), metadata);
    const store::SafeTensors again = store::SafeTensors::open(folder() / "w");
    require(again.metadata() == metadata && std::ranges::equal(tensors_of(again), tensors_of(file), same));
  } catch (const Error& fault) {
    require(!fault.message().empty());
  }
  return 0;
}
