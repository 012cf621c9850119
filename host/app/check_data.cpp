#include "host/app/check_data.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>

#include "host/app/session.hpp"
#include "host/console/progress.hpp"
#include "host/data/samples.hpp"
#include "host/model/fields.hpp"

namespace perrin::app {
namespace {

// What the reading threads share.
struct Reading {
  services::Component& dataset;
  const std::vector<perrin_field> fields;
  const uint64_t count;
  std::atomic<uint64_t> next = 0, done = 0;
  std::atomic<bool> stop = false;
  std::mutex mutex = {};
  std::vector<UnreadableSample> unreadable = {};  // under the mutex
};

void read_some(Reading& reading) {
  data::Batch batch;
  const std::vector<void*> buffers = data::allocate_fields(batch, reading.fields, 1);
  for (uint64_t index; !reading.stop && (index = reading.next++) < reading.count; ++reading.done) {
    try {
      reading.dataset.invoke<&perrin_dataset::read>(uint64_t{1}, &index, buffers.data());
    } catch (const std::exception& failure) {
      const std::lock_guard lock(reading.mutex);
      reading.unreadable.push_back({index, failure.what()});
    }
  }
}

// Joined however the waiting ends.
class Readers {
 public:
  explicit Readers(Reading& reading) : reading_(reading) {
    const uint64_t n = std::clamp<uint64_t>(std::thread::hardware_concurrency(), 1, reading.count);
    while (threads_.size() < n) threads_.emplace_back([&] { read_some(reading); });
  }
  ~Readers() {
    reading_.stop = true;
    for (std::thread& thread : threads_) thread.join();
  }
  Readers(const Readers&) = delete;

 private:
  Reading& reading_;
  std::vector<std::thread> threads_;
};

}  // namespace

std::vector<UnreadableSample> unreadable_samples(services::Component& dataset) {
  Reading reading{dataset, model::dataset_fields(dataset), model::dataset_count(dataset)};
  {
    console::Progress bar("reading", static_cast<int64_t>(reading.count), "sample");
    const Readers readers(reading);
    while (reading.done < reading.count) {
      stop_if_asked();
      bar.update(static_cast<int64_t>(reading.done));
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    bar.update(static_cast<int64_t>(reading.count));
  }
  std::sort(reading.unreadable.begin(), reading.unreadable.end(),
            [](const UnreadableSample& a, const UnreadableSample& b) { return a.index < b.index; });
  return std::move(reading.unreadable);
}

}  // namespace perrin::app
