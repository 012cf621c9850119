// Reads run.h5: finished, still being written, or left by a killed run.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/error.hpp"
#include "host/store/layout.hpp"

namespace perrin::store {

struct Series {
  std::vector<int64_t> step;  // [rows]
  std::vector<double> wall_time, value;
};

// Not whole: cut, overwritten, or no HDF5 at all.
struct Damaged : Error {
  using Error::Error;
};

class Reader {
 public:
  // Errors: no such file; another schema (found and expected are named). Damaged: not HDF5, cut or damaged.
  // What is returned is the state at the time of opening; of a run that is still going, open again for more.
  static Reader open(const std::filesystem::path& file);

  Reader(Reader&&) noexcept;
  Reader& operator=(Reader&&) noexcept;
  ~Reader();

  const Layout& layout() const;  // configuration, provenance, plugins, groups with their columns, image tags
  const std::string& status() const;
  bool closed() const;  // false while a writer has the file, and after one was killed: then other programs refuse it
  const std::string& start_time() const;  // of the first start, UTC, ISO 8601
  const std::vector<Segment>& segments() const;

  // Complete rows only: what a killed run had reserved and not written is left out. Unknown names are Errors.
  int64_t rows(std::string_view group) const;
  Series series(std::string_view group, std::string_view column) const;
  std::vector<int64_t> image_steps(std::string_view tag) const;
  std::vector<uint8_t> image(std::string_view tag, int64_t row) const;  // [height, width, channels]

 private:
  class Impl;
  explicit Reader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace perrin::store
