// A run's folder: results/<name>/<run-id>/ with run.h5, experiment.toml, run.log, origin.txt, inputs.jsonl,
// checkpoints/ and samples/.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "host/config/load.hpp"

namespace perrin::runs {

struct Folder {
  std::filesystem::path path;

  std::filesystem::path results() const { return path / "run.h5"; }
  std::filesystem::path experiment() const { return path / "experiment.toml"; }
  std::filesystem::path origin() const { return path / "origin.txt"; }    // the folder of the experiment file, a line
  std::filesystem::path inputs() const { return path / "inputs.jsonl"; }  // what it reads, inputs.hpp
  std::filesystem::path log() const { return path / "run.log"; }
  std::filesystem::path checkpoints() const { return path / "checkpoints"; }
  std::filesystem::path samples() const { return path / "samples"; }
  std::string id() const { return path.filename().string(); }
};

// A new folder with origin.txt and experiment.toml as resolved: `out`, or results/<name>/<UTC time>-<first of the
// config hash>, with -2, -3 ... behind it where runs began in the same second. It appears whole, or not at all. Throws
// Error if `out` exists already or nothing can be written there.
Folder create_folder(const config::Loaded& loaded, const std::optional<std::filesystem::path>& out);

// Where a run's files named relatively are looked for first: in the run, then beside the experiment that it is of.
std::vector<std::filesystem::path> data_folders(const Folder& folder);

// An existing run, named by its folder or its run.h5. Throws Error if it is none, or never began.
Folder open_folder(const std::filesystem::path& path);

}  // namespace perrin::runs
