#include "host/loader/libtorch.hpp"

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "host/base/environment.hpp"
#include "host/base/error.hpp"
#include "host/loader/layout.hpp"
#include "host/loader/search.hpp"

namespace perrin::loader {
namespace {

namespace fs = std::filesystem;

// The rule of .ci/libtorch.sh and sdk/cmake/PerrinTorch.cmake.
std::vector<fs::path> places(const Layout& here) {
  if (const fs::path given = variable("PERRIN_LIBTORCH"); !given.empty()) return {fs::absolute(given)};
  std::vector<fs::path> all = {here.libraries / "libtorch"};
  const fs::path given = variable("PERRIN_CACHE");
  if (const fs::path cache = given.empty() ? cache_root().path : fs::absolute(given); !cache.empty())
    all.push_back(cache / "libtorch-" PERRIN_TORCH_VERSION);
  return all;
}

// The folder of libtorch_cpu.so.
fs::path find_libtorch(const Layout& here) {
  std::string looked;
  for (const fs::path& place : places(here)) {
    for (const char* inner : {"torch/lib", "lib"})
      if (std::error_code none; fs::exists(place / inner / "libtorch_cpu.so", none)) return place / inner;
    looked += (looked.empty() ? "" : ", ") + place.string();
  }
  throw Error("LibTorch is not there: no torch/lib/libtorch_cpu.so and no lib/libtorch_cpu.so", looked,
              "set PERRIN_LIBTORCH to the folder of LibTorch " PERRIN_TORCH_VERSION ", or link that folder to " +
                  (here.libraries / "libtorch").string());
}

}  // namespace

void offer_libtorch() {
  const Layout here = layout();
  if (!here.installed) return;
  const std::string folder = find_libtorch(here).string(), before(variable("LD_LIBRARY_PATH"));
  if (before == folder || before.starts_with(folder + ":")) return;
  ::setenv("LD_LIBRARY_PATH", (before.empty() ? folder : folder + ":" + before).c_str(), 1);
}

}  // namespace perrin::loader
