// What a folder of shards and each shard hold, by name.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tar.hpp"

namespace perrin::datasets {

// Members that share a name up to the first dot behind their folders.
struct ShardSample {
  std::optional<TarMember> image, cls, caption;
};

// The paths of the .tar files of a folder, sorted. What else looks like a shard goes into `tally`. Throws Failure if
// there are none.
std::vector<std::string> list_shards(const std::filesystem::path& folder, Tally& tally);

// The samples of one shard that have an image, in its order. What is passed over goes into `tally`. Throws Failure with
// path and name for a member that is there twice, and for two images of one sample.
std::vector<ShardSample> list_samples(const RegularFile& shard, Tally& tally);

}  // namespace perrin::datasets
