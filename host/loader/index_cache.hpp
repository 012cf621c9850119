// The index's files. Internal to host/loader.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "host/loader/file.hpp"
#include "host/loader/probe.hpp"
#include "host/loader/search.hpp"

namespace perrin::loader {

// <folder>/<hash>.json: one probe's result; the hash is over the library's content and the probe's build.
// <folder>/files.json: path -> identity and sha256, so that an unchanged file is not read.
// Losing any of them costs time, never correctness; without a folder of the user's own results last for the process.
class IndexCache {
 public:
  explicit IndexCache(const Places& places);

  std::string hash(const std::string& file);  // sha256 of the content; throws perrin::Error
  std::optional<ProbeResult> find(const std::string& sha256) const;
  void store(const std::string& sha256, const ProbeResult& result);  // any thread
  void save_hashes();

 private:
  struct Known {
    FileIdentity identity;
    std::string sha256;
  };
  void load_hashes();
  std::filesystem::path entry(const std::string& sha256) const;

  std::filesystem::path folder_;
  std::string host_;  // what the host was built as
  std::map<std::string, Known> files_;
  bool changed_ = false;
};

}  // namespace perrin::loader
