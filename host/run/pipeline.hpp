// Batches in the run's data order, prepared ahead by loader threads.
#pragma once

#include <ATen/core/Tensor.h>
#include <perrin/kind/dataset.h>

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "host/services/component.hpp"

namespace perrin::run {

// B consecutive positions of the run. Sample b is the dataset's sample indices[b].
struct Batch {
  std::vector<uint64_t> positions;  // [B] position in the run: the sample index of every random number
  std::vector<uint64_t> indices;    // [B] into the dataset
  std::vector<at::Tensor> fields;   // one per field: [B, field shape] in the dataset's dtype
};

// Gives the batch a tensor for each field, of n samples, and says where they lie: what a dataset's read takes.
std::vector<void*> allocate_fields(Batch& batch, const std::vector<perrin_field>& fields, int64_t n);

// Position p of a run over N samples is sample permutation(seed, epoch p / N)[p mod N]: nothing is stored, so any batch size
// and any number of loader threads see the same order, and a resumed run continues it.
uint64_t dataset_index(uint64_t seed, uint64_t position, uint64_t count);

class Pipeline {
 public:
  // Serves positions first, first + 1, ... in batches of `batch_size`. threads = 0 reads in next(). `dataset` is borrowed.
  Pipeline(services::Component& dataset, uint64_t seed, uint64_t first, int64_t batch_size, int threads);
  ~Pipeline();

  // The next batch; throws what the dataset's read failed with.
  Batch next();

 private:
  Batch read(uint64_t number);
  void work();

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

// Which field is the label: the first that has classes. Another one is a condition like any field.
std::optional<size_t> label_field(const std::vector<perrin_field>& fields);

// Classes of the label; 0 without one.
uint64_t class_count(const std::vector<perrin_field>& fields);

std::vector<perrin_field> dataset_fields(services::Component& dataset);
uint64_t dataset_count(services::Component& dataset);

}  // namespace perrin::run
