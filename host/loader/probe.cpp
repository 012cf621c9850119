#include "host/loader/probe.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstring>
#include <nlohmann/json.hpp>

#include "host/base/error.hpp"
#include "perrin/cpp/json.hpp"

namespace perrin::loader {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;
constexpr size_t max_output = 16 << 20;  // bytes
constexpr int poll_interval_ms = 20;

struct Pipe {
  int ends[2] = {-1, -1};
  Pipe() {
    if (::pipe2(ends, O_CLOEXEC) != 0) throw Error(std::string("cannot make a pipe: ") + std::strerror(errno));
  }
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  void close_end(int i) {
    if (ends[i] >= 0) ::close(ends[i]);
    ends[i] = -1;
  }
};

// A running probe: its lines so far, and how it ended.
class Child {
 public:
  Child(const std::filesystem::path& program, const std::filesystem::path& file) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, lines_.ends[1], 1);
    posix_spawn_file_actions_adddup2(&actions, errors_.ends[1], 2);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    std::string name = program.string(), argument = file.string();
    char* argv[] = {name.data(), argument.data(), nullptr};
    int error = ::posix_spawn(&pid_, name.c_str(), &actions, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0)
      throw Error(std::string("cannot start the plugin probe: ") + std::strerror(error), name,
                  "build or install perrin-probe");
    lines_.close_end(1);
    errors_.close_end(1);
  }

  ~Child() {
    ::kill(-pid_, SIGKILL);  // also what the plugin itself may have started
    if (!ended_) ::waitpid(pid_, &status_, 0);
  }

  // Until the process has ended or the time is over. A grandchild that holds the pipes open does not hold this up.
  void wait(double seconds) {
    const auto deadline = Clock::now() + std::chrono::duration<double>(seconds);
    while (!ended_ && Clock::now() < deadline && output.size() < max_output) {
      const bool closed = lines_.ends[0] < 0 && errors_.ends[0] < 0;
      read_some(closed ? 1 : poll_interval_ms);
      ended_ = ::waitpid(pid_, &status_, WNOHANG) == pid_;
    }
    while (read_some(0)) {
    }
  }

  bool ended() const { return ended_; }
  int status() const { return status_; }
  std::string output, errors;

 private:
  bool read_some(int milliseconds) {
    std::array<pollfd, 2> files = {{{lines_.ends[0], POLLIN, 0}, {errors_.ends[0], POLLIN, 0}}};
    if (::poll(files.data(), files.size(), milliseconds) <= 0) return false;
    bool any = take(files[0], lines_, output);
    return take(files[1], errors_, errors) || any;
  }

  static bool take(const pollfd& file, Pipe& from, std::string& into) {
    if (file.revents == 0) return false;
    char buffer[65536];
    ssize_t n = ::read(file.fd, buffer, sizeof(buffer));
    if (n <= 0) from.close_end(0);
    if (n > 0 && into.size() < max_output) into.append(buffer, static_cast<size_t>(n));
    return n > 0 && into.size() < max_output;
  }

  Pipe lines_, errors_;
  pid_t pid_ = -1;
  bool ended_ = false;
  int status_ = 0;
};

struct Report {
  ProbeResult result;
  std::string step = "its first step";
  bool done = false;
};

void read_line(const std::string& line, Report& report) {
  if (nests_too_deep(line)) return;
  auto object = json::parse(line, nullptr, false);
  if (!object.is_object()) return;
  if (auto step = object.find("step"); step != object.end()) {
    report.step = step->value("call", "");
    if (auto component = step->value("component", ""); !component.empty()) report.step += " of component " + component;
  } else if (auto component = object.find("component"); component != object.end()) {
    report.result.components.push_back(config::factory_from_json(*component));
  } else if (auto problem = object.find("problem"); problem != object.end()) {
    report.result.problem = Problem{problem->value("what", ""), problem->value("fix", "")};
  } else if (object.contains("done")) {
    report.done = true;
  }
}

Report read_report(const std::string& output) {
  Report report;
  for (size_t at = 0, end; (end = output.find('\n', at)) != std::string::npos; at = end + 1) try {
      read_line(output.substr(at, end - at), report);
    } catch (const std::exception& fault) {
      report.result.problem = Problem{std::string("its description cannot be read: ") + fault.what(), "report it"};
    }
  return report;
}

// The last thing that it said on stderr, for the person who has to find the fault.
std::string last_words(const std::string& errors) {
  constexpr size_t most = 300;
  size_t end = errors.find_last_not_of(" \n\r\t");
  if (end == std::string::npos) return {};
  std::string text = errors.substr(0, end + 1);
  if (text.size() > most) text = "..." + text.substr(text.size() - most);
  for (char& c : text)
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
  return "; it said: " + text;
}

Problem how_it_ended(const Child& child, const Report& report, double seconds) {
  const std::string report_it = "report it to the plugin's author, or remove the file";
  if (!child.ended()) {
    char limit[32];
    std::snprintf(limit, sizeof(limit), "%g s", seconds);
    return {"hangs: not back after " + std::string(limit) + " in " + report.step, report_it};
  }
  const int status = child.status();
  if (WIFSIGNALED(status))
    return {"crashed (" + std::string(::strsignal(WTERMSIG(status))) + ") in " + report.step + last_words(child.errors),
            report_it};
  return {"ended the process (exit code " + std::to_string(WEXITSTATUS(status)) + ") in " + report.step +
              last_words(child.errors),
          report_it};
}

}  // namespace

ProbeResult probe(const std::filesystem::path& program, const std::filesystem::path& file, double seconds) {
  Child child(program, file);
  child.wait(seconds);
  Report report = read_report(child.output);
  const bool well = report.done && child.ended() && child.status() == 0;
  if (!well && !report.result.problem) report.result.problem = how_it_ended(child, report, seconds);
  return std::move(report.result);
}

}  // namespace perrin::loader
