// The services that reach the program's user: log, progress, cancel, artifact paths.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>

#include "host/config/text.hpp"
#include "host/loader/breadcrumb.hpp"
#include "host/services/hooks.hpp"
#include "host/services/status.hpp"
#include "host/services/tables.hpp"

namespace perrin::services {
namespace {

namespace fs = std::filesystem;

Hooks& hooks() {
  static auto* installed = new Hooks;
  return *installed;
}

std::string_view speaker() {
  if (loader::here.library == nullptr) return "plugin";
  std::string_view path = loader::here.library;
  return path.substr(path.rfind('/') + 1);
}

void write_log(uint32_t level, perrin_text given) try {
  auto plugin = speaker();
  const std::string words = config::printable(checked(given, "a line of the log", 1 << 16));
  const perrin_text line = text(words);
  if (hooks().log) return hooks().log(level, plugin, view(line));
  if (level == PERRIN_LOG_DEBUG) return;
  std::fprintf(stderr, "%.*s: %s%.*s\n", static_cast<int>(plugin.size()), plugin.data(),
               level == PERRIN_LOG_WARNING ? "warning: " : "", static_cast<int>(line.size), line.data);
} catch (...) {
}

void report(uint64_t done, uint64_t total, perrin_text what) try {
  if (hooks().progress) hooks().progress(done, total, config::printable(checked(what, "what progress counts")));
} catch (...) {
}

int32_t cancelled() try { return asked_to_stop() ? 1 : 0; } catch (...) {
  return 0;
}

std::vector<fs::path> data_folders() {
  auto folders = hooks().data_folders;
  std::error_code none;
  folders.push_back(fs::current_path(none));
  const char* listed = std::getenv("PERRIN_DATA");
  std::string_view rest = listed == nullptr ? "" : listed;
  while (!rest.empty()) {
    auto end = rest.find(':');
    if (end != 0) folders.emplace_back(rest.substr(0, end));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  folders.emplace_back("/usr/share/datasets");
  return folders;
}

struct Finds {
  std::mutex mutex;
  std::vector<Artifact> all;
};
Finds& finds() {
  static auto* kept = new Finds;
  return *kept;
}

void remember(std::string name, fs::path path) {
  const char* component = loader::here.component;
  Artifact artifact{component == nullptr ? "" : component, std::move(name), std::move(path)};
  const std::lock_guard lock(finds().mutex);
  auto& all = finds().all;
  if (std::find(all.begin(), all.end(), artifact) == all.end()) all.push_back(std::move(artifact));
}

perrin_status* find(perrin_text name, perrin_text* path) {
  return as_status([&] {
    fs::path wanted(checked(name, "a file's name"));
    std::string tried;
    for (const auto& folder : data_folders()) {
      std::error_code none;
      fs::path candidate = fs::absolute(folder / wanted, none).lexically_normal();
      const fs::file_status status = fs::status(candidate, none);
      if (fs::exists(status)) {
        if (!fs::is_regular_file(status) && !fs::is_directory(status))  // a pipe would be waited for
          throw Fault(PERRIN_IO, candidate.string() + " is no file or folder but a pipe, a socket or a device");
        *path = text(loader::keep_text(candidate.c_str()));
        remember(wanted.string(), candidate);
        return;
      }
      tried += "\n    " + candidate.string();
      if (wanted.is_absolute()) break;
    }
    throw Fault(PERRIN_IO, "there is no file or folder \"" + wanted.string() + "\"; looked for" + tried +
                               "\n  give an absolute path, or add its folder to PERRIN_DATA");
  });
}

}  // namespace

void set_hooks(Hooks installed) {
  hooks() = std::move(installed);
  const std::lock_guard lock(finds().mutex);
  finds().all.clear();
}

std::vector<Artifact> artifacts() {
  const std::lock_guard lock(finds().mutex);
  return finds().all;
}

void warn(std::string_view library, std::string_view line) noexcept try {
  const std::string_view name = library.substr(library.rfind('/') + 1);
  if (hooks().log) return hooks().log(PERRIN_LOG_WARNING, name, line);
  std::fprintf(stderr, "%.*s: warning: %.*s\n", static_cast<int>(name.size()), name.data(), static_cast<int>(line.size()),
               line.data());
} catch (...) {
}

bool asked_to_stop() { return hooks().cancelled && hooks().cancelled(); }

Offer find_component(const std::string& kind, const std::string& use) {
  if (!hooks().component) throw Error("this program opens no " + kind + " for a component: \"" + use + "\"");
  return hooks().component(kind, use);
}

const perrin_host_log log_table = {sizeof(perrin_host_log), 0, write_log};
const perrin_host_progress progress_table = {sizeof(perrin_host_progress), 0, report, cancelled};
const perrin_host_artifact artifact_table = {sizeof(perrin_host_artifact), 0, find};

}  // namespace perrin::services
