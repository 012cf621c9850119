#include "host/services/session.hpp"

#include <c10/core/Device.h>
#include <perrin/host/log.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "host/services/plugin_error.hpp"

namespace perrin::services {
namespace {

namespace fs = std::filesystem;

constinit thread_local Session* of_thread = nullptr;

std::shared_ptr<Session>& process_session() {
  static auto* session = new std::shared_ptr<Session>(std::make_shared<Session>());
  return *session;
}

}  // namespace

Session& Session::here() { return of_thread ? *of_thread : *process_session(); }
std::shared_ptr<Session> Session::of_process() { return process_session(); }
void Session::set_of_process(std::shared_ptr<Session> session) { process_session() = std::move(session); }

InSession::InSession(Session& session) : before_(of_thread) { of_thread = &session; }
InSession::~InSession() { of_thread = before_; }

c10::Device Session::device() const { return {static_cast<c10::DeviceType>(device_[0]), device_[1]}; }

void Session::set_device(c10::Device device) {
  device_[0] = static_cast<int8_t>(device.type());
  device_[1] = device.index();
}

std::vector<fs::path> Session::places() const {
  std::vector<fs::path> folders = hooks_.data_folders;
  std::error_code none;
  folders.push_back(fs::current_path(none));
  const char* listed = std::getenv("PERRIN_DATA");
  std::string_view rest = listed == nullptr ? "" : listed;
  while (!rest.empty()) {
    const size_t end = rest.find(':');
    if (end != 0) folders.emplace_back(rest.substr(0, end));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  folders.emplace_back("/usr/share/datasets");
  return folders;
}

fs::path Session::find(const std::string& name, std::string component) {
  const fs::path wanted(name);
  std::string tried;
  for (const fs::path& folder : places()) {
    std::error_code none;
    const fs::path candidate = fs::absolute(folder / wanted, none).lexically_normal();
    const fs::file_status status = fs::status(candidate, none);
    if (fs::exists(status)) {
      if (!fs::is_regular_file(status) && !fs::is_directory(status))  // a pipe would be waited for
        throw Fault(PERRIN_IO, candidate.string() + " is no file or folder but a pipe, a socket or a device");
      Artifact artifact{std::move(component), name, candidate};
      const std::lock_guard lock(mutex_);
      if (std::ranges::find(found_, artifact) == found_.end()) found_.push_back(std::move(artifact));
      return candidate;
    }
    tried += "\n    " + candidate.string();
    if (wanted.is_absolute()) break;
  }
  throw Fault(PERRIN_IO, "there is no file or folder \"" + name + "\"; looked for" + tried +
                             "\n  give an absolute path, or add its folder to PERRIN_DATA");
}

std::vector<Artifact> Session::artifacts() const {
  const std::lock_guard lock(mutex_);
  return found_;
}

Offer Session::find_component(const std::string& kind, const std::string& use) const {
  if (!hooks_.component) throw Error("this program opens no " + kind + " for a component: \"" + use + "\"");
  return hooks_.component(kind, use);
}

void Session::log(uint32_t level, std::string_view plugin, std::string_view line) const noexcept try {
  const std::string_view name = plugin.substr(plugin.rfind('/') + 1);
  if (hooks_.log) return hooks_.log(level, name, line);
  if (level == PERRIN_LOG_DEBUG) return;
  std::fprintf(stderr, "%.*s: %s%.*s\n", static_cast<int>(name.size()), name.data(),
               level == PERRIN_LOG_WARNING ? "warning: " : "", static_cast<int>(line.size()), line.data());
} catch (...) {
}

void Session::progress(uint64_t done, uint64_t total, std::string_view what) const {
  if (hooks_.progress) hooks_.progress(done, total, what);
}

}  // namespace perrin::services
