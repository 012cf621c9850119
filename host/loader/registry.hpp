// Loads plugin libraries into this process and keeps them for its life.
#pragma once

#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "perrin/abi.h"

namespace perrin::loader {

// What a host gives to the plugins that it loads. All live as long as the process.
struct Host {
  const perrin_host* portable = nullptr;  // for tier A
  const perrin_host* native = nullptr;    // for tier B, once the fingerprint has been compared; null: tier B is refused
  perrin_fingerprint fingerprint = {};
};

// A loaded library; valid as long as the process, as is everything that its entry points to.
struct Library {
  std::string file;    // canonical path
  std::string sha256;  // of the file when it was loaded
  perrin_note note = {};
  const perrin_entry_table* entry = nullptr;
  const char* crumb = nullptr;  // `file`, for breadcrumbs

  // The component whose id or alias is `id`, or null. `kind`: "sampler".
  const perrin_component* find(std::string_view kind, std::string_view id) const;
  std::vector<const perrin_component*> components(std::string_view kind) const;
};

// "perrin.kind.<kind>/1".
std::string kind_id(std::string_view kind);
// The kinds that this host knows, sorted.
const std::vector<std::string>& known_kinds();

// One per process. Libraries are never unloaded (docs/decisions/never-dlclose.md), also not with the registry. It loads
// what it is told to; whether a component may be used is Index::require's to say.
class Registry {
 public:
  explicit Registry(Host host) : host_(host) {}

  // Checks the file, its note and the fingerprint, loads it (now, local), checks the entry, calls init. Again: the same
  // library. `pin`: the SHA-256 that the file must have, compared before anything of it runs; empty: any. Any thread.
  // Throws perrin::Error that names file, reason and fix.
  const Library& load(const std::filesystem::path& file, std::string_view pin = {});

  // In the order of loading.
  std::vector<const Library*> loaded() const;

 private:
  Host host_;
  mutable std::mutex mutex_;
  std::map<std::string, const Library*> by_file_;
  std::vector<const Library*> order_;
};

// Everything that can be known without executing anything: trust, ELF, note, compatibility. Throws perrin::Error.
perrin_note check_file(const std::filesystem::path& file, const perrin_fingerprint& host);

}  // namespace perrin::loader
