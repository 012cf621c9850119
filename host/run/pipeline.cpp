#include "host/run/pipeline.hpp"

#include <ATen/ops/empty.h>

#include "host/base/error.hpp"
#include "host/kernels/random.hpp"
#include "host/services/spec.hpp"

namespace perrin::run {

uint64_t dataset_index(uint64_t seed, uint64_t position, uint64_t count) {
  return random::keyed_permutation(seed, static_cast<uint32_t>(position / count), count, position % count);
}

std::optional<size_t> label_field(const std::vector<perrin_field>& fields) {
  for (size_t f = 0; f < fields.size(); ++f)
    if (fields[f].n_classes > 0) return f;
  return std::nullopt;
}

uint64_t class_count(const std::vector<perrin_field>& fields) {
  const auto label = label_field(fields);
  return label ? fields[*label].n_classes : 0;
}

std::vector<perrin_field> dataset_fields(services::Component& dataset) {
  uint32_t n = 0;
  const perrin_field* fields = nullptr;
  dataset.invoke<&perrin_dataset::fields>(&n, &fields);
  return std::vector<perrin_field>(fields, fields + n);
}

uint64_t dataset_count(services::Component& dataset) {
  uint64_t n = 0;
  dataset.invoke<&perrin_dataset::count>(&n);
  if (n == 0) throw Error("the dataset has no samples", dataset.id(), "point it at data");
  return n;
}

std::vector<void*> allocate_fields(Batch& batch, const std::vector<perrin_field>& fields, int64_t n) {
  std::vector<void*> buffers;
  for (const perrin_field& field : fields) {
    const auto dtype = static_cast<at::ScalarType>(field.spec.dtype);
    batch.fields.push_back(at::empty(services::batch_sizes(field.spec, n), dtype));
    buffers.push_back(batch.fields.back().data_ptr());
  }
  return buffers;
}

Pipeline::Pipeline(services::Component& dataset, uint64_t seed, uint64_t first, int64_t batch_size, int threads)
    : dataset_(dataset),
      fields_(dataset_fields(dataset)),
      count_(dataset_count(dataset)),
      seed_(seed),
      first_(first),
      batch_size_(batch_size),
      ahead_(2 * static_cast<uint64_t>(threads)) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

Pipeline::~Pipeline() {
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

}  // namespace perrin::run
