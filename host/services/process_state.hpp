// What a plugin could change of the process behind the host's back, and what is dearer to look at than services/guard.hpp's
// state: looked at in creation and in a component's first calls.
#pragma once

#include <signal.h>

#include <array>
#include <cstdint>
#include <string>

#include "host/loader/breadcrumb.hpp"

namespace perrin::services {

struct ProcessState {
  static constexpr std::array<int, 10> kSignals = {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGCHLD,
                                                   SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
  struct File {
    uint64_t device = 0, inode = 0;
    bool operator==(const File&) const = default;
  };
  std::array<struct sigaction, kSignals.size()> handlers;
  sigset_t blocked;
  std::array<File, 3> files;  // standard input, output and error; zeros: closed
  File folder;                // the working one
  uint32_t umask = 0;
  std::string locale;
  std::string precision;  // LibTorch's float32 precision by backend
};
ProcessState read_process();

// Puts back what differs and throws Misbehaviour that names it.
void check_process(const ProcessState& before, const loader::Breadcrumb& call);

}  // namespace perrin::services
