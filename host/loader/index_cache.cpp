#include "host/loader/index_cache.hpp"

#include <mutex>
#include <nlohmann/json.hpp>

#include "host/base/digest.hpp"
#include "host/base/error.hpp"
#include "host/loader/elf.hpp"
#include "host/loader/private_folder.hpp"

namespace perrin::loader {
namespace {

using nlohmann::json;
constexpr int format = 1;

std::string host_build(const std::filesystem::path& probe) {
  if (auto id = build_id_of(probe); !id.empty()) return id;
  std::error_code missing;
  if (!std::filesystem::exists(probe, missing)) return "none";
  auto identity = identity_of(probe);
  return std::to_string(identity.size) + "-" + std::to_string(identity.modified_ns);
}

json read_json(const std::filesystem::path& file) {
  const auto text = read_private(file);
  if (!text) return {};
  auto object = json::parse(*text, nullptr, false);
  return object.is_object() && object.value("format", 0) == format ? object : json();
}

// What this process has probed, for an index without a folder.
struct Probed {
  std::mutex mutex;
  std::map<std::string, ProbeResult> results;  // by library's sha256
};
Probed& probed() {
  static auto* all = new Probed;
  return *all;
}

}  // namespace

IndexCache::IndexCache(const Places& places) : folder_(places.cache), host_(host_build(places.probe)) {
  if (!folder_.empty() && !private_folder_problem(folder_).empty()) folder_.clear();
  load_hashes();
}

void IndexCache::load_hashes() try {
  if (folder_.empty()) return;
  const json object = read_json(folder_ / "files.json");
  if (!object.is_object()) return;
  for (const auto& [path, e] : object.at("files").items())
    files_[path] = {{e.at(0), e.at(1), e.at(2), e.at(3), e.at(4)}, e.at(5)};
} catch (const std::exception&) {
  files_.clear();
}

std::string IndexCache::hash(const std::string& file) {
  const auto identity = identity_of(file);
  if (auto known = files_.find(file); known != files_.end() && known->second.identity == identity)
    return known->second.sha256;
  auto sha256 = sha256_of(file);
  if (settled(identity)) {
    files_[file] = {identity, sha256};
    changed_ = true;
  }
  return sha256;
}

std::filesystem::path IndexCache::entry(const std::string& sha256) const {
  return folder_ / (sha256_hex(sha256 + " " + host_) + ".json");
}

std::optional<ProbeResult> IndexCache::find(const std::string& sha256) const try {
  if (folder_.empty()) {
    const std::lock_guard lock(probed().mutex);
    const auto known = probed().results.find(sha256);
    return known == probed().results.end() ? std::nullopt : std::optional(known->second);
  }
  const json object = read_json(entry(sha256));
  if (!object.is_object()) return std::nullopt;
  ProbeResult result;
  for (const auto& component : object.at("components"))
    result.components.push_back(config::factory_from_json(component));
  if (auto problem = object.find("problem"); problem != object.end())
    result.problem = Problem{problem->at("what"), problem->at("fix")};
  return result;
} catch (const std::exception&) {
  return std::nullopt;
}

void IndexCache::store(const std::string& sha256, const ProbeResult& result) {
  if (folder_.empty()) {
    const std::lock_guard lock(probed().mutex);
    probed().results.insert_or_assign(sha256, result);
    return;
  }
  json object = {{"format", format}, {"components", json::array()}};
  for (const auto& factory : result.components) object["components"].push_back(config::to_json(factory));
  if (result.problem) object["problem"] = {{"what", result.problem->what}, {"fix", result.problem->fix}};
  write_private(entry(sha256), object.dump(1, ' ', false, json::error_handler_t::replace));
}

void IndexCache::save_hashes() {
  if (!changed_ || folder_.empty()) return;
  json files = json::object();
  for (const auto& [path, known] : files_) {
    std::error_code none;
    const auto& i = known.identity;
    if (std::filesystem::exists(path, none))
      files[path] = {i.device, i.inode, i.size, i.modified_ns, i.changed_ns, known.sha256};
  }
  write_private(folder_ / "files.json",
                json{{"format", format}, {"files", files}}.dump(1, ' ', false, json::error_handler_t::replace));
}

}  // namespace perrin::loader
