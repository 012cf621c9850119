#include "host/loader/index.hpp"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <exception>
#include <thread>

#include "host/loader/compatible.hpp"
#include "host/loader/elf.hpp"
#include "host/loader/file.hpp"
#include "host/loader/index_cache.hpp"
#include "host/loader/libtorch.hpp"
#include "host/loader/trust.hpp"

namespace perrin::loader {
namespace {

std::string base_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

// What needs no probe: is this a file that we would load at all? Fills tier; a problem is not cached, since none of it
// costs.
void look(const std::string& file, Listed& listed) try {
  require_trusted(file);
  MappedFile bytes(file);
  auto note = read_note(read_elf(bytes.bytes(), file), file);
  check_version(note, file);
  listed.tier = tier_name(note.tier);
} catch (const Error& error) {
  listed.problem = Problem{error.what(), error.fix};
}

void accept(ProbeResult result, Listed& listed) {
  listed.components = std::move(result.components);
  listed.problem = std::move(result.problem);
  for (auto& factory : listed.components) factory.library = listed.file, factory.tier = listed.tier;
}

void probe_into(const Places& places, IndexCache& cache, Listed& listed) {
  auto result = probe(places.probe, listed.file, probe_seconds());
  cache.store(listed.sha256, result);
  accept(std::move(result), listed);
}

// Runs `work(i)` for each index on a few threads; the first exception is thrown again.
template <class Work>
void for_each_parallel(const std::vector<size_t>& indices, Work work) {
  std::atomic<size_t> next{0};
  std::exception_ptr fault;
  std::atomic_flag failed = ATOMIC_FLAG_INIT;
  auto loop = [&] {
    for (size_t i; (i = next++) < indices.size();) try {
        work(indices[i]);
      } catch (...) {
        if (!failed.test_and_set()) fault = std::current_exception();
      }
  };
  std::vector<std::thread> threads;
  const size_t n = std::min<size_t>({indices.size(), std::max(1u, std::thread::hardware_concurrency()), 4});
  for (size_t i = 1; i < n; ++i) threads.emplace_back(loop);
  loop();
  for (auto& thread : threads) thread.join();
  if (fault) std::rethrow_exception(fault);
}

}  // namespace

double probe_seconds() {
  const char* given = std::getenv("PERRIN_PROBE_TIMEOUT");
  double seconds = given == nullptr ? 0 : std::atof(given);
  return seconds > 0 ? seconds : 20;
}

Index Index::scan(const Places& places) {
  Index index;
  index.places_ = places;
  IndexCache cache(places);
  std::error_code none;
  const auto own = places.roots.empty() ? std::filesystem::path() : std::filesystem::canonical(places.roots.front(), none);
  std::vector<size_t> unknown;
  for (const auto& path : find_libraries(places.roots)) {
    Listed listed;
    listed.file = path.string();
    listed.own = path.parent_path() == own;
    look(listed.file, listed);
    if (!listed.problem) {
      listed.sha256 = cache.hash(listed.file);
      if (auto known = cache.find(listed.sha256))
        accept(std::move(*known), listed);
      else
        unknown.push_back(index.libraries_.size());
    }
    index.libraries_.push_back(std::move(listed));
  }
  if (!unknown.empty()) offer_libtorch();
  for_each_parallel(unknown, [&](size_t i) { probe_into(places, cache, index.libraries_[i]); });
  cache.save_hashes();
  return index;
}

config::Catalogue Index::catalogue() const {
  config::Catalogue all;
  for (const auto& library : libraries_)
    for (const auto& factory : library.components)
      if (config::find_factory(all, factory.kind, factory.id) == nullptr) all.push_back(factory);
  return all;
}

// A copy of the same file offers nothing else, and is no rival.
const Listed* Index::rival(const Listed& first, const std::string& kind, const std::string& id) const {
  for (const auto& library : libraries_)
    if (library.sha256 != first.sha256 && config::find_factory(library.components, kind, id) != nullptr)
      return &library;
  return nullptr;
}

std::vector<std::string> Index::conflicts() const {
  std::vector<std::string> lines;
  for (const auto& library : libraries_)
    for (const auto& factory : library.components)
      if (const Listed* other = rival(library, factory.kind, factory.id); other != nullptr && &library < other)
        lines.push_back(factory.kind + " \"" + factory.id + "\" is offered by " + library.file + " and " + other->file +
                        (library.own && !other->own ? "; the first is used" : ""));
  return lines;
}

void Index::require(const std::string& kind, const std::string& id) {
  auto offers = [&](const Listed& library) { return config::find_factory(library.components, kind, id) != nullptr; };
  const auto first = std::find_if(libraries_.begin(), libraries_.end(), offers);
  if (first == libraries_.end()) return;
  if (const Listed* other = rival(*first, kind, id); other != nullptr && (!first->own || other->own))
    throw Error(kind + " \"" + id + "\" is offered by two plugins", first->file + " and " + other->file,
                "remove one of the two files");
  if (!first->problem) return;
  offer_libtorch();
  IndexCache cache(places_);
  probe_into(places_, cache, *first);
  if (first->problem)
    throw Error(kind + " \"" + id + "\" cannot be used; its plugin: " + first->problem->what, first->file,
                first->problem->fix);
}

std::string Index::unusable_text() const {
  std::string text;
  for (const auto& library : libraries_)
    if (library.problem) text += base_name(library.file) + ": " + library.problem->what + "\n";
  for (const auto& root : places_.named)
    if (std::error_code none; !std::filesystem::is_directory(root, none))
      text += "PERRIN_PLUGIN_PATH names " + root.string() + ", which is no folder\n";
  return text;
}

}  // namespace perrin::loader
