// Inside host/store only: the file of a Writer and the thread that writes it.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "host/base/error.hpp"
#include "host/store/layout.hpp"
#include "host/store/queue.hpp"
#include "host/store/run_file.hpp"
#include "host/store/run_lock.hpp"

namespace perrin::store {

// hdf5::Failure in the words of the user.
Error write_error(const hdf5::Failure& failure, const std::filesystem::path& file);

class WriterThread {
 public:
  // A complete new file at `file`, holding what `fill` appends to it; an older one is replaced at the very end.
  static std::unique_ptr<WriterThread> start(const std::filesystem::path& file, const Layout& layout,
                                             std::span<const Segment> segments, const std::string& start_time,
                                             const std::function<void(RunFile&)>& fill);
  WriterThread(std::filesystem::path path, RunFile file, RunLock lock, const Layout& layout);
  ~WriterThread();

  void push(const Record& record, const void* payload);
  void sync();
  void close();
  size_t group(std::string_view name, std::span<const double> values) const;  // checks the row as well
  size_t tag(std::string_view name, size_t bytes) const;

 private:
  void work();
  void handle(std::span<const std::byte> records);
  void append_rows();
  [[noreturn]] void rethrow() const;

  std::filesystem::path path_;
  RunFile file_;
  RunLock lock_;
  std::vector<Group> groups_;
  std::vector<ImageTag> tags_;
  std::vector<Rows> rows_;  // per group, the batch that the thread is gathering
  Queue queue_;
  std::optional<Error> failure_;  // set once, before Queue::fail()
  std::atomic<bool> closed_ = false;
  std::thread thread_;
};

}  // namespace perrin::store
