// Inside host/store only: the bounded queue between the callers of Writer and its thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <vector>

namespace perrin::store {

// Followed by `bytes` bytes of payload, padded to 8: doubles of a row, pixels of an image, text of a status.
struct Record {
  enum Kind : uint32_t { row, image, status } kind;
  uint32_t index;
  uint64_t bytes;
  int64_t step;
  double wall_time;
};

// Two buffers change places, so nothing is allocated once they have grown. The thread wakes by itself a few times a
// second: waking it for every row would cost the caller more than the row.
class Queue {
 public:
  static constexpr size_t kLimit = size_t{16} << 20;

  // Waits while the queue is full, unless it is empty: one record of any size always fits. False: the thread has
  // failed.
  bool push(const Record& record, const void* payload) {
    std::unique_lock held(mutex_);
    const size_t size = sizeof record + (record.bytes + 7) / 8 * 8;
    if (!bytes_.empty() && bytes_.size() + size > kLimit) {
      wake_.notify_one();
      room_.wait(held, [&] { return bytes_.empty() || bytes_.size() + size <= kLimit || failed_; });
    }
    if (failed_) return false;
    const size_t at = bytes_.size();
    bytes_.resize(at + size);
    std::memcpy(bytes_.data() + at, &record, sizeof record);
    if (record.bytes > 0) std::memcpy(bytes_.data() + at + sizeof record, payload, record.bytes);
    return true;
  }

  // Returns when everything pushed before is handled and synced; false: the thread has failed.
  bool sync() {
    std::unique_lock held(mutex_);
    const uint64_t ticket = ++sync_wanted_;
    wake_.notify_one();
    room_.wait(held, [&] { return sync_done_ >= ticket || failed_; });
    return !failed_;
  }

  void stop() {
    const std::lock_guard held(mutex_);
    stopping_ = true;
    wake_.notify_one();
  }

  // The thread's side.
  struct Work {
    uint64_t ticket = 0;  // a sync is wanted if it is above the one of the work before
    bool last = false;
  };
  // Swaps the waiting records into `into` (whose content is dropped).
  template <class Duration>
  Work take(std::vector<std::byte>& into, Duration patience) {
    std::unique_lock held(mutex_);
    wake_.wait_for(held, patience,
                   [&] { return stopping_ || sync_wanted_ > sync_done_ || bytes_.size() > kLimit / 2; });
    into.clear();
    into.swap(bytes_);
    room_.notify_all();
    return {sync_wanted_, stopping_};
  }
  void synced(uint64_t ticket) {
    const std::lock_guard held(mutex_);
    sync_done_ = ticket;
    room_.notify_all();
  }
  void fail() {
    const std::lock_guard held(mutex_);
    failed_ = true;
    room_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_, room_;
  std::vector<std::byte> bytes_;
  uint64_t sync_wanted_ = 0, sync_done_ = 0;
  bool stopping_ = false, failed_ = false;
};

}  // namespace perrin::store
