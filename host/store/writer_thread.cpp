#include "host/store/writer_thread.hpp"

#include <signal.h>

#include <chrono>
#include <cstring>

namespace perrin::store {

// Signals are left to the threads that expect them.
WriterThread::WriterThread(std::filesystem::path path, RunFile file, RunLock lock, const Layout& layout)
    : path_(std::move(path)),
      file_(std::move(file)),
      lock_(std::move(lock)),
      groups_(layout.groups),
      tags_(layout.images),
      rows_(groups_.size()) {
  for (size_t i = 0; i < groups_.size(); ++i) rows_[i].values.resize(groups_[i].columns.size());
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { work(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

WriterThread::~WriterThread() {
  try {
    close();
  } catch (const Error&) {
  }
}

void WriterThread::rethrow() const {
  if (failure_) throw *failure_;
  throw Error("the results file " + path_.string() + " is closed", path_.string());
}

void WriterThread::push(const Record& record, const void* payload) {
  if (closed_ || !queue_.push(record, payload)) rethrow();
}

void WriterThread::sync() {
  if (closed_ || !queue_.sync()) rethrow();
}

void WriterThread::close() {
  if (closed_.exchange(true)) return;
  queue_.stop();
  thread_.join();
  lock_ = RunLock();
  if (failure_) throw *failure_;
}

void WriterThread::work() {
  using Clock = std::chrono::steady_clock;
  constexpr auto kPatience = std::chrono::milliseconds(250);
  constexpr auto kFlushEvery = std::chrono::seconds(1);
  std::vector<std::byte> records;
  uint64_t synced = 0;
  bool dirty = false;
  auto flushed = Clock::now();
  try {
    for (Queue::Work work; !work.last;) {
      work = queue_.take(records, kPatience);
      const auto held = hdf5::lock();
      handle(records);
      dirty = dirty || !records.empty();
      if (work.ticket > synced) {
        file_.sync();
        queue_.synced(synced = work.ticket);
        dirty = false;
      } else if (dirty && Clock::now() - flushed > kFlushEvery) {
        file_.flush();
        flushed = Clock::now();
        dirty = false;
      }
    }
    const auto held = hdf5::lock();
    file_.close();
  } catch (const hdf5::Failure& failure) {
    file_.abandon();
    failure_ = write_error(failure, path_);
    queue_.fail();
  } catch (const std::exception& error) {  // memory
    file_.abandon();
    failure_ = Error("cannot write the results file " + path_.string() + ": " + error.what(), path_.string());
    queue_.fail();
  }
}

void WriterThread::handle(std::span<const std::byte> records) {
  while (!records.empty()) {
    Record record;
    std::memcpy(&record, records.data(), sizeof record);
    const std::byte* payload = records.data() + sizeof record;
    if (record.kind == Record::row) {
      Rows& rows = rows_[record.index];
      rows.step.push_back(record.step);
      rows.wall_time.push_back(record.wall_time);
      const auto* values = reinterpret_cast<const double*>(payload);
      for (size_t i = 0; i < rows.values.size(); ++i) rows.values[i].push_back(values[i]);
    } else if (record.kind == Record::image) {
      file_.append_image(record.index, record.step, reinterpret_cast<const uint8_t*>(payload));
    } else {  // a file that says "finished" has all rows: HDF5 itself writes what is dirty in any order
      append_rows();
      file_.sync();
      file_.set_status({reinterpret_cast<const char*>(payload), record.bytes});
    }
    records = records.subspan(sizeof record + (record.bytes + 7) / 8 * 8);
  }
  append_rows();
}

void WriterThread::append_rows() {
  for (size_t i = 0; i < rows_.size(); ++i) {
    file_.append(i, rows_[i]);
    rows_[i].step.clear();
    rows_[i].wall_time.clear();
    for (auto& column : rows_[i].values) column.clear();
  }
}

}  // namespace perrin::store
