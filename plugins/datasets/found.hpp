// Files and folders that a configuration names.
#pragma once

#include <string>

#include "perrin/cpp/plugin.hpp"
#include "perrin/cpp/text_file.hpp"
#include "perrin/host/artifact.h"

namespace perrin::datasets {

// The limits that keep somebody else's file from asking for all memory, in bytes.
inline constexpr uint64_t max_image_file = uint64_t{1} << 30, max_table_file = uint64_t{1} << 30,
                          max_caption_file = uint64_t{1} << 20;

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

}  // namespace perrin::datasets
