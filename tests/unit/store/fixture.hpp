// A small run and a folder of its own for every test.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "host/base/error.hpp"
#include "host/store/reader.hpp"
#include "host/store/writer.hpp"

namespace perrin::store {

class StoreTest : public ::testing::Test {
 protected:
  StoreTest() {
    std::string name = (std::filesystem::temp_directory_path() / "perrin-store-XXXXXX").string();
    folder = mkdtemp(name.data());
    file = folder / "run.h5";
  }
  ~StoreTest() override { std::filesystem::remove_all(folder); }

  static Layout layout() {
    Layout layout{"run-1", "", "abc123", "[experiment]\nname = \"ü\"\n", R"({"experiment":{"name":"ü"}})", {}, {}, {},
                  {},      {}, {}};
    for (int i = 0; i < 12; ++i) layout.params.emplace_back("stage." + std::to_string(i) + ".lr", "1e-3");
    layout.provenance = {{"git_commit", "0123456789abcdef"}, {"git_diff", std::string(100'000, '+')}, {"empty", ""}};
    layout.plugins = {{"unet", "denoiser", "1.0.0", "B", "unet.so", "aa"},
                      {"cosine", "schedule", "1.0.0", "A", "schedules.so", "bb"}};
    layout.groups = {
        {"train", {{"loss", false, "", "weighted loss"}, {"samples", true, "", ""}, {"lr", false, "", ""}}},
        {"memory", {{"rss", true, "B", "resident"}}}};
    layout.images = {{"samples", 4, 6, 3}, {"grey", 5, 3, 1}};
    return layout;
  }

  // Rows and images of steps [first, last).
  static void fill(Writer& writer, int64_t first, int64_t last) {
    for (int64_t step = first; step < last; ++step) {
      const double row[] = {1.0 / static_cast<double>(step + 1), static_cast<double>(step * 8), 1e-3};
      writer.append("train", step, 1e9 + static_cast<double>(step), row);
      if (step % 10 != 0) continue;
      const double memory[] = {4096.0 * static_cast<double>(step)};
      writer.append("memory", step, 1e9, memory);
      writer.append_image("samples", step, std::vector<uint8_t>(4 * 6 * 3, static_cast<uint8_t>(step)));
    }
  }

  static std::vector<char> bytes_of(const std::filesystem::path& path) {
    std::ifstream stream(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  static void write_bytes(const std::filesystem::path& path, const std::vector<char>& bytes, size_t n) {
    std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(n));
  }

  std::filesystem::path folder, file;
};

// The message of the perrin::Error that `call` throws; a test failure if it throws nothing.
template <class Call>
std::string message_of(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.message();
  }
  ADD_FAILURE() << "no error was thrown";
  return {};
}

#define EXPECT_CONTAINS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

}  // namespace perrin::store
