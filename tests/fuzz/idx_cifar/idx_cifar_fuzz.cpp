// Any bytes as an IDX file, plain or compressed, and as records of CIFAR: as many values as the header says, labels of
// classes, or one Failure. Everything else is a finding.
#include "perrin/host/artifact.h"
#include "plugins/datasets/cifar.hpp"
#include "plugins/datasets/idx.hpp"
#include "tests/fuzz/input.hpp"

namespace {

using namespace perrin;
using fuzz::require;

// A host of two services: files are where their names say, and every key but `folder` has its zero.
const void* extension(const perrin_host*, perrin_text id) {
  static const perrin_host_artifact files = {sizeof files, 0, [](perrin_text name, perrin_text* path) {
                                               return *path = name, static_cast<perrin_status*>(nullptr);
                                             }};
  static const perrin_host_config values = [] {
    perrin_host_config table{sizeof table, 0, {}, {}, {}, {}, {}, {}, {}};
    table.get_boolean = [](const perrin_config*, perrin_text, int32_t*) -> perrin_status* { return nullptr; };
    table.get_integer = [](const perrin_config*, perrin_text, int64_t*) -> perrin_status* { return nullptr; };
    table.get_string = [](const perrin_config*, perrin_text key, perrin_text* value) -> perrin_status* {
      if (view(key) == "folder") *value = text(fuzz::MemoryFile::folder);
      return nullptr;
    };
    return table;
  }();
  return view(id) == PERRIN_HOST_CONFIG     ? static_cast<const void*>(&values)
         : view(id) == PERRIN_HOST_ARTIFACT ? &files
                                            : nullptr;
}

template <class Read>
void attempt(const Read& read) {
  try {
    read();
  } catch (const Failure& failure) {
    require(failure.code == PERRIN_INVALID_DATA);
  }
}

void read_idx(const std::string& path, uint32_t rank) {
  const datasets::Idx idx = datasets::read_idx(path, rank);
  require(idx.sizes == datasets::read_idx_sizes(path, rank) && idx.sizes.size() == rank);
  uint64_t n = 1;
  for (const uint64_t size : idx.sizes) n *= size;
  require(idx.values.size() == n);
}

void read_cifar(const std::string& name, size_t size, uint64_t label_bytes) {
  const datasets::Cifar cifar(Config(nullptr), {"CIFAR", "", "", {name}, label_bytes, label_bytes - 1, 10});
  const uint64_t count = cifar.count(), last = count - 1;
  require(count > 0 && count * (label_bytes + datasets::Cifar::n_pixels) == size);
  std::vector<uint8_t> image(datasets::Cifar::n_pixels);
  int64_t label = -1;
  void* const buffers[] = {image.data(), &label};
  cifar.read(1, &last, buffers);
  require(label >= 0 && label < 10);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const perrin_host host = {sizeof host, PERRIN_ABI_MAJOR, PERRIN_ABI_MINOR, 0, extension, {}, {}, {}, {}};
  detail::host_slot() = &host;
  const fuzz::MemoryFile file(fuzz::text_of(data, size));
  for (const uint32_t rank : {1, 3}) attempt([&] { read_idx(file.path(), rank); });
  const std::string name = file.name();
  for (const uint64_t labels : {1, 2}) attempt([&] { read_cifar(name, size, labels); });
  return 0;
}
