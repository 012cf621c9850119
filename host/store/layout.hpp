// What a run file holds, fixed when it is created (schema perrin.run/1, docs/reference/run-h5.md).
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "host/store/evaluation.hpp"

namespace perrin::store {

inline constexpr const char* kSchema = "perrin.run/1";

// One number per row; float64, or int64 if `integer`. unit: "s", "1/s", "B", ... ("" = none). Write "s", not "seconds":
// xarray turns the long names into timedeltas.
struct Column {
  std::string name;
  bool integer = false;
  std::string unit, doc;
};

// /metrics/<name>/{step, wall_time, <columns>}. Names are non-empty, without '/', unique; a column is neither
// "step" nor "wall_time".
struct Group {
  std::string name;
  std::vector<Column> columns;
};

// /images/<tag>/{data uint8 [n, height, width, channels], step}; channels is 1 or 3.
struct ImageTag {
  std::string tag;
  int height = 0, width = 0, channels = 0;
  bool operator==(const ImageTag&) const = default;
};

struct Plugin {
  std::string id, kind, version, tier, file, sha256;
};

// One start or restart. step: rows after it were dropped (0 for the first); start_time: Unix seconds;
// dropped: metric rows and images that were dropped.
struct Segment {
  int64_t step = 0;
  double start_time = 0;
  int64_t dropped = 0;
};

struct Layout {
  std::string run_id, sweep_id, config_hash, config_toml, config_json;
  std::vector<std::pair<std::string, std::string>> params;      // flat key -> value, in the file's order
  std::vector<std::pair<std::string, std::string>> provenance;  // git_commit, argv, libtorch, ...
  std::vector<Plugin> plugins;
  std::vector<Group> groups;
  std::vector<ImageTag> images;
  std::vector<Evaluation> evaluations;
};

}  // namespace perrin::store
