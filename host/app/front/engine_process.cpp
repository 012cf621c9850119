#include "host/app/front/engine_process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string>

#include "host/base/error.hpp"
#include "host/loader/crumbs.hpp"

namespace perrin::app {
namespace {

constexpr int kPassedOn[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH, SIGCONT};

sigset_t watched_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : kPassedOn) sigaddset(&set, number);
  sigaddset(&set, SIGTSTP);
  sigaddset(&set, SIGCHLD);
  return set;
}

// In a process group of its own, so that a Ctrl-C comes once: here, and is passed on. It does not outlive this process.
// SIGINT and SIGTERM stay blocked until the engine has its handlers.
pid_t start(const std::filesystem::path& engine, char** argv, int crumbs, const sigset_t& before) {
  const pid_t parent = ::getpid(), child = ::fork();
  if (child < 0) throw Error(std::string("cannot start perrin-engine: ") + std::strerror(errno), engine.string());
  if (child > 0) return child;
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  ::signal(SIGTTOU, SIG_IGN);  // it may write to the terminal from where it is
  if (crumbs >= 0) {
    ::fcntl(crumbs, F_SETFD, 0);
    ::setenv("PERRIN_CRUMBS", std::to_string(crumbs).c_str(), 1);
  }
  sigset_t held = before;
  sigaddset(&held, SIGINT);
  sigaddset(&held, SIGTERM);
  sigprocmask(SIG_SETMASK, &held, nullptr);
  ::execv(engine.c_str(), argv);
  std::cerr << Error(std::string("cannot start perrin-engine: ") + std::strerror(errno), engine.string(),
                     "install Perrin again").message();
  ::_exit(1);
}

// waitpid's status, once the child has ended. A stopped child stops this process too, as a shell's job does.
int wait_for(pid_t child, const sigset_t& watched) {
  for (;;) {
    siginfo_t info;
    const int number = ::sigwaitinfo(&watched, &info);
    if (number == SIGCHLD) {
      int status = 0;
      if (::waitpid(child, &status, WNOHANG | WUNTRACED) != child) continue;
      if (!WIFSTOPPED(status)) return status;
      ::raise(SIGSTOP);
    } else if (number > 0) {
      ::kill(child, number);
    }
  }
}

std::string how(int status) {
  if (WIFEXITED(status)) return "its process left with exit code " + std::to_string(WEXITSTATUS(status));
  return std::string("its process was ended by a signal (") + ::strsignal(WTERMSIG(status)) + ")";
}

// What nobody explained yet.
void explain(int status, const std::string& latest) {
  const std::string resume = "the run can be resumed";
  if (WIFSIGNALED(status) && (WTERMSIG(status) == SIGKILL || latest.empty())) {
    std::cerr << Error("perrin-engine did not come to its end: " + how(status), latest.empty() ? "" : "the latest call: " + latest,
                       "if memory ran out, lower batch_size or the model's size; " + resume).message();
  } else if (latest.empty()) {
    std::cerr << Error("perrin-engine did not begin: " + how(status), "", "install Perrin again").message();
  } else {
    std::cerr << Error("a plugin ended the program: " + how(status) + " before the command was done", "the latest call: " + latest,
                       "report it to the plugin's author, or use another component; " + resume).message();
  }
}

}  // namespace

int run_engine(const std::filesystem::path& engine, char** argv) {
  const sigset_t watched = watched_signals();
  sigset_t before;
  sigprocmask(SIG_BLOCK, &watched, &before);
  const int file = loader::make_crumbs_file();
  const loader::Crumbs* crumbs = loader::map_crumbs(file);
  const int status = wait_for(start(engine, argv, file, before), watched);
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  if (crumbs == nullptr) return code;
  const uint32_t ended = crumbs->ended;
  if (WIFEXITED(status) && ended == 256 + static_cast<uint32_t>(code)) return code;
  if (crumbs->reported == 0 && !(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE)) explain(status, loader::latest_call(*crumbs));
  return code == 0 ? static_cast<int>(Exit::failed) : code;
}

}  // namespace perrin::app
