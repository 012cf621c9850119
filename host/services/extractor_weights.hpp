// The weights of one extractor's file, shared by all that have it open.
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "perrin/host/weights.h"

namespace perrin::services {

// The tensors are float32, frozen, on the run's device; each is read once. Any thread.
class ExtractorWeights {
 public:
  // Those of `file`, an absolute path, as it is now. Throws perrin::Error if it cannot be read.
  static std::shared_ptr<ExtractorWeights> of(const std::string& file);

  const std::string& file() const { return file_; }
  std::string metadata(const std::string& key) const;
  // Throws Fault with both shapes where they differ, perrin::Error with the nearest names where it has none.
  at::Tensor get(const std::string& name, at::IntArrayRef sizes);
  void close_file();  // what is there stays; the next tensor that is not opens the file again

 private:
  explicit ExtractorWeights(std::string file);
  void open_file();

  struct Close {
    void operator()(perrin_weights* weights) const;
  };
  std::mutex mutex_;
  std::string file_;
  std::unique_ptr<perrin_weights, Close> open_;
  std::map<std::string, std::string> metadata_;
  std::map<std::string, at::Tensor> tensors_;
};

}  // namespace perrin::services
