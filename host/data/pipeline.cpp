#include "host/data/pipeline.hpp"

#include <system_error>

#include "host/base/error.hpp"
#include "host/kernels/random.hpp"
#include "host/model/fields.hpp"

namespace perrin::data {

uint64_t dataset_index(uint64_t seed, uint64_t position, uint64_t count) {
  return random::keyed_permutation(seed, static_cast<uint32_t>(position / count), count, position % count);
}

Pipeline::Pipeline(services::Component& dataset, uint64_t seed, uint64_t first, int64_t batch_size, int threads)
    : dataset_(dataset),
      fields_(model::dataset_fields(dataset)),
      count_(model::dataset_count(dataset)),
      seed_(seed),
      first_(first),
      batch_size_(batch_size),
      ahead_(2 * static_cast<uint64_t>(threads)) {
  try {
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
  } catch (const std::system_error& failure) {
    join();
    throw Error("cannot start loader thread " + std::to_string(threads_.size() + 1) + ": " + failure.what(),
                dataset.id(), "lower experiment.loader_threads, or raise the limit on processes (ulimit -u)");
  }
}

Pipeline::~Pipeline() { join(); }

void Pipeline::join() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

Batch Pipeline::read(uint64_t number) {
  Batch batch;
  const auto n = static_cast<uint64_t>(batch_size_);
  for (uint64_t b = 0; b < n; ++b) {
    batch.positions.push_back(first_ + number * n + b);
    batch.indices.push_back(dataset_index(seed_, batch.positions.back(), count_));
  }
  const std::vector<void*> buffers = allocate_fields(batch, fields_, batch_size_);
  if (dataset_.has<&perrin_dataset::read_augmented>()) {
    dataset_.invoke<&perrin_dataset::read_augmented>(perrin_stream{seed_, PERRIN_PURPOSE_AUGMENT, 0}, n,
                                                     batch.indices.data(), batch.positions.data(), buffers.data());
  } else {
    dataset_.invoke<&perrin_dataset::read>(n, batch.indices.data(), buffers.data());
  }
  return batch;
}

void Pipeline::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return stop_ || next_to_read_ < next_to_serve_ + ahead_; });
    if (stop_) return;
    const uint64_t number = next_to_read_++;
    lock.unlock();
    Batch batch;
    std::exception_ptr failure;
    try {
      batch = read(number);
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();
    if (failure) {
      failed_.emplace(number, failure);
    } else {
      ready_.emplace(number, std::move(batch));
    }
    changed_.notify_all();
  }
}

Batch Pipeline::next() {
  if (threads_.empty()) return read(next_to_serve_++);
  std::unique_lock lock(mutex_);
  const uint64_t number = next_to_serve_;
  changed_.wait(lock, [&] { return ready_.count(number) || failed_.count(number); });
  if (const auto failure = failed_.find(number); failure != failed_.end()) std::rethrow_exception(failure->second);
  Batch batch = std::move(ready_.extract(number).mapped());
  ++next_to_serve_;
  lock.unlock();
  changed_.notify_all();
  return batch;
}

}  // namespace perrin::data
