// Files and folders that a configuration names.
#pragma once

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>

#include "perrin/cpp/plugin.hpp"
#include "perrin/host/artifact.h"

namespace perrin::datasets {

// The absolute path of `name` as perrin.artifact/1 finds it. `wanted` ends the message if it does not.
inline std::string found_folder(const std::string& name, const std::string& wanted) {
  perrin_text path{};
  try {
    check(service<perrin_host_artifact>(PERRIN_HOST_ARTIFACT)->find(text(name), &path));
  } catch (const Failure& failure) {
    throw Failure(failure.code, std::string(failure.what()) + ". " + wanted);
  }
  return std::string(view(path));
}

inline std::string whole_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Failure(PERRIN_IO, path + ": " + std::strerror(errno));
  std::string bytes{std::istreambuf_iterator<char>(file), {}};
  if (file.bad()) throw Failure(PERRIN_IO, path + ": cannot be read to its end");
  return bytes;
}

}  // namespace perrin::datasets
