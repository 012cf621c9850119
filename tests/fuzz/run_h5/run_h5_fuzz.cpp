// A small run.h5 that the input changes; an input that begins as HDF5 does is the file itself. All rows and images are
// read, or one clean Error comes; what can be saved of it stays in its limits. HDF5 is not instrumented. Everything
// else is a finding.
#include <filesystem>
#include <fstream>

#include "host/base/error.hpp"
#include "host/store/reader.hpp"
#include "host/store/salvage.hpp"
#include "host/store/writer.hpp"
#include "tests/fuzz/input.hpp"
#include "tests/fuzz/run_h5/changed.hpp"

namespace {

using namespace perrin;
using namespace perrin::store;
using fuzz::require;

const Layout layout = {"r",
                       "",
                       "c",
                       "t",
                       "{}",
                       {{"a.b", "1"}},
                       {{"argv", "perrin"}},
                       {{"unet", "denoiser", "1", "B", "u", "a"}},
                       {{"train", {{"loss", false, "", ""}, {"n", true, "B", ""}}}},
                       {{"s", 2, 3, 3}}};

std::string written() {
  const std::filesystem::path path = "/dev/shm/perrin-fuzz-" + std::to_string(::getpid()) + ".h5";
  Writer writer = Writer::create(path, layout);
  for (int64_t step = 0; step < 3; ++step) {
    const double row[] = {0.5, 8};
    writer.append("train", step, 1e9, row);
    writer.append_image("s", step, std::vector<uint8_t>(18, 7));
  }
  writer.close();
  std::ifstream stream(path, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(stream), {}};
  std::filesystem::remove(path);
  return bytes;
}

void read_all(const std::string& path) try {
  const Reader reader = Reader::open(path);
  for (const Group& group : reader.layout().groups)
    for (const Column& column : group.columns)
      require(std::ssize(reader.series(group.name, column.name).value) == reader.rows(group.name));
  for (const ImageTag& tag : reader.layout().images)
    for (size_t i = 0; i < std::min<size_t>(reader.image_steps(tag.tag).size(), 4); ++i) {
      const auto pixels = reader.image(tag.tag, static_cast<int64_t>(i));
      require(pixels.size() == size_t(tag.height) * size_t(tag.width) * size_t(tag.channels));
    }
} catch (const Error& fault) {
  require(!fault.message().empty());
}

}  // namespace

// It loses some memory of its own over damaged files.
extern "C" const char* __lsan_default_suppressions() { return "leak:libhdf5"; }

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::string base = written();
  const std::string_view input = fuzz::text_of(data, size);
  const bool whole = input.starts_with("\211HDF");
  const fuzz::MemoryFile file(whole ? std::string(input) : fuzz::changed(FuzzedDataProvider(data, size), base));
  read_all(file.path());
  const Salvaged saved = salvage(file.path(), layout, 1);
  for (const Rows& rows : saved.rows)
    for (const int64_t step : rows.step) require(step >= 0 && step <= 1);
  return 0;
}
