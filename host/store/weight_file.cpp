#include "host/store/weight_file.hpp"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "host/base/error.hpp"

namespace perrin::store {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kIndex = ".index.json";
constexpr size_t kMaxIndex = 100'000'000;  // as a safetensors header

[[noreturn]] void refuse(const fs::path& index, const std::string& reason) {
  throw Error("the index " + index.string() + " " + reason, index.string(),
              "download it again with its shards, or name one safetensors file");
}

using Map = std::map<std::string, std::string>;  // tensor -> shard

Map weight_map(const fs::path& index) {
  std::error_code failed;
  const auto bytes = fs::file_size(index, failed);
  if (failed || bytes > kMaxIndex) refuse(index, failed ? "cannot be read: " + failed.message() : "is too large");
  std::ifstream in(index, std::ios::binary);
  const auto json = nlohmann::json::parse(in, nullptr, false);
  if (!json.is_object() || !json.contains("weight_map") || !json["weight_map"].is_object())
    refuse(index, "has no \"weight_map\"");
  Map map;
  for (const auto& [tensor, shard] : json["weight_map"].items()) {
    if (!shard.is_string()) refuse(index, "names no shard of \"" + tensor + "\"");
    const fs::path name = shard.get<std::string>();
    if (name.empty() || name.has_parent_path() || name == "..")
      refuse(index, "names \"" + name.string() + "\", which is no file beside it");
    map.emplace(tensor, name.string());
  }
  return map;
}

SafeTensors open_shards(const fs::path& index) {
  const Map map = weight_map(index);
  std::set<std::string> shards;
  for (const auto& [tensor, shard] : map) shards.insert(shard);
  if (shards.empty()) refuse(index, "lists no tensor");
  SafeTensors all;
  for (const std::string& shard : shards) {
    const fs::path file = index.parent_path() / shard;
    std::error_code ignored;
    if (!fs::exists(file, ignored)) refuse(index, "lists the shard " + shard + ", which is not there");
    SafeTensors one = SafeTensors::open(file, Checksum::if_present);
    for (const auto& [tensor, in] : map)
      if (in == shard && !one.find(tensor))
        refuse(index, "says that " + shard + " has \"" + tensor + "\", and it has not");
    for (const std::string& tensor : one.names())
      if (all.find(tensor)) refuse(index, "lists two shards that both have \"" + tensor + "\"");
    all.take(std::move(one));
  }
  return all;
}

// The one index, else the one safetensors file, of a folder.
fs::path within(const fs::path& folder) {
  std::vector<fs::path> indices, files;
  std::string deeper;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(kIndex)) indices.push_back(entry.path());
    if (name.ends_with(".safetensors")) files.push_back(entry.path());
    if (entry.is_directory()) deeper += (deeper.empty() ? " its folders: " : ", ") + name;
  }
  if (indices.size() == 1) return indices.front();
  if (indices.empty() && files.size() == 1) return files.front();
  throw Error("the folder " + folder.string() + " has " + std::to_string(files.size()) + " safetensors files and " +
                  std::to_string(indices.size()) + " indices of shards;" + (deeper.empty() ? "" : deeper),
              folder.string(), "name the file");
}

}  // namespace

SafeTensors open_weights(const fs::path& path) {
  std::error_code ignored;
  const fs::path file = fs::is_directory(path, ignored) ? within(path) : path;
  return file.filename().string().ends_with(kIndex) ? open_shards(file) : SafeTensors::open(file, Checksum::if_present);
}

}  // namespace perrin::store
