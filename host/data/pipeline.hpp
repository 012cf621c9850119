// Batches in the run's data order, prepared ahead by loader threads.
#pragma once

#include <perrin/kind/dataset.h>

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "host/data/samples.hpp"
#include "host/services/component.hpp"

namespace perrin::data {

// Position p of a run over N samples is sample permutation(seed, epoch p / N)[p mod N]: nothing is stored, so any batch
// size and any number of loader threads see the same order, and a resumed run continues it.
uint64_t dataset_index(uint64_t seed, uint64_t position, uint64_t count);

class Pipeline {
 public:
  // Serves positions first, first + 1, ... in batches of `batch_size`. threads = 0 reads in next(). `dataset` is
  // borrowed.
  Pipeline(services::Component& dataset, uint64_t seed, uint64_t first, int64_t batch_size, int threads);
  ~Pipeline();

  // The next batch; throws what the dataset's read failed with.
  Batch next();

 private:
  Batch read(uint64_t number);
  void work();
  void join();

  services::Component& dataset_;
  const std::vector<perrin_field> fields_;
  const uint64_t count_, seed_, first_;
  const int64_t batch_size_;
  const uint64_t ahead_;  // batches kept ready

  std::mutex mutex_;
  std::condition_variable changed_;
  uint64_t next_to_read_ = 0, next_to_serve_ = 0;
  bool stop_ = false;
  std::map<uint64_t, Batch> ready_;
  std::map<uint64_t, std::exception_ptr> failed_;
  std::vector<std::thread> threads_;
};

}  // namespace perrin::data
