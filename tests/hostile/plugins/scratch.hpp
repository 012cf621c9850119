// A folder of one test's own, and places in it.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "host/loader/index.hpp"

namespace perrin::test {

namespace fs = std::filesystem;

class Scratch {
 public:
  Scratch() {
    std::string name = (fs::temp_directory_path() / "perrin-plugins-XXXXXX").string();
    path = ::mkdtemp(name.data());
    fs::create_directory(root());
  }
  ~Scratch() { fs::remove_all(path); }

  fs::path root() const { return path / "plugins"; }
  loader::Places places() const { return {{root()}, PERRIN_PROBE, path / "cache"}; }

  // A copy of a fixture among the plugins.
  fs::path add(const std::string& fixture, std::string as = {}) const {
    const fs::path to = root() / ((as.empty() ? fixture : as) + ".so");
    fs::copy_file(fs::path(PERRIN_FIXTURES) / (fixture + ".so"), to);
    return to;
  }
  fs::path write(const std::string& name, const std::string& bytes) const {
    std::ofstream(root() / name, std::ios::binary) << bytes;
    return root() / name;
  }

  fs::path path;
};

inline std::string read_bytes(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

// The listed library of this file name; fails the lookup with a name that the test prints.
inline const loader::Listed& listed(const loader::Index& index, const std::string& name) {
  for (const auto& library : index.libraries())
    if (fs::path(library.file).filename() == name + ".so") return library;
  throw Error("not listed: " + name);
}

}  // namespace perrin::test
