// What the components of one model are offered by its program: where tensors live, whom they speak to, what they find.
// Models with sessions of their own live side by side in one process.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "host/services/offer.hpp"

namespace c10 {
struct Device;
}

namespace perrin::services {

// Each function may be empty and is called from any thread. `plugin`: the file name of the library that speaks.
struct Hooks {
  std::function<void(uint32_t level, std::string_view plugin, std::string_view line)>
      log;  // PERRIN_LOG_*; empty: stderr
  std::function<void(uint64_t done, uint64_t total, std::string_view what)> progress;
  std::function<bool()> cancelled;
  std::vector<std::filesystem::path> data_folders;  // where artifact/1 looks first: the experiment file's folder
  Offers component;                                 // of which extractor/1 opens; empty: there are none
};

// What a component has found by perrin.artifact/1.
struct Artifact {
  std::string component;  // its id; empty: the host itself
  std::string name;       // as it asked
  std::filesystem::path path;
  bool operator==(const Artifact&) const = default;
};

// Made by std::make_shared alone. Safe to use from several threads, but for what is set.
class Session : public std::enable_shared_from_this<Session> {
 public:
  explicit Session(Hooks hooks = {}) : hooks_(std::move(hooks)) {}
  Session(const Session&) = delete;

  // Where the model's tensors live and where plugins' `create` makes them. Set before any component is created.
  c10::Device device() const;
  void set_device(c10::Device device);

  // Are all calls of plugins looked at closely, not the first ones alone? Set likewise.
  bool closely() const { return closely_; }
  void look_closely() { closely_ = true; }

  // A file or folder by a name that may be relative: in the data folders, the working folder, PERRIN_DATA. Noted as
  // found by `component`. Throws Fault that lists where it looked.
  std::filesystem::path find(const std::string& name, std::string component = {});
  // Each once, in the order of the first finds.
  std::vector<Artifact> artifacts() const;

  // The hook's answer. Throws perrin::Error, also where there is none.
  Offer find_component(const std::string& kind, const std::string& use) const;
  bool asked_to_stop() const { return hooks_.cancelled && hooks_.cancelled(); }

  // A line of a plugin, or about one. Never throws.
  void log(uint32_t level, std::string_view plugin, std::string_view line) const noexcept;
  void progress(uint64_t done, uint64_t total, std::string_view what) const;

  // The session of the component whose call this thread is in; elsewhere, as in a thread that a plugin started, the
  // process's.
  static Session& here();
  // The process's: of components that are given none. One without hooks, until another is put in its place, which
  // happens before there are components.
  static std::shared_ptr<Session> of_process();
  static void set_of_process(std::shared_ptr<Session> session);

 private:
  std::vector<std::filesystem::path> places() const;

  const Hooks hooks_;
  int8_t device_[2] = {0, -1};  // type and index of c10::Device; the CPU
  bool closely_ = false;
  mutable std::mutex mutex_;
  std::vector<Artifact> found_;
};

// This thread is in a call of a component of that session; scopes nest.
class InSession {
 public:
  explicit InSession(Session& session);
  ~InSession();
  InSession(const InSession&) = delete;

 private:
  Session* before_;
};

}  // namespace perrin::services
