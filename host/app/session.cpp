#include "host/app/session.hpp"

#include <algorithm>
#include <iostream>
#include <memory>

#include "host/base/error.hpp"
#include "host/config/diagnostics.hpp"
#include "host/life/signals.hpp"
#include "host/loader/index.hpp"
#include "host/model/device.hpp"
#include "host/services/host.hpp"
#include "host/services/session.hpp"

namespace perrin::app {
namespace {

// What a plugin says goes to stderr, but for debugging; and to the log.
std::function<void(uint32_t, std::string_view, std::string_view)> speaker(std::shared_ptr<record::LogFile> log) {
  return [log = std::move(log)](uint32_t level, std::string_view plugin, std::string_view line) {
    constexpr const char* kLevels[] = {"debug", "info", "warning"};
    const std::string whole =
        std::string(kLevels[std::min(level, 2u)]) + " (" + std::string(plugin) + "): " + std::string(line);
    if (level > 0) std::cerr << whole + "\n";
    if (log && (level > 1 || log->is_open())) log->text(whole);
  };
}

// A component that nobody offers may be one of a library that cannot be used, or lie in a folder that is not there.
config::Loaded resolve(const std::filesystem::path& file, const std::vector<std::string>& set, const loader::Index& index) {
  try {
    return config::load(file, set, index.catalogue());
  } catch (const config::Diagnostics& diagnostics) {
    const auto unknown = [](const config::Diagnostic& d) { return d.message.find(" is called ") != std::string::npos; };
    const std::string unusable = index.unusable_text();
    if (unusable.empty() || std::none_of(diagnostics.entries.begin(), diagnostics.entries.end(), unknown)) throw;
    std::cerr << "note: these plugins cannot be used:\n" << unusable;
    throw;
  }
}

}  // namespace

loader::Registry& open_registry(std::vector<std::filesystem::path> data_folders, const Use& use) {
  services::Hooks hooks;
  hooks.log = speaker(use.log);
  hooks.cancelled = [] { return life::stop_signal() != 0; };
  hooks.data_folders = std::move(data_folders);
  static auto* registry = new loader::Registry(services::loader_host());  // plugins outlive everything
  hooks.component = services::offers_of(*registry, loader::default_places());
  auto session = std::make_shared<services::Session>(std::move(hooks));
  session->set_device(model::device_called(use.device));
  if (use.closely) session->look_closely();
  services::Session::set_of_process(std::move(session));
  return *registry;
}

config::Loaded load_experiment(const std::filesystem::path& file, const std::vector<std::string>& set) {
  std::cerr << loader::cache_note();
  loader::Index index = loader::Index::scan();
  config::Loaded loaded = resolve(file, set, index);
  for (const std::string& warning : loaded.warnings) std::cerr << warning;
  for (const config::Component* component : loaded.experiment.components())
    index.require(component->kind, component->use);
  stop_if_asked();
  return loaded;
}

config::Loaded load_recorded(const std::string& toml) {
  return config::load_text(toml, "the recorded experiment", {}, loader::Index::scan().catalogue());
}

void stop_if_asked() {
  if (life::stop_signal() != 0) throw Error("stopped before anything was written", {}, {}, Exit::interrupted);
}

config::Loaded load_other(const std::filesystem::path& file) { return load_experiment(file, {}); }

}  // namespace perrin::app
