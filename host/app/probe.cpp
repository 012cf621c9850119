// perrin-probe FILE: looks at one plugin in this process, so that the process that asked survives whatever the plugin
// does. Writes the lines of host/loader/probe.hpp to stdout; what the plugin prints goes elsewhere and is a fault.
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

#include "host/base/standard_files.hpp"
#include "host/loader/describe.hpp"
#include "host/services/component.hpp"
#include "host/services/first_calls.hpp"
#include "host/services/host.hpp"

namespace {

using nlohmann::json;
using perrin::Error;
namespace config = perrin::config;
namespace loader = perrin::loader;
namespace services = perrin::services;

int report_to = -1;

void write_line(const json& object) {
  const std::string line = object.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
  for (size_t done = 0; done < line.size();) {
    const ssize_t n = ::write(report_to, line.data() + done, line.size() - done);
    if (n <= 0) ::_exit(1);  // nobody listens any more
    done += static_cast<size_t>(n);
  }
}

void write_step(const char* component, const char* call) {
  json step = {{"call", call}};
  if (component != nullptr) step["component"] = component;
  write_line({{"step", step}});
}

void limit(int resource, rlim_t value) {
  const rlimit limits = {value, value};
  ::setrlimit(static_cast<__rlimit_resource>(resource), &limits);
}

// Keeps a runaway plugin from taking the machine along; not a sandbox.
void limit_resources() {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_CPU, 300);         // s
  limit(RLIMIT_FSIZE, 1u << 30);  // bytes
#ifndef __SANITIZE_ADDRESS__
  limit(RLIMIT_DATA, rlim_t{16} << 30);  // bytes
#endif
}

// The parent reads how this process ended, so nobody else (a sanitizer, a preloaded library) may answer a crash.
void leave_signals_alone() {
  for (int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) ::signal(number, SIG_DFL);
}

// stdout becomes a file in memory. Returns the real one.
int take_stdout() {
  const int real = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 10);
  const int memory = ::memfd_create("stdout", MFD_CLOEXEC);
  if (real < 0 || memory < 0 || ::dup2(memory, STDOUT_FILENO) < 0) throw Error("cannot redirect standard output");
  return real;
}

void check_silence(const std::string& file) {
  std::cout.flush();
  std::fflush(stdout);
  struct stat info;
  if (::fstat(STDOUT_FILENO, &info) == 0 && info.st_size != 0)
    throw Error("prints to standard output, which belongs to the program", file, "write through perrin.log/1");
}

std::map<std::string, config::Value> defaults(const config::Factory& factory) {
  std::map<std::string, config::Value> values;
  for (const auto& key : factory.keys)
    if (key.default_value) values[key.name] = *key.default_value;
  return values;
}

// A status is an answer (a data set may be missing here); only breaking the rules of the ABI is a fault.
void try_out(const loader::Library& library, const config::Factory& factory) {
  for (const auto& key : factory.keys)
    if (key.required) return;
  try {
    services::Component component(library, *library.find(factory.kind, factory.id), factory.kind, defaults(factory), 0);
    services::try_first_calls(component);
  } catch (const services::Misbehaviour&) {
    throw;
  } catch (const services::PluginError&) {
  }
}

void look_at(const std::string& file) {
  loader::Registry registry(services::loader_host());
  const auto& library = registry.load(file);
  const auto factories = loader::describe(library);
  for (const auto& factory : factories) write_line({{"component", config::to_json(factory)}});
  for (const auto& factory : factories) try_out(library, factory);
  if (library.entry->deinit != nullptr) {
    loader::Inside mark(library.crumb, nullptr, "deinit");
    library.entry->deinit();
  }
  check_silence(file);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 || std::string(argv[1]).starts_with("-")) {
    std::cerr << "usage: perrin-probe FILE\nexample: perrin-probe lib/perrin/plugins/perrin-schedules.so\n";
    return static_cast<int>(perrin::Exit::usage);
  }
  try {
    perrin::reserve_standard_files();
    limit_resources();
    leave_signals_alone();
    report_to = take_stdout();
    loader::on_enter = [](const loader::Breadcrumb& crumb) { write_step(crumb.component, crumb.call); };
    look_at(argv[1]);
    write_line({{"done", true}});
    write_step(nullptr, "its static destruction");
    return 0;
  } catch (const Error& error) {
    std::string what = error.what();
    if (const auto* wrong = dynamic_cast<const services::PluginError*>(&error)) what += ", at " + wrong->where;
    write_line({{"problem", {{"what", what}, {"fix", error.fix}}}});
  } catch (const std::exception& error) {
    write_line({{"problem", {{"what", std::string("cannot be probed: ") + error.what()}, {"fix", "report it"}}}});
  }
  return static_cast<int>(perrin::Exit::failed);
}
