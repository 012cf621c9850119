// The services that reach the program's user: log, progress, cancel, artifact paths.
#include <string>

#include "host/config/text.hpp"
#include "host/loader/breadcrumb.hpp"
#include "host/services/session.hpp"
#include "host/services/status.hpp"
#include "host/services/tables.hpp"

namespace perrin::services {
namespace {

const char* speaker() { return loader::here.library == nullptr ? "plugin" : loader::here.library; }

void write_log(uint32_t level, perrin_text given) try {
  Session::here().log(level, speaker(), config::printable(checked(given, "a line of the log", 1 << 16)));
} catch (...) {
}

void report(uint64_t done, uint64_t total, perrin_text what) try {
  Session::here().progress(done, total, config::printable(checked(what, "what progress counts")));
} catch (...) {
}

int32_t cancelled() try { return Session::here().asked_to_stop() ? 1 : 0; } catch (...) {
  return 0;
}

perrin_status* find(perrin_text name, perrin_text* path) {
  return as_status([&] {
    const char* component = loader::here.component;
    const auto found = Session::here().find(checked(name, "a file's name"), component == nullptr ? "" : component);
    *path = text(loader::keep_text(found.c_str()));
  });
}

}  // namespace

const perrin_host_log log_table = {sizeof(perrin_host_log), 0, write_log};
const perrin_host_progress progress_table = {sizeof(perrin_host_progress), 0, report, cancelled};
const perrin_host_artifact artifact_table = {sizeof(perrin_host_artifact), 0, find};

}  // namespace perrin::services
