#include "host/services/process_state.hpp"

#include <ATen/Context.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <clocale>
#include <cstring>
#include <fstream>

#include "host/services/status.hpp"

namespace perrin::services {
namespace {

using State = ProcessState;

// Copies of the standard files and of the working folder, to put them back from.
struct Kept {
  std::array<int, 3> files;
  int folder;
};
const Kept& kept() {
  static const Kept one = [] {
    Kept made{};
    for (int i = 0; i < 3; ++i) made.files[static_cast<size_t>(i)] = ::fcntl(i, F_DUPFD_CLOEXEC, 10);
    made.folder = ::open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    return made;
  }();
  return one;
}

State::File file_of(const struct stat& info) { return {info.st_dev, info.st_ino}; }

// umask(2) tells only while it sets, and a file may be made in between.
uint32_t read_umask() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("Umask:")) return static_cast<uint32_t>(std::stoul(line.substr(6), nullptr, 8));
  return 0;
}

constexpr std::array<std::pair<at::Float32Backend, at::Float32Op>, 5> kPrecisions = {
    {{at::Float32Backend::GENERIC, at::Float32Op::ALL},
     {at::Float32Backend::MKLDNN, at::Float32Op::MATMUL},
     {at::Float32Backend::MKLDNN, at::Float32Op::CONV},
     {at::Float32Backend::CUDA, at::Float32Op::MATMUL},
     {at::Float32Backend::CUDA, at::Float32Op::CONV}}};

std::string read_precision() {
  std::string all;
  for (const auto& [backend, op] : kPrecisions)
    all += static_cast<char>('0' + static_cast<int>(at::globalContext().float32Precision(backend, op)));
  return all;
}

void restore_precision(const std::string& all) {
  at::globalContext().setFloat32MatmulPrecision("highest");
  for (size_t i = 0; i < all.size(); ++i)
    at::globalContext().setFloat32Precision(kPrecisions[i].first, kPrecisions[i].second,
                                            static_cast<at::Float32Precision>(all[i] - '0'));
}

bool same(const struct sigaction& a, const struct sigaction& b) {
  return a.sa_sigaction == b.sa_sigaction && a.sa_flags == b.sa_flags;
}

std::string restore_signals(const State& before, const State& now) {
  std::string names;
  for (size_t i = 0; i < State::kSignals.size(); ++i) {
    if (same(before.handlers[i], now.handlers[i])) continue;
    names += (names.empty() ? "SIG" : ", SIG") + std::string(::sigabbrev_np(State::kSignals[i]));
    ::sigaction(State::kSignals[i], &before.handlers[i], nullptr);
  }
  return names.empty() ? "" : "set a handler of its own for " + names + ", which are the program's";
}

std::string restore_files(const State& before, const State& now) {
  std::string what;
  constexpr const char* kNames[] = {"input", "output", "error"};
  for (size_t i = 0; i < 3; ++i) {
    if (before.files[i] == now.files[i]) continue;
    what = std::string("closed or replaced standard ") + kNames[i] + ", which belongs to the program";
    if (kept().files[i] >= 0) ::dup2(kept().files[i], static_cast<int>(i));
  }
  return what;
}

bool blocks_same(const sigset_t& a, const sigset_t& b) {
  for (const int number : State::kSignals)
    if (::sigismember(&a, number) != ::sigismember(&b, number)) return false;
  return true;
}

std::string restore(const State& before, const State& now) {
  if (const std::string what = restore_files(before, now); !what.empty()) return what;
  if (const std::string what = restore_signals(before, now); !what.empty()) return what;
  if (!blocks_same(before.blocked, now.blocked)) {
    ::pthread_sigmask(SIG_SETMASK, &before.blocked, nullptr);
    return "left signals blocked";
  }
  if (before.umask != now.umask) {
    ::umask(before.umask);
    return "changed the process's umask";
  }
  if (!(before.folder == now.folder)) {
    if (kept().folder >= 0 && ::fchdir(kept().folder) != 0) return "changed the working folder, which cannot be put back";
    return "changed the process's working folder";
  }
  if (before.locale != now.locale) {
    std::setlocale(LC_ALL, before.locale.c_str());
    return "changed the process's locale";
  }
  if (before.precision != now.precision) {
    restore_precision(before.precision);
    return "changed LibTorch's float32 precision (TF32, matmul precision)";
  }
  return {};
}

}  // namespace

ProcessState read_process() {
  kept();
  State state;
  for (size_t i = 0; i < State::kSignals.size(); ++i) ::sigaction(State::kSignals[i], nullptr, &state.handlers[i]);
  ::pthread_sigmask(SIG_BLOCK, nullptr, &state.blocked);
  struct stat info;
  for (int i = 0; i < 3; ++i)
    if (::fstat(i, &info) == 0) state.files[static_cast<size_t>(i)] = file_of(info);
  if (::stat(".", &info) == 0) state.folder = file_of(info);
  state.umask = read_umask();
  if (const char* locale = std::setlocale(LC_ALL, nullptr)) state.locale = locale;
  state.precision = read_precision();
  return state;
}

void check_process(const ProcessState& before, const loader::Breadcrumb& call) {
  const std::string what = restore(before, read_process());
  if (what.empty()) return;
  for (int more = 0; more < 8 && !restore(before, read_process()).empty(); ++more) {  // one difference at a time
  }
  throw Misbehaviour("the plugin " + what, describe(call));
}

}  // namespace perrin::services
