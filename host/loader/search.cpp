#include "host/loader/search.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "host/base/environment.hpp"
#include "host/loader/layout.hpp"
#include "host/loader/private_folder.hpp"

namespace perrin::loader {
namespace {

namespace fs = std::filesystem;

// The specification of the XDG base directories ignores relative paths.
fs::path xdg_folder(const char* name, const char* below_home) {
  fs::path given(variable(name));
  if (given.is_absolute()) return given;
  fs::path home(variable("HOME"));
  return home.empty() ? fs::path() : home / below_home;
}

}  // namespace

CacheRoot cache_root() {
  const fs::path base = xdg_folder("XDG_CACHE_HOME", ".cache");
  if (base.empty()) return {{}, "neither HOME nor XDG_CACHE_HOME says where it could lie"};
  std::string problem = private_folder_problem(base / "perrin", Others::may_read);  // LibTorch may lie there, for all
  if (!problem.empty()) return {{}, problem};
  return {base / "perrin", ""};
}

std::string cache_note() {
  static bool told = false;
  const std::string problem = std::exchange(told, true) ? "" : cache_root().problem;
  if (problem.empty()) return "";
  return "note: nothing is kept in a cache: " + problem + "; set XDG_CACHE_HOME to a folder of yours\n";
}

fs::path cache_folder(std::string_view name) {
  const CacheRoot root = cache_root();
  if (root.path.empty() || !private_folder_problem(root.path / name).empty()) return {};
  return root.path / name;
}

Places default_places() {
  Places places;
  const Layout here = layout();
  places.roots.push_back(here.libraries / "plugins");
  std::string_view rest = variable("PERRIN_PLUGIN_PATH");
  while (!rest.empty()) {
    const size_t end = rest.find(':');
    if (end != 0) places.named.emplace_back(places.roots.emplace_back(rest.substr(0, end)));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  if (auto data = xdg_folder("XDG_DATA_HOME", ".local/share"); !data.empty())
    places.roots.push_back(data / "perrin/plugins");
  places.cache = cache_folder("index");
  places.probe = here.helpers / "perrin-probe";
  return places;
}

std::vector<fs::path> find_libraries(const std::vector<fs::path>& roots) {
  std::vector<fs::path> found;
  std::set<fs::path> seen;
  for (const auto& root : roots) {
    std::error_code none;
    std::vector<fs::path> names;
    for (fs::directory_iterator entry(root, none), end; entry != end; entry.increment(none))
      if (entry->path().extension() == ".so" && !entry->is_directory(none)) names.push_back(entry->path());
    std::sort(names.begin(), names.end());
    for (const auto& name : names) {
      auto file = fs::canonical(name, none);
      if (file.empty()) file = fs::absolute(name, none);  // a dangling link is listed, as unusable
      if (seen.insert(file).second) found.push_back(file);
    }
  }
  return found;
}

}  // namespace perrin::loader
