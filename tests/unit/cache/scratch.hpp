// A folder of the test's own, which XDG_CACHE_HOME names meanwhile.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace perrin::test {

struct Scratch {
  Scratch() {
    std::string name = (std::filesystem::temp_directory_path() / "perrin-cache-XXXXXX").string();
    path = ::mkdtemp(name.data());
    ::setenv("XDG_CACHE_HOME", (path / "cache").c_str(), 1);
  }
  ~Scratch() {
    ::unsetenv("XDG_CACHE_HOME");
    std::filesystem::remove_all(path);
  }
  std::filesystem::path write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((path / name).parent_path());
    std::ofstream(path / name, std::ios::binary) << text;
    return path / name;
  }
  std::filesystem::path path;
};

}  // namespace perrin::test
