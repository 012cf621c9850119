// Weights of other programs: one safetensors file, or shards with an index.
#pragma once

#include <filesystem>

#include "host/store/safetensors.hpp"

namespace perrin::store {

// The tensors of a safetensors file; of all shards that "NAME.safetensors.index.json" lists, which lie beside it; or of a
// folder that holds one such file or index alone. Throws Error that calls other files what they are, says how to convert
// them, and names a shard that is missing or has not what the index says.
SafeTensors open_weights(const std::filesystem::path& path);

}  // namespace perrin::store
